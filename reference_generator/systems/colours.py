"""Colours of a video that goes on from frames of its own: each pass may drift a little."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ipvg_eval.reference_generator.video_file import Pictures

_MOST = 1.25
"""Contrast is changed by this factor at most: two frames say little of a scene that moves."""


def colours_matched(pictures: Pictures, remade: Pictures, known: Pictures) -> Pictures:
    """Pictures with the colours that their overlap should have.

    Per channel, mean and deviation of the remade overlap become those of the known one, and the same change
    is made to every picture.

    Args:
        pictures: (n, H, W, 3) RGB uint8, what is corrected.
        remade: (k, H, W, 3), the overlap as this pass made it.
        known: (k, H, W, 3), the overlap as the pass before made it.
    """
    now, wanted = _colours(remade), _colours(known)
    gain = np.clip(wanted[1] / np.maximum(now[1], 1e-3), 1 / _MOST, _MOST)
    corrected = (pictures.astype(np.float64) - now[0]) * gain + wanted[0]
    return corrected.round().clip(0, 255).astype(np.uint8)


def _colours(pictures: Pictures) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Mean and deviation of each channel."""
    values = pictures.astype(np.float64)
    return values.mean((0, 1, 2)), values.std((0, 1, 2))
