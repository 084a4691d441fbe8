"""What the containers of videos say about their makers, read in a limited process."""

from ipvg_eval.metadata.process import MetadataProcess

__all__ = ["MetadataProcess"]
