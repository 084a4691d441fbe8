"""A package with a metric of one's own, written from a template."""

from ipvg_eval.new_metric.write import Written, write_package

__all__ = ["Written", "write_package"]
