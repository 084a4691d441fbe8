"""Evaluation and leaderboard toolkit for identity-preserving video generation.

    from ipvg_eval import load_testset, load_submission, validate, score

Names are imported when they are first used, so that reading a test set does not load torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ipvg_eval.comparison import compare
    from ipvg_eval.measuring import Asked, measure, measure_all
    from ipvg_eval.report import write_report
    from ipvg_eval.results import load_run
    from ipvg_eval.scoring import Recipe, Scorer, rescore, score
    from ipvg_eval.submission import load_submission
    from ipvg_eval.testset import load_testset
    from ipvg_eval.validation import validate

_HOMES = {
    "Asked": "ipvg_eval.measuring",
    "Recipe": "ipvg_eval.scoring",
    "Scorer": "ipvg_eval.scoring",
    "compare": "ipvg_eval.comparison",
    "load_run": "ipvg_eval.results",
    "load_submission": "ipvg_eval.submission",
    "load_testset": "ipvg_eval.testset",
    "measure": "ipvg_eval.measuring",
    "measure_all": "ipvg_eval.measuring",
    "rescore": "ipvg_eval.scoring",
    "score": "ipvg_eval.scoring",
    "validate": "ipvg_eval.validation",
    "write_report": "ipvg_eval.report",
}

__all__ = [
    "Asked",
    "Recipe",
    "Scorer",
    "compare",
    "load_run",
    "load_submission",
    "load_testset",
    "measure",
    "measure_all",
    "rescore",
    "score",
    "validate",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
