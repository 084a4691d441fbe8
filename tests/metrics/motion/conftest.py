"""Real pictures in motion, weight files for networks, and vbench's own code run in a process of its own."""

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


def _write_pictures(folder: Path, frames: Frames) -> Path:
    import cv2

    folder.mkdir()
    for i, frame in enumerate(frames):
        cv2.imwrite(str(folder / f"{i:03}.png"), frame[..., ::-1])
    return folder


@pytest.fixture(scope="session")
def panned() -> Callable[..., Frames]:
    return maker.panned


@pytest.fixture(scope="session")
def clip_info() -> Callable[..., ClipInfo]:
    return maker.clip_info


@pytest.fixture(scope="session")
def measure() -> Callable[..., Any]:
    return maker.measure


@pytest.fixture(scope="session")
def write_mp4() -> Callable[..., Path]:
    return maker.write_mp4


@pytest.fixture(scope="session")
def write_pictures() -> Callable[..., Path]:
    return _write_pictures


@pytest.fixture(scope="session")
def random_runtime() -> Callable[..., Runtime]:
    """Runtime with seeded random weights."""
    return lambda seed=0, **settings: Runtime(weights=maker.RandomWeights(seed), **settings)


@pytest.fixture(scope="session")
def file_runtime() -> Callable[..., Runtime]:
    """Runtime with checkpoints on disk, by name."""
    return lambda **files: Runtime(weights=maker.WeightFiles(**files))


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
