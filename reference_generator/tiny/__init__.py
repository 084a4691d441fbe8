"""The same systems on tiny random models, which are built here and need no download."""

from ipvg_eval.reference_generator.tiny.shrink import shrunk

__all__ = ["shrunk"]
