"""Looks made from arrays, and small submissions written to disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import av
import numpy as np
import pytest

from ipvg_eval.audit.signals import VideoSignals


def look_of(**fields: object) -> VideoSignals:
    rng = np.random.default_rng(0)
    defaults = {
        "team": "a",
        "sample": "id001/prompt1",
        "video": "id001/prompt1.mp4",
        "duration": 3.0,
        "fps": 16.0,
        "small": rng.uniform(0, 255, (5, 32, 32)).astype(np.float32),
        "every": 1,
        "hashes": rng.random((5, 64)) < 0.5,
        "metadata": {},
    }
    return VideoSignals(**{**defaults, **fields})  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def look() -> Callable[..., VideoSignals]:
    """A look whose fields differ from plain ones as given."""
    return look_of


def write_frames(path: Path, frames: Iterable[np.ndarray], *, crf: int = 12) -> Path:
    """H.264 with key frames only, so that every frame is as it was given."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = None
        for frame in frames:
            if stream is None:
                options = {"crf": str(crf), "preset": "veryfast", "x264-params": "threads=1"}
                stream = container.add_stream("libx264", rate=16, options=options)
                stream.height, stream.width = frame.shape[:2]
                stream.pix_fmt = "yuv420p"
                stream.codec_context.gop_size = 1
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), "rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="session")
def frames_file() -> Callable[..., Path]:
    return write_frames
