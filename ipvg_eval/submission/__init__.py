"""Submissions: a folder or a zip of videos, read without unpacking."""

from ipvg_eval.submission.limits import Limits
from ipvg_eval.submission.loading import load_submission
from ipvg_eval.submission.member import MemberError
from ipvg_eval.submission.model import Kind, Submission
from ipvg_eval.submission.teams import team_names

__all__ = ["Kind", "Limits", "MemberError", "Submission", "load_submission", "team_names"]
