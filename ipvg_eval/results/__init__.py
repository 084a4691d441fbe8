"""The run folder, its rows, tables and summaries."""

from ipvg_eval.results.reading import Run, load_run

__all__ = ["Run", "load_run"]
