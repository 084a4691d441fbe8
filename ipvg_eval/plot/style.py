"""How every figure looks, and the pieces that all of them share."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from ipvg_eval.core.errors import UsageError
from ipvg_eval.core.packages import package_missing
from ipvg_eval.core.printable import printable
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.core.suggest import did_you_mean
from ipvg_eval.results import Run, load_run

try:
    import matplotlib
    from matplotlib.axes import Axes as Axes
    from matplotlib.figure import Figure as Figure
except ImportError as error:
    raise package_missing(error, extra="plot") from error

AnyRun = Run | Path | str
"""A run that is loaded, or its folder."""

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#5B5B5B", "#8C6D1F")
"""Told apart by people who see no red or no green (Okabe and Ito), and in print."""
MARKERS = "osD^vPX*"
GREY = "#6b6b6b"

_PANEL = (2.3, 1.7)
_ACROSS = 3
_LETTERS_PER_INCH = 17
_LETTERS_PER_LABEL = 30
_STYLE: dict[Any, Any] = {
    "font.size": 8.0,
    "axes.labelsize": 8.0,
    "axes.titlesize": 8.0,
    "xtick.labelsize": 7.0,
    "ytick.labelsize": 7.0,
    "legend.fontsize": 7.0,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "lines.linewidth": 1.2,
    "lines.markersize": 4.0,
    "figure.dpi": 150.0,
}

P = ParamSpec("P")
T = TypeVar("T")


def styled(draw: Callable[P, T]) -> Callable[P, T]:
    """Draw in this style, and leave the caller's as it was."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> T:
        with matplotlib.rc_context(_STYLE):
            return draw(*args, **kwargs)

    return drawn


def new_figure(width: float, height: float) -> Figure:
    """A figure of so many inches."""
    return Figure(figsize=(width, height), layout="constrained")


def panels(count: int, *, height: float = _PANEL[1]) -> tuple[Figure, list[Axes]]:
    """A figure with so many axes, at most three side by side."""
    across = 2 if count == 4 else min(count, _ACROSS)
    down = math.ceil(count / across)
    figure = new_figure(_PANEL[0] * max(across, 1.5), height * down)
    grid = figure.subplots(down, across, squeeze=False)
    axes = list(grid.flat)
    for unused in axes[count:]:
        unused.remove()
    return figure, axes[:count]


def loaded(run: AnyRun) -> Run:
    """A run by its folder.

    Raises:
        RunError: the folder is no run, or damaged.
    """
    return run if isinstance(run, Run) else load_run(run)


def named(runs: Sequence[AnyRun] | Mapping[str, AnyRun]) -> dict[str, Run]:
    """Runs by what they are called.

    Raises:
        UsageError: there is none, or two have one name.
        RunError: a folder is no run, or damaged.
    """
    if isinstance(runs, Mapping):
        found = [(name, loaded(run)) for name, run in runs.items()]
    else:
        found = [(run.info.team, run) for run in map(loaded, runs)]
    if not found:
        raise UsageError("there is no run to draw")
    by_name = dict(found)
    if len(by_name) < len(found):
        raise UsageError("two runs are of one team", hint="Give a mapping from names to runs.")
    return by_name


def chosen(specs: Iterable[MetricSpec], names: Sequence[str] | None) -> list[MetricSpec]:
    """The metrics of these names in their order; where None, all that have a direction.

    Raises:
        UsageError: there is no such metric, or none that has a direction.
    """
    known = {spec.name: spec for spec in specs}
    if names is None:
        found = [spec for spec in known.values() if spec.higher_is_better is not None]
    else:
        for name in names:
            if name not in known:
                raise UsageError(f"no metric is called {name!r} here", hint=did_you_mean(name, known))
        found = [known[name] for name in names]
    if not found:
        raise UsageError("there is no metric to draw", hint="Name some of the run's.")
    return found


def label(spec: MetricSpec) -> str:
    """A metric as a figure calls it, on as many lines as it takes: title, package, unit, arrow."""
    unit = f" [{spec.unit}]" if spec.unit else ""
    return textwrap.fill(
        plain(f"{spec.label}{unit} {spec.arrow}".strip()), _LETTERS_PER_LABEL, break_on_hyphens=False
    )


def plain(text: str, *, longest: int = 60) -> str:
    """Text of others: on one line, and no formula."""
    return printable(text, longest=longest).replace("$", r"\$")


def remark(figure: Figure, notices: Iterable[str]) -> None:
    """Print below what every reader must know."""
    width = int(figure.get_figwidth() * _LETTERS_PER_INCH)
    lines = [line for notice in dict.fromkeys(filter(None, notices)) for line in _wrapped(notice, width)]
    if lines:
        figure.supxlabel("\n".join(lines), fontsize=6, color=GREY)


def _wrapped(text: str, width: int) -> Iterator[str]:
    yield from textwrap.wrap(plain(text, longest=400), width)
