"""Where two runs differ."""

from __future__ import annotations

from collections.abc import Sequence

from ipvg_eval.comparison import Comparison, MetricComparison, compare
from ipvg_eval.core.errors import UsageError
from ipvg_eval.core.suggest import did_you_mean
from ipvg_eval.plot.style import (
    COLOURS,
    GREY,
    AnyRun,
    Axes,
    Figure,
    loaded,
    new_figure,
    plain,
    remark,
    styled,
)

_ROW = 0.42


@styled
def comparison(
    a: AnyRun | Comparison, b: AnyRun | None = None, metrics: Sequence[str] | None = None
) -> Figure:
    """The difference of every metric between two runs, with its interval: a row each, on a scale of its own.

    Right of the line A's number is higher. Blue is where A is better, red where B is; a filled point is more
    than chance (see `compare`). The difference is printed beside it, and how many samples each side won.

    Args:
        a: run A or its folder; or a comparison that is made already.
        b: run B; left out with a comparison.
        metrics: which ones; all that have a direction where None.

    Raises:
        UsageError: no such metric, or one run only.
        RunError: a folder is no run, or the runs do not compare.
    """
    if isinstance(a, Comparison):
        found = a
    elif b is None:
        raise UsageError("comparison() needs two runs", hint="Or give what compare() gave.")
    else:
        found = compare(loaded(a), loaded(b))
    rows = _rows(found, metrics)
    figure = new_figure(5.2, 0.7 + _ROW * len(rows))
    grid = figure.subplots(len(rows), 1, squeeze=False)
    for ax, one in zip(grid[:, 0], rows, strict=True):
        _draw(ax, one)
    sides = " · ".join(
        f"{letter}: {plain(side.team, longest=30)}" for letter, side in (("A", found.a), ("B", found.b))
    )
    figure.suptitle(f"A \N{MINUS SIGN} B    ({sides})", fontsize=8)
    intervals = found.intervals if any(one.low is not None for one in rows) else ""
    remark(figure, [intervals, found.caution, found.a.notice, found.b.notice])
    return figure


def _rows(found: Comparison, metrics: Sequence[str] | None) -> list[MetricComparison]:
    known = {one.name: one for one in found.metrics if one.difference is not None}
    if metrics is None:
        rows = [one for one in known.values() if one.higher_is_better is not None]
    else:
        for name in metrics:
            if name not in known:
                raise UsageError(f"no metric of both is called {name!r}", hint=did_you_mean(name, known))
        rows = [known[name] for name in metrics]
    if not rows:
        raise UsageError("there is no metric to draw", hint="Name some that both runs have.")
    return rows


def _draw(ax: Axes, one: MetricComparison) -> None:
    difference = one.difference or 0.0
    low, high = one.low, one.high
    reach = max(abs(end) for end in (difference, low, high) if end is not None) * 1.15 or 1.0
    colour = GREY
    if one.higher_is_better is not None and difference:
        colour = COLOURS[0] if (difference > 0) is one.higher_is_better else COLOURS[1]
    if low is not None and high is not None:
        ax.plot([low, high], [0, 0], color=colour, linewidth=1.4, solid_capstyle="butt")
    ax.plot([difference], [0], "o", color=colour, markerfacecolor=colour if one.clear else "white")
    ax.axvline(0, color=GREY, linewidth=0.6, zorder=0)
    ax.set_xlim(-reach, reach)
    ax.set_ylim(-1, 1)
    arrow = {True: " ↑", False: " ↓", None: ""}[one.higher_is_better]
    ax.set_yticks([0], [plain(one.title) + arrow])
    ax.locator_params(axis="x", nbins=5)
    ax.tick_params(axis="y", length=0)
    ax.tick_params(axis="x", labelsize=6)
    ax.spines["left"].set_visible(False)
    wins = "" if one.wins_a is None else f"   A wins {one.wins_a}, B {one.wins_b}"
    said = f"{difference:+.4f}".replace("-", "\N{MINUS SIGN}") + ("*" if one.clear else "") + wins
    ax.text(1.02, 0, said, transform=ax.get_yaxis_transform(), va="center", size=6.5)
