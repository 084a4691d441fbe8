"""A video that is an array or a tensor, shown to evaluators as a decoded one is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ipvg_eval.core.errors import UsageError
from ipvg_eval.core.measurement import ClipInfo, Frames
from ipvg_eval.core.sound import Sounds
from ipvg_eval.decoding.messages import BATCH_BYTES
from ipvg_eval.scoring.checked_arrays import checked_frames, warn_of_bits
from ipvg_eval.video import Batch, frames_per_batch

if TYPE_CHECKING:
    import torch

DEFAULT_FPS = 25.0
"""Frames per second of frames that come without time stamps."""

_LARGEST_DENOMINATOR = 1001  # of the rates that films have: 24000/1001, 30000/1001


class FramesInMemory:
    """Frames that somebody holds; see `one_video.Video`.

    Those that are looked at are copied only where they must be: out of another device's memory, or where a
    pixel's three values do not lie together.

    Attributes:
        clip: what evaluators are told.
        codec: None.
        damage: None.
        note: None.
        sounds: None: frames make no sound.
    """

    codec: str | None = None
    damage: str | None = None
    note: str | None = None
    sounds: Sounds | None = None

    def __init__(
        self, frames: Any, *, fps: float | Fraction | None = None, times: Sequence[float] | None = None
    ) -> None:
        """Look at the frames' type, shape and range.

        Args:
            frames: RGB uint8, as an array (n, height, width, 3), a torch tensor (n, 3, height, width) on any
                device, or a list of pictures, each (height, width, 3) or Pillow's.
            fps: frames per second; by `times` where None, and 25 without them.
            times: when each frame is shown, in seconds from the first, (n,); evenly by `fps` where None.

        Raises:
            UsageError: it is anything else; the message says what it is and how it becomes what it should be.
        """
        checked = checked_frames(frames)
        warn_of_bits(checked)
        if not isinstance(checked, np.ndarray) and checked.device.type == "cpu":
            checked = checked.permute(0, 2, 3, 1).numpy()
        self._frames: npt.NDArray[np.uint8] | torch.Tensor = checked
        self._wanted: tuple[int, ...] = ()
        if isinstance(self._frames, np.ndarray):
            count, height, width, _ = self._frames.shape
        else:
            count, _, height, width = self._frames.shape
        self.clip = _clip(count, width, height, fps, times)

    def showing(self, wanted: Iterable[int]) -> FramesInMemory:
        """The same; these frames come when it is iterated over."""
        self._wanted = tuple(wanted)
        return self

    def __iter__(self) -> Iterator[Batch]:
        """The frames that are wanted, by the same numbers at a time as those of files."""
        size = frames_per_batch(self.clip, len(self._wanted), batch_bytes=BATCH_BYTES)
        frames = self._frames
        as_they_lie = isinstance(frames, np.ndarray) and frames.flags.c_contiguous and frames.flags.writeable
        for first in range(0, len(self._wanted), size):
            indices = self._wanted[first : first + size]
            if as_they_lie:  # those between them come along, which costs nothing and nobody looks at
                indices = tuple(range(indices[0], indices[-1] + 1))
                taken: Any = frames[indices[0] : indices[-1] + 1]
            else:
                taken = self._copied(list(indices))
            times = tuple(self.clip.times[index] for index in indices)
            yield Batch(indices=indices, times=times, frames=taken)

    def _copied(self, indices: list[int]) -> Frames:
        frames = self._frames
        if not isinstance(frames, np.ndarray):
            rows: Frames = frames[indices].permute(0, 2, 3, 1).contiguous().cpu().numpy()
            return rows
        planes = frames.transpose(0, 3, 1, 2)
        if not planes.flags.c_contiguous:
            return np.ascontiguousarray(frames[indices])
        import cv2

        copied = np.empty((len(indices), *frames.shape[1:]), np.uint8)
        for place, index in enumerate(indices):
            cv2.merge(list(planes[index]), copied[place])  # some twenty times as fast as NumPy and torch
        return copied


def _clip(
    count: int, width: int, height: int, fps: float | Fraction | None, times: Sequence[float] | None
) -> ClipInfo:
    if fps is not None and not (math.isfinite(fps) and fps > 0):
        raise UsageError(f"fps={fps} is no frame rate", hint="Give frames per second, such as 16.")
    if times is None:
        rate = Fraction(DEFAULT_FPS if fps is None else fps)
        near = rate.limit_denominator(_LARGEST_DENOMINATOR)
        if float(near) == float(rate):  # 29.97... is meant as 30000/1001, as containers say it
            rate = near
        shown = tuple(float(index / rate) for index in range(count))
        each = float(rate)
    else:
        shown = tuple(map(float, times))
        sound = len(shown) == count and shown[0] == 0 and all(map(math.isfinite, shown))
        if not sound or any(later < earlier for earlier, later in pairwise(shown)):
            raise UsageError(
                f"times do not fit {count} frames", hint="One per frame, in seconds, ascending, the first 0."
            )
        measured = (count - 1) / shown[-1] if shown[-1] > 0 else DEFAULT_FPS
        each = measured if fps is None else float(fps)
    duration = shown[-1] + 1 / each
    return ClipInfo(frame_count=count, width=width, height=height, fps=each, duration=duration, times=shown)
