"""How a stored picture must be turned to stand upright."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, kw_only=True)
class Orientation:
    """One of the eight ways to lay a picture down: transpose first, then the flips.

    Attributes:
        transpose: rows become columns.
        flip_x: mirror left and right, after the transposition.
        flip_y: mirror top and bottom, after the transposition.
    """

    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False

    @property
    def mirrored(self) -> bool:
        """True if the picture is a mirror image, so that no rotation alone sets it right."""
        return self.transpose ^ self.flip_x ^ self.flip_y

    @property
    def rotation(self) -> int:
        """Clockwise degrees by which the stored picture is turned, after the mirror if `mirrored`."""
        if self.mirrored:
            # Mirroring the stored picture reverses its columns: x of an upright one, y of a transposed one.
            flips = (self.flip_x, not self.flip_y) if self.transpose else (not self.flip_x, self.flip_y)
        else:
            flips = (self.flip_x, self.flip_y)
        if self.transpose:
            return 90 if flips == (True, False) else 270
        return 180 if flips == (True, True) else 0

    def apply(self, picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """A view of (height, width, 3) pixels, upright."""
        if self.transpose:
            picture = picture.transpose(1, 0, 2)
        return picture[:: -1 if self.flip_y else 1, :: -1 if self.flip_x else 1]


def orientation_of(frame: Any) -> Orientation:
    """The orientation a decoded frame's display matrix asks for.

    The matrix maps stored (x, y), y down, to shown (a x + c y, b x + d y). Angles between the right angles
    go to the nearest one.
    """
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return Orientation()
    a, b, _, c, d = np.frombuffer(bytes(data), dtype=np.int32)[:5].astype(np.int64)
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Orientation(flip_x=bool(a < 0), flip_y=bool(d < 0))
    return Orientation(transpose=True, flip_x=bool(c < 0), flip_y=bool(b < 0))
