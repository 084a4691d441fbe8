"""Real pictures in motion, weight sources, and vbench's own loop run in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import moving_picture as maker
import pytest
import torch

from ipvg_eval.core.measurement import ClipInfo, Frames
from ipvg_eval.metrics.runtime import Runtime

PUBLISHED = Path(__file__).parent / "published_vbench.py"


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def panned() -> Callable[..., Frames]:
    """A window of (height, width) that moves over a photograph for `count` frames."""
    return maker.panned


@pytest.fixture(scope="session")
def clip_info() -> Callable[..., ClipInfo]:
    return maker.clip_info


@pytest.fixture(scope="session")
def measure() -> Callable[..., Any]:
    """One pass, `batch` frames per call (None: all at once), as if the `lost` frames could not be decoded."""
    return maker.measure


@pytest.fixture(scope="session")
def write_mp4() -> Callable[..., Path]:
    return maker.write_mp4


@pytest.fixture(scope="session")
def random_runtime() -> Callable[..., Runtime]:
    """Runtime with seeded random weights."""
    return lambda seed=0, **settings: Runtime(weights=maker.RandomWeights(seed), **settings)


@pytest.fixture(scope="session")
def file_runtime() -> Callable[..., Runtime]:
    """Runtime with checkpoints on disk, by name."""
    return lambda **files: Runtime(weights=maker.WeightFiles(**files))


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
