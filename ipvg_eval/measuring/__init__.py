"""Measuring any videos: one, a folder, a table of them; without a test set and a submission."""

from ipvg_eval.measuring.asked import Asked
from ipvg_eval.measuring.measure import Measurements, measure, measure_all
from ipvg_eval.scoring.video_measurements import VideoMeasurements

__all__ = ["Asked", "Measurements", "VideoMeasurements", "measure", "measure_all"]
