"""Clips, targets and weight sources for the tests of OpenS2V-Eval's metrics."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import skimage.data
from weight_files import WeightFiles

from ipvg_eval.core.measurement import ClipInfo
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.target import Reference, Target
from ipvg_eval.metrics.weights import RandomWeights


@pytest.fixture
def runtime():
    return Runtime(weights=RandomWeights(), batch_size=2)


@pytest.fixture
def with_files():
    """A runtime whose weights are files by name."""
    return lambda **files: Runtime(weights=WeightFiles(**files), batch_size=2)


@pytest.fixture
def target():
    return lambda sample="id001/prompt1": Target(
        sample_id=sample, references=(Reference(path=Path("unused.png")),), prompt="A man."
    )


@pytest.fixture
def clip():
    def make(frame_count: int, *, width: int = 160, height: int = 96) -> ClipInfo:
        times = tuple(i / 16 for i in range(frame_count))
        return ClipInfo(
            frame_count=frame_count,
            width=width,
            height=height,
            fps=16.0,
            duration=frame_count / 16,
            times=times,
        )

    return make


@pytest.fixture(scope="session")
def moving():
    """A window of 96 x 160 that moves over a photograph by (right, down) pixels per frame."""
    photograph = skimage.data.astronaut()

    def make(count: int, right: int, down: int, *, picture: np.ndarray = photograph) -> np.ndarray:
        corners = [(160 + i * down, 180 + i * right) for i in range(count)]
        return np.stack([picture[y : y + 96, x : x + 160] for y, x in corners])

    return make


@pytest.fixture(scope="session")
def run():
    """Measures frames with an evaluator: measurements by name."""

    def measure(evaluator, target, clip, frames, *, step=None, keep=None):
        wanted = [i for i in evaluator.frames(clip) if keep is None or i in keep]
        measuring = evaluator.start(target, clip)
        step = step or max(1, len(wanted))
        for begin in range(0, len(wanted), step):
            indices = wanted[begin : begin + step]
            measuring.add(indices, frames[indices])
        return {m.name: m for m in measuring.finish()}

    return measure
