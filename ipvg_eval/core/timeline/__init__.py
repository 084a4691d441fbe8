"""Timelines: what should happen when. The only parser, model and writer of them."""

from ipvg_eval.core.timeline.check import video_problems
from ipvg_eval.core.timeline.format import format_timeline
from ipvg_eval.core.timeline.model import Event, Problem, Timeline
from ipvg_eval.core.timeline.parse import parse_timeline

__all__ = ["Event", "Problem", "Timeline", "format_timeline", "parse_timeline", "video_problems"]
