"""Processes with limits for untrusted files: a crash, a hang or an over-allocation costs one file."""

from ipvg_eval.core.limits import ProcessLimits
from ipvg_eval.sandbox.handover import open_file
from ipvg_eval.sandbox.messages import Message
from ipvg_eval.sandbox.process import LimitedProcess, Patience

__all__ = ["LimitedProcess", "Message", "Patience", "ProcessLimits", "open_file"]
