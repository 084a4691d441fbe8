"""Scoring: a submission in, a run out; and a run under other rules."""

from ipvg_eval.scoring.rescore import rescore
from ipvg_eval.scoring.score import score
from ipvg_eval.scoring.scorer import Scorer, ScorerRecipe, build_scorer

__all__ = ["Scorer", "ScorerRecipe", "build_scorer", "rescore", "score"]
