"""Predicting a frame from its neighbours by dense optical flow, and measuring how far off that is."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from ipvg_eval.core.measurement import Frames

MIN_SIDE: Final = 32
"""Smaller pictures make OpenCV's flow read outside its pyramid."""

FAST_SHARE: Final = 0.05

Flow = npt.NDArray[np.float32]


def middle_flow(before: Frames, after: Frames) -> tuple[Flow, Flow]:
    """Where the pixels of the frame halfway between two frames come from.

    Dense inverse search (Kroeger et al. 2016), OpenCV DISOpticalFlow, preset fast, both ways on luma. It
    does not depend on the number of threads. The halfway flows are those of Jiang et al. (2018, Super
    SloMo, equation 4) at t = 1/2: a quarter of the difference of both flows, with opposite signs.

    Args:
        before: (height, width, 3) RGB uint8, both sides at least 32 pixels.
        after: the same shape, two frames later.

    Returns:
        The halfway frame's flow to `before` in pixels, (height, width, 2) float32, its negative being the
        flow to `after`; and the whole flow from `before` to `after`.

    Raises:
        ValueError: the frames are smaller, or differ in shape.
    """
    if before.shape != after.shape or min(before.shape[:2]) < MIN_SIDE:
        raise ValueError(f"no flow between frames of {before.shape} and {after.shape}")
    first, second = (cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (before, after))
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    # An array in place of None would be taken as the flow to start from.
    forward = np.asarray(dis.calc(first, second, None), dtype=np.float32)  # type: ignore[call-overload]
    backward = np.asarray(dis.calc(second, first, None), dtype=np.float32)  # type: ignore[call-overload]
    return (backward - forward) * np.float32(0.25), forward


def predict_middle(before: Frames, after: Frames, to_before: Flow) -> npt.NDArray[np.float32]:
    """The frame halfway between two frames: both moved there along the flow, and averaged.

    Args:
        before: (height, width, 3) RGB uint8.
        after: the same shape.
        to_before: the halfway frame's flow to `before`, (height, width, 2); see `middle_flow`.

    Returns:
        (height, width, 3) float32, 0 to 255, not rounded.
    """
    return (_moved(before, to_before) + _moved(after, -to_before)) * np.float32(0.5)


def residual(predicted: npt.NDArray[np.float32], true: Frames) -> float:
    """Mean absolute difference over pixels and channels, 0 to 255."""
    return float(np.mean(np.abs(predicted - true.astype(np.float32)), dtype=np.float64))


def smoothness(residuals: npt.NDArray[np.float64]) -> float:
    """One minus the root mean square of the residuals, of 255.

    VBench's motion smoothness takes the plain mean. With it, a video that repeats frames can score
    above the original, since its frozen frames are predicted perfectly; the square lets the jumps between
    them count more.

    Args:
        residuals: (n,) mean absolute differences, 0 to 255; n at least 1.

    Returns:
        0 to 1, higher is better.
    """
    return 1.0 - float(np.sqrt(np.mean(np.square(residuals), dtype=np.float64))) / 255.0


def fast_motion(flow: Flow) -> float:
    """Mean length of the longest 5 % of the vectors, in short sides of the picture.

    As in VBench's dynamic degree, which puts a threshold on it.

    Args:
        flow: (height, width, 2) in pixels.

    Returns:
        0 or more; 0 only if nothing moves.
    """
    lengths = np.hypot(flow[..., 0], flow[..., 1]).ravel()
    count = max(1, int(len(lengths) * FAST_SHARE))
    fastest = np.partition(lengths, len(lengths) - count)[-count:]
    return float(np.mean(fastest, dtype=np.float64) / min(flow.shape[:2]))


def _moved(frame: Frames, flow: Flow) -> npt.NDArray[np.float32]:
    height, width = flow.shape[:2]
    columns, rows = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    moved = cv2.remap(
        frame.astype(np.float32),
        columns + flow[..., 0],
        rows + flow[..., 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(moved, dtype=np.float32)
