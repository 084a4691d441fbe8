"""Measuring any videos: one, a folder, a table of them; without a test set and a submission."""

from ipvg_eval.measuring.asked import Asked
from ipvg_eval.measuring.measure import Measurements, VideoMeasurements, measure, measure_all

__all__ = ["Asked", "Measurements", "VideoMeasurements", "measure", "measure_all"]
