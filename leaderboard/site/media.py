"""Where the pictures of a run lie."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class Media(Protocol):
    """Pictures of run folders; a path may name nothing."""

    def thumbnail(self, run: Path, sample: str) -> Path:
        """A WebP strip of a sample's frames in the run folder `run`."""

    def reference(self, run: Path, identity: str) -> Path:
        """A small WebP of an identity's reference picture in the run folder `run`."""
