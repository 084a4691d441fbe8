"""The run folder, its rows, tables and summaries."""

from ipvg_eval.results.reading import Run, load_run
from ipvg_eval.results.summary import to_latex

__all__ = ["Run", "load_run", "to_latex"]
