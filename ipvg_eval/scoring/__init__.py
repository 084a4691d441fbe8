"""Scoring: a submission in, a run out."""

from ipvg_eval.scoring.score import score
from ipvg_eval.scoring.scorer import Scorer, build_scorer

__all__ = ["Scorer", "build_scorer", "score"]
