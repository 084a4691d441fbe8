"""Timelines: what should happen when, and how well a video keeps to it.

Reading a timeline (`parse_timeline`, `format_timeline`) imports no network.
"""

from ipvg_eval.metrics.timeline.check import video_problems
from ipvg_eval.metrics.timeline.format import format_timeline
from ipvg_eval.metrics.timeline.model import Event, Problem, Timeline
from ipvg_eval.metrics.timeline.parse import parse_timeline

__all__ = ["Event", "Problem", "Timeline", "format_timeline", "parse_timeline", "video_problems"]
