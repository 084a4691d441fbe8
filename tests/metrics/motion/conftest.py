"""Real pictures in motion, weight files for networks, and vbench's own code run in a process of its own."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import skimage.data
import torch

from metrics.evaluator import ClipInfo, Frames
from metrics.runtime import Runtime
from metrics.target import Reference, Target

PUBLISHED = Path(__file__).parent / "published_vbench.py"


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class _RandomWeights:
    def __init__(self, seed: int = 0) -> None:
        self.random_seed: int | None = seed

    def path(self, name: str) -> Path:
        raise AssertionError(f"random weights have no file for {name}")

    def sha256(self, _name: str) -> str:
        return f"random:{self.random_seed}"


class _WeightFiles:
    random_seed: int | None = None

    def __init__(self, **files: Path) -> None:
        self._files = files

    def path(self, name: str) -> Path:
        return self._files[name]

    def sha256(self, name: str) -> str:
        return hashlib.sha256(self._files[name].read_bytes()).hexdigest()


def _panned(height: int, width: int, count: int, *, step: tuple[int, int] = (2, 3)) -> Frames:
    """A window that moves over a photograph by `step` (rows, columns) a frame."""
    picture = skimage.data.astronaut()
    down, right = step
    return np.stack(
        [picture[i * down : i * down + height, i * right : i * right + width] for i in range(count)]
    )


def _clip_info(frames: Frames, fps: float = 16.0) -> ClipInfo:
    count, height, width, _ = frames.shape
    return ClipInfo(
        frame_count=count,
        width=width,
        height=height,
        fps=fps,
        duration=count / fps,
        times=tuple(i / fps for i in range(count)),
    )


def _measure(
    evaluator: Any,
    frames: Frames,
    *,
    batch: int | None = None,
    lost: tuple[int, ...] = (),
    fps: float = 16.0,
) -> Any:
    """One pass, `batch` frames per call (None: all at once), as if the `lost` frames could not be decoded."""
    target = Target(sample_id="s", references=(Reference(path=Path("face.png")),), prompt="a person walks")
    clip = _clip_info(frames, fps)
    a_pass = evaluator.start(target, clip)
    indices = [i for i in evaluator.frames(clip) if i not in lost]
    for at in range(0, len(indices), batch or max(1, len(indices))):
        chosen = indices[at : at + (batch or len(indices))]
        buffer = frames[chosen]
        a_pass.add(chosen, buffer)
        buffer[:] = 77  # frames are only valid during the call
    return a_pass.finish()


def _write_mp4(path: Path, frames: Frames, fps: int = 16) -> Path:
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(fps))
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), "rgb24")))
        container.mux(stream.encode())
    return path


def _write_pictures(folder: Path, frames: Frames) -> Path:
    import cv2

    folder.mkdir()
    for i, frame in enumerate(frames):
        cv2.imwrite(str(folder / f"{i:03}.png"), frame[..., ::-1])
    return folder


@pytest.fixture(scope="session")
def panned() -> Callable[..., Frames]:
    return _panned


@pytest.fixture(scope="session")
def clip_info() -> Callable[..., ClipInfo]:
    return _clip_info


@pytest.fixture(scope="session")
def measure() -> Callable[..., Any]:
    return _measure


@pytest.fixture(scope="session")
def write_mp4() -> Callable[..., Path]:
    return _write_mp4


@pytest.fixture(scope="session")
def write_pictures() -> Callable[..., Path]:
    return _write_pictures


@pytest.fixture(scope="session")
def random_runtime() -> Callable[..., Runtime]:
    """Runtime with seeded random weights."""
    return lambda seed=0, **settings: Runtime(weights=_RandomWeights(seed), **settings)


@pytest.fixture(scope="session")
def file_runtime() -> Callable[..., Runtime]:
    """Runtime with checkpoints on disk, by name."""
    return lambda **files: Runtime(weights=_WeightFiles(**files))


Job = dict[str, Any]


@pytest.fixture(scope="session")
def published(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str, Path, list[Job]], list[dict[str, Any]]]:
    """Run vbench on jobs: its import changes process-wide settings, so it gets its own process."""

    def run(dimension: str, checkpoint: Path, jobs: list[Job]) -> list[dict[str, Any]]:
        folder = tmp_path_factory.mktemp("published")
        request = folder / "request.json"
        request.write_text(json.dumps({"checkpoint": str(checkpoint), "jobs": jobs}), encoding="utf-8")
        command = [sys.executable, str(PUBLISHED), dimension, str(request), str(folder)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "VBENCH_CACHE_DIR": str(folder)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        results: list[dict[str, Any]] = json.loads((folder / "results.json").read_text(encoding="utf-8"))
        return results

    return run
