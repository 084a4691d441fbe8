"""Every sample with its video, prompt and reference, of one run or of several side by side."""

from ipvg_eval.viewer.export import export
from ipvg_eval.viewer.gathering import gather
from ipvg_eval.viewer.material import Material

__all__ = ["Material", "export", "gather"]
