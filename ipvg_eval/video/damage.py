"""Keeping track of frames that do not decode, and of those that are predicted from them."""

from __future__ import annotations

from bisect import bisect_left, insort

from ipvg_eval.video.index import FrameIndex


class DamageLog:
    """What went wrong while one video was decoded.

    Decoders conceal damage: they paint over what they cannot read and go on, and every later frame up to
    the next key frame inherits the error. Such frames are counted as not decoded, because their pixels
    are not those of the video.
    """

    def __init__(self, index: FrameIndex) -> None:
        self._index = index
        self._broken: list[int] = []  # decoding positions, ascending
        self._frames: dict[int, str | None] = {}
        self._dependent: set[int] = set()
        self._remarks: list[str] = [index.damage] if index.damage else []
        for frame in sorted(index.incomplete):
            self.broken(frame, "its data are cut off")

    def broken(self, frame: int, reason: str | None) -> None:
        """A frame does not decode."""
        if frame not in self._frames:
            self._frames[frame] = reason
            insort(self._broken, self._index.decode_position[frame])

    def remark(self, text: str) -> None:
        """Something went wrong that is not about one frame."""
        if text not in self._remarks:
            self._remarks.append(text)

    def spoils(self, frame: int) -> bool:
        """True if the frame is broken or may be predicted from a broken one."""
        if frame in self._frames:
            return True
        first = bisect_left(self._broken, self._index.chain_start[frame])
        spoilt = first < len(self._broken) and self._broken[first] < self._index.decode_position[frame]
        if spoilt:
            self._dependent.add(frame)
        return spoilt

    @property
    def first_bad(self) -> int | None:
        """Index of the first frame that does not decode, or None."""
        return min([*self._frames, *self._dependent], default=None)

    @property
    def summary(self) -> str | None:
        """One sentence per kind of damage, or None."""
        parts = list(self._remarks)
        if self._frames:
            first = min(self._frames)
            reason = self._frames[first] or next(filter(None, self._frames.values()), None)
            times = self._index.clip.times
            text = (
                f"frames that do not decode: {len(self._frames)} of {len(times)}, first frame {first} at"
                f" {times[first]:.3f} s"
            )
            parts.append(f"{text} ({reason})" if reason else text)
        if self._dependent:
            count = len(self._dependent)
            parts.append(f"frames left out because they may be predicted from those: {count}")
        return "; ".join(parts) or None
