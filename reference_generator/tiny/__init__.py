"""The same systems on tiny random models, which are built here and need no download."""

from reference_generator.tiny.shrink import shrunk

__all__ = ["shrunk"]
