"""A photograph in motion, one measuring pass over it, and weights for networks under test."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import skimage.data

from ipvg_eval.core.measurement import ClipInfo, Frames
from ipvg_eval.metrics.target import Reference, Target


def panned(height: int, width: int, count: int, *, step: tuple[int, int] = (2, 3)) -> Frames:
    """A window that moves over a photograph by `step` (rows, columns) a frame."""
    picture = np.tile(skimage.data.astronaut(), (2, 3, 1))
    down, right = step
    return np.stack(
        [picture[i * down : i * down + height, i * right : i * right + width] for i in range(count)]
    )


def clip_info(frames: Frames, fps: float = 16.0) -> ClipInfo:
    """What evaluators are told of these frames."""
    count, height, width, _ = frames.shape
    return ClipInfo(
        frame_count=count,
        width=width,
        height=height,
        fps=fps,
        duration=count / fps,
        times=tuple(i / fps for i in range(count)),
    )


def measure(
    evaluator: Any,
    frames: Frames,
    *,
    batch: int | None = None,
    lost: tuple[int, ...] = (),
    fps: float = 16.0,
) -> Any:
    """One pass, `batch` frames per call (None: all at once), as if the `lost` frames could not be decoded."""
    target = Target(sample_id="s", references=(Reference(path=Path("face.png")),), prompt="a person walks")
    clip = clip_info(frames, fps)
    a_pass = evaluator.start(target, clip)
    indices = [i for i in evaluator.frames(clip) if i not in lost]
    for at in range(0, len(indices), batch or max(1, len(indices))):
        chosen = indices[at : at + (batch or len(indices))]
        buffer = frames[chosen]
        a_pass.add(chosen, buffer)
        buffer[:] = 77  # frames are only valid during the call
    return a_pass.finish()


def write_mp4(path: Path, frames: Frames, fps: int = 16) -> Path:
    """Write H.264 in MP4, 4:2:0."""
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(fps))
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), "rgb24")))
        container.mux(stream.encode())
    return path
