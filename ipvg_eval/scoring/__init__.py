"""Scoring: a submission in, a run out; and a run under other rules."""

from ipvg_eval.scoring.recipe import Recipe
from ipvg_eval.scoring.rescore import rescore
from ipvg_eval.scoring.score import score
from ipvg_eval.scoring.scorer import Scorer
from ipvg_eval.scoring.video_measurements import VideoMeasurements

__all__ = ["Recipe", "Scorer", "VideoMeasurements", "rescore", "score"]
