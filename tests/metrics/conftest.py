"""Real pictures in motion, weight sources, and vbench's own code run in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import moving_picture
import pytest
import torch
from weight_files import WeightFiles

from ipvg_eval.core.measurement import ClipInfo, Frames
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.weights import RandomWeights


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def panned() -> Callable[..., Frames]:
    """A window of (height, width) that moves over a photograph for `count` frames."""
    return moving_picture.panned


@pytest.fixture(scope="session")
def clip_info() -> Callable[..., ClipInfo]:
    return moving_picture.clip_info


@pytest.fixture(scope="session")
def measure() -> Callable[..., Any]:
    """One pass, `batch` frames per call (None: all at once), as if the `lost` frames could not be decoded."""
    return moving_picture.measure


@pytest.fixture(scope="session")
def write_mp4() -> Callable[..., Path]:
    return moving_picture.write_mp4


@pytest.fixture(scope="session")
def random_runtime() -> Callable[..., Runtime]:
    """Runtime with seeded random weights."""
    return lambda seed=0, **settings: Runtime(weights=RandomWeights(seed), **settings)


@pytest.fixture(scope="session")
def file_runtime() -> Callable[..., Runtime]:
    """Runtime with checkpoints on disk, by name."""
    return lambda **files: Runtime(weights=WeightFiles(**files))


@pytest.fixture(scope="session")
def run_vbench(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """A script's results: vbench's import changes process-wide settings, so it runs in its own process."""

    def run(script: Path, request: dict[str, Any], *arguments: str) -> Any:
        folder = tmp_path_factory.mktemp("published")
        asked = folder / "request.json"
        asked.write_text(json.dumps(request), encoding="utf-8")
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "VBENCH_CACHE_DIR": str(folder)}
        command = [sys.executable, str(script), *arguments, str(asked), str(folder)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads((folder / "results.json").read_text(encoding="utf-8"))

    return run
