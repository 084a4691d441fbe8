"""Checking a submission before the upload: every finding at once."""

from ipvg_eval.validation.report import ValidationReport
from ipvg_eval.validation.rules import VideoRules
from ipvg_eval.validation.text import render
from ipvg_eval.validation.validate import validate

__all__ = ["ValidationReport", "VideoRules", "render", "validate"]
