"""A run as one HTML page that needs no network and no other file."""

from ipvg_eval.report.page import write_report

__all__ = ["write_report"]
