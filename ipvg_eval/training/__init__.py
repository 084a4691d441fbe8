"""Scoring in the course of a training: a fixed set is generated and measured every so many steps."""

from ipvg_eval.training.evaluation import Evaluation, FixedSample
from ipvg_eval.training.every_n_steps import EveryNSteps

__all__ = ["Evaluation", "EveryNSteps", "FixedSample"]
