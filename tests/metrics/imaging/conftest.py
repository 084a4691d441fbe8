"""Real pictures in motion, weight sources, and vbench's own loop run in a process of its own."""

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
    def __init__(self, seed: int) -> None:
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


def _panned(height: int, width: int, count: int) -> Frames:
    picture = np.tile(skimage.data.astronaut(), (2, 3, 1))
    return np.stack([picture[i * 2 : i * 2 + height, i * 3 : i * 3 + width] for i in range(count)])


def _clip_info(frames: Frames) -> ClipInfo:
    count, height, width, _ = frames.shape
    return ClipInfo(
        frame_count=count,
        width=width,
        height=height,
        fps=16.0,
        duration=count / 16,
        times=tuple(i / 16 for i in range(count)),
    )


def _measure(evaluator: Any, frames: Frames, *, batch: int | None = None, lost: tuple[int, ...] = ()) -> Any:
    target = Target(sample_id="s", references=(Reference(path=Path("face.png")),), prompt="a person walks")
    clip = _clip_info(frames)
    a_pass = evaluator.start(target, clip)
    indices = [i for i in evaluator.frames(clip) if i not in lost]
    for at in range(0, len(indices), batch or max(1, len(indices))):
        chosen = indices[at : at + (batch or len(indices))]
        buffer = frames[chosen]
        a_pass.add(chosen, buffer)
        buffer[:] = 77  # frames are only valid during the call
    return a_pass.finish()


def _write_mp4(path: Path, frames: Frames) -> Path:
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(16))
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), "rgb24")))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="session")
def panned() -> Callable[..., Frames]:
    """A window of (height, width) that moves over a photograph for `count` frames."""
    return _panned


@pytest.fixture(scope="session")
def clip_info() -> Callable[..., ClipInfo]:
    return _clip_info


@pytest.fixture(scope="session")
def measure() -> Callable[..., Any]:
    """One pass, `batch` frames per call (None: all at once), as if the `lost` frames could not be decoded."""
    return _measure


@pytest.fixture(scope="session")
def write_mp4() -> Callable[..., Path]:
    return _write_mp4


@pytest.fixture(scope="session")
def random_runtime() -> Callable[..., Runtime]:
    """Runtime with seeded random weights."""
    return lambda seed=0, **settings: Runtime(weights=_RandomWeights(seed), **settings)


@pytest.fixture(scope="session")
def file_runtime() -> Callable[..., Runtime]:
    """Runtime with checkpoints on disk, by name."""
    return lambda **files: Runtime(weights=_WeightFiles(**files))


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, dict[str, Any]]]:
    """vbench's scores of videos by resize mode, and their frames as it decoded them."""

    def run(checkpoint: Path, videos: dict[Path, list[str]]) -> dict[str, dict[str, Any]]:
        folder = tmp_path_factory.mktemp("published")
        request = folder / "request.json"
        wanted = {
            "checkpoint": str(checkpoint),
            "videos": [str(video) for video in videos],
            "modes": list(videos.values()),
        }
        request.write_text(json.dumps(wanted), encoding="utf-8")
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "VBENCH_CACHE_DIR": str(folder)}
        command = [sys.executable, str(PUBLISHED), str(request), str(folder)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        results: dict[str, dict[str, Any]] = json.loads((folder / "results.json").read_text(encoding="utf-8"))
        return results

    return run
