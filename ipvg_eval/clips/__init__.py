"""Making a study's clips out of untrusted videos, in limited processes."""

from ipvg_eval.clips.maker import ClipMaker

__all__ = ["ClipMaker"]
