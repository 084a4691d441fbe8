"""What a limited process may use, and how it is confined."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class ProcessLimits(BaseModel):
    """Limits of one process; a video that goes beyond them costs itself, not the run.

    Attributes:
        memory_mib: address space in MiB. An idle process has about 250; 1080p decodes within 768.
        seconds: time for opening a video, and again for decoding it, without the time the process waits
            for whoever measures.
        open_files: file descriptors.
        max_pixels: largest picture, width times height; a larger one is refused before it is decoded.
        require_confinement: refuse to open a file where the system cannot confine the process.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    memory_mib: int = Field(default=4096, ge=512)
    seconds: float = Field(default=120.0, gt=0)
    open_files: int = Field(default=64, ge=16)
    max_pixels: int = Field(default=4096 * 2304, ge=1)
    require_confinement: bool = False


class Confinement(BaseModel):
    """What keeps a process that reads strangers' files from everything else.

    Attributes:
        by: what holds it, with its version.
        lacking: what this system does not offer, and why.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    by: tuple[str, ...]
    lacking: tuple[str, ...] = ()
