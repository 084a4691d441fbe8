"""How the samples' values are spread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from ipvg_eval.plot.style import (
    COLOURS,
    AnyRun,
    Axes,
    Figure,
    chosen,
    label,
    named,
    panels,
    plain,
    remark,
    styled,
)

_GOLDEN = (5**0.5 - 1) / 2
_POINTS = 400
"""Points drawn of one run, at most; of more values, evenly many of their ranks."""


@styled
def distributions(
    runs: Sequence[AnyRun] | Mapping[str, AnyRun], metrics: Sequence[str] | None = None
) -> Figure:
    """Every metric's values in every run: points, quartiles as a box, the mean as a diamond.

    Args:
        runs: runs or their folders; a mapping says what each is called, else it is called after its team.
        metrics: which ones; all that have a direction where None.

    Raises:
        UsageError: no run, two of one name, or no such metric.
        RunError: a folder is no run.
    """
    rows = named(runs)
    specs = chosen(next(iter(rows.values())).info.sample_metrics, metrics)
    figure, axes = panels(len(specs), height=0.85 + 0.28 * len(rows))
    for ax, spec in zip(axes, specs, strict=True):
        for place, run in enumerate(rows.values()):
            values = np.asarray(run.samples.get(spec.name, []), dtype=float)
            _draw(ax, place, np.sort(values[np.isfinite(values)]), COLOURS[place % len(COLOURS)])
        place_in_grid = ax.get_subplotspec()
        first = place_in_grid is not None and place_in_grid.is_first_col()
        ax.set_yticks(range(len(rows)), [plain(name, longest=24) if first else "" for name in rows])
        ax.set_ylim(len(rows) - 0.5, -0.5)
        ax.set_xlabel(label(spec))
    remark(figure, (run.summary.notice for run in rows.values()))
    return figure


def _draw(ax: Axes, place: int, values: npt.NDArray[np.float64], colour: str) -> None:
    if not len(values):
        ax.text(0.5, place, "no value", transform=ax.get_yaxis_transform(), ha="center", va="center", size=6)
        return
    shown = values[np.linspace(0, len(values) - 1, min(len(values), _POINTS)).round().astype(int)]
    height = place + 0.44 * ((np.arange(len(shown)) * _GOLDEN) % 1 - 0.5)  # spread evenly, always alike
    ax.scatter(shown, height, s=5, color=colour, alpha=0.45, linewidths=0, zorder=2)
    edge = {"color": colour, "linewidth": 0.9}
    ax.boxplot(
        [values],
        positions=[place],
        orientation="horizontal",
        widths=0.5,
        showfliers=False,
        showmeans=True,
        manage_ticks=False,
        boxprops=edge,
        whiskerprops=edge,
        capprops=edge,
        medianprops={"color": colour, "linewidth": 1.6},
        meanprops={"marker": "D", "markerfacecolor": "white", "markeredgecolor": colour, "markersize": 3.5},
    )
