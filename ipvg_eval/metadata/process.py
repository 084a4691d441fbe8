"""Reading metadata, seen from the parent."""

from __future__ import annotations

from pathlib import Path

from ipvg_eval.metadata.messages import Read, Texts
from ipvg_eval.sandbox import LimitedProcess, ProcessLimits


class MetadataProcess(LimitedProcess[Texts]):
    """Reads the metadata of videos, one after the other, in a process with limits."""

    def __init__(self, limits: ProcessLimits | None = None) -> None:
        super().__init__("ipvg_eval.metadata.worker", Texts, limits)

    def read(self, path: Path) -> dict[str, str]:
        """The texts of a video's container and streams by key; see `reading.read_texts`.

        Raises:
            VideoError: the file cannot be opened, or the process failed on it.
        """
        self.ask_about(path, Read())
        return self.answer().texts
