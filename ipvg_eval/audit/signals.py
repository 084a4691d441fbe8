"""What an audit sees of one video: decoded once, in a process with limits."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from ipvg_eval.core.measurement import Frames
from ipvg_eval.decoding import DecoderProcess
from ipvg_eval.metrics.sampling import linspace_indices

SMALL_SIDE = 32
_HASH_SIDE = 8
HASHED_FRAMES = 5
FACE_FRAMES = 8  # of those the face metrics sample, and as many between them
SAMPLED_FRAMES = 16  # how many the published face metrics sample
_MOTION_FRAMES = 240

Hashes = npt.NDArray[np.bool_]
Small = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class VideoSignals:
    """One video as the checks see it.

    Attributes:
        team: whose.
        sample: id of the sample it answers, or None without a test set.
        video: path in the submission.
        duration: seconds, or None if the video was not opened.
        fps: frames per second, or None likewise.
        small: (n, 32, 32) float32 grey levels of evenly spaced frames; empty if nothing decoded.
        every: how many frames lie from one of `small` to the next, or None where they are few and far.
        hashes: (5, 64) perceptual hashes of evenly spaced frames; fewer rows for a shorter video.
        sampled: frames that the face metrics look at, (n, height, width, 3) uint8; None where not kept.
        between: frames half way between these; None likewise.
        text: per looked-at frame, the rows that look like text: (centre as a share of the height, glyphs).
        metadata: what the container says about itself.
        problem: why it cannot be read, or None.
    """

    team: str
    sample: str | None
    video: str
    duration: float | None = None
    fps: float | None = None
    small: Small
    every: int | None = None
    hashes: Hashes
    sampled: Frames | None = None
    between: Frames | None = None
    text: tuple[tuple[tuple[float, int], ...], ...] = ()
    metadata: Mapping[str, str]
    problem: str | None = None


def unreadable(team: str, sample: str | None, video: str, problem: str) -> VideoSignals:
    """A video that cannot be read."""
    return VideoSignals(
        team=team,
        sample=sample,
        video=video,
        small=np.empty((0, SMALL_SIDE, SMALL_SIDE), np.float32),
        hashes=np.empty((0, 64), np.bool_),
        metadata={},
        problem=problem,
    )


def extract_signals(
    path: Path,
    decoder: DecoderProcess,
    *,
    team: str,
    sample: str | None,
    video: str,
    metadata: Mapping[str, str],
    faces: bool,
) -> VideoSignals:
    """Decode a video and keep what the checks need.

    Args:
        path: the file.
        decoder: where it is decoded.
        team: whose video it is.
        sample: what it answers.
        video: its path in the submission.
        metadata: what its container says.
        faces: keep frames for the face checks.

    Raises:
        VideoError: nothing in it decodes.
    """
    opened = decoder.open(path)
    clip = opened.clip
    count = clip.frame_count
    every = max(1, -(-count // _MOTION_FRAMES))
    moving = set(range(0, count, every))
    hashed = linspace_indices(count, HASHED_FRAMES)
    sampled, between = face_frames(count) if faces else ((), ())
    wanted = moving.union(hashed, sampled, between)
    kept: dict[int, Frames] = {}
    small: dict[int, Small] = {}
    hashes: dict[int, Hashes] = {}
    text = []
    text_rows = _text_rows()
    for batch in opened.batches(sorted(wanted)):
        for index, frame in zip(batch.indices, batch.frames, strict=True):
            if index in moving:
                small[index] = shrunk(frame)
            if index in hashed:
                hashes[index] = perceptual_hash(frame)
                if text_rows is not None:
                    text.append(text_rows(frame))
            if index in sampled or index in between:
                kept[index] = frame.copy()
    return VideoSignals(
        team=team,
        sample=sample,
        video=video,
        duration=clip.duration,
        fps=clip.fps,
        small=np.stack([small[i] for i in sorted(small)]),
        every=every,
        hashes=np.stack([hashes[i] for i in sorted(hashes)]),
        sampled=_stack(kept, sampled),
        between=_stack(kept, between),
        text=tuple(text),
        metadata=metadata,
    )


def face_frames(count: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Frames that the published face metrics sample, and frames half way between two of those."""
    sampled = linspace_indices(count, SAMPLED_FRAMES)
    middles = [(a + b) // 2 for a, b in pairwise(sampled)]
    between = tuple(m for m in middles if m not in sampled)
    return _thinned(sampled), _thinned(between)


def _thinned(indices: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(indices[k] for k in linspace_indices(len(indices), FACE_FRAMES))


def shrunk(frame: Frames) -> Small:
    """(32, 32) float32 grey levels, by area averaging."""
    grey = Image.fromarray(frame).convert("L").resize((SMALL_SIDE, SMALL_SIDE), Image.Resampling.BOX)
    return np.asarray(grey, np.float32)


def perceptual_hash(frame: Frames) -> Hashes:
    """(64,) bits: which low frequencies of a cosine transform are above their median (pHash, Zauner 2010)."""
    side = SMALL_SIDE
    grey = Image.fromarray(frame).convert("L").resize((side, side), Image.Resampling.LANCZOS)
    frequency, place = np.arange(_HASH_SIDE), np.arange(side)
    cosines = 2 * np.cos(np.pi * np.outer(frequency, 2 * place + 1) / (2 * side))
    low = cosines @ np.asarray(grey, np.float64) @ cosines.T
    return np.asarray(low > np.median(low)).ravel()


def reads_text() -> bool:
    """Whether text in the picture can be found here."""
    return importlib.util.find_spec("cv2") is not None


def _text_rows() -> Callable[[Frames], tuple[tuple[float, int], ...]] | None:
    if not reads_text():
        return None
    from ipvg_eval.audit.burned_text import text_rows

    return text_rows


def _stack(frames: Mapping[int, Frames], indices: tuple[int, ...]) -> Frames | None:
    found = [frames[i] for i in indices if i in frames]
    return np.stack(found) if found else None
