"""What a video owes: the references, the prompt, the timeline and the sound it was made from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ipvg_eval.core.pictures import PictureInMemory

NO_REFERENCE = "no reference picture is given"


@dataclass(frozen=True, kw_only=True)
class Reference:
    """One reference picture of a sample.

    Attributes:
        path: the picture file (png, webp or jpg), or what messages call one that is in memory.
        label: class label ("man", "ball", ...) where the test set names one.
        subject: references of a sample with the same number are pictures of one subject; None for a picture
            that is the only one of its subject.
        in_memory: the picture where it is no file, or where the file may change before it is read; else None.
    """

    path: Path
    label: str | None = None
    subject: int | None = None
    in_memory: PictureInMemory | None = None

    @property
    def picture(self) -> Path | PictureInMemory:
        """What is read, by `ipvg_eval.core.pictures`; equal pictures in memory are equal."""
        return self.in_memory or self.path


@dataclass(frozen=True, kw_only=True)
class Audio:
    """The sound that a talking head is to be driven with.

    Attributes:
        path: the file (wav; flac, mp3, m4a or ogg).
        sha256: of its bytes.
    """

    path: Path
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Target:
    """What one video is measured against.

    Attributes:
        sample_id: id of the sample, for messages.
        references: reference pictures, in the test set's order; none where nobody knows them.
        prompt: text prompt; empty where nobody knows it.
        timeline: Track 2's timeline as the test set has it (prompt string or JSON text), else None.
        audio: the driving sound; None where there is none.
        reference_video: the real video of the same sound and person; None where nobody has it.
    """

    sample_id: str
    references: tuple[Reference, ...]
    prompt: str
    timeline: str | None = None
    audio: Audio | None = None
    reference_video: Path | None = None
