"""A small GME-shaped snapshot, loaded by the same code as the published ones."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from weight_files import WeightFiles

from ipvg_eval.core.measurement import ClipInfo
from ipvg_eval.metrics.gme.checkpoint import load_model
from ipvg_eval.metrics.gme.tokens import GmeTokenizer
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.target import Reference, Target

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "gme"


@pytest.fixture(scope="session")
def small() -> ModuleType:
    """The maker of the small snapshot, which is also the golden arrays' maker's."""
    spec = importlib.util.spec_from_file_location("small_snapshot", GOLDEN / "small_snapshot.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def snapshot(small, tmp_path_factory) -> Path:
    return small.write(tmp_path_factory.mktemp("gme"))


@pytest.fixture(scope="session")
def golden():
    """Embeddings by the published wrapper on transformers 4.51.3; made by make.py beside the file."""
    with np.load(GOLDEN / "golden.npz") as arrays:
        return dict(arrays)


@pytest.fixture(scope="session")
def network(snapshot):
    return load_model(snapshot, dtype=torch.float32)


@pytest.fixture(scope="session")
def tokenizer(snapshot):
    return GmeTokenizer.load(snapshot)


@pytest.fixture
def runtime(snapshot):
    return Runtime(weights=WeightFiles(snapshot))


@pytest.fixture
def target():
    def make(prompt: str) -> Target:
        return Target(sample_id="s", references=(Reference(path=Path("unused.png")),), prompt=prompt)

    return make


@pytest.fixture
def clip():
    def make(frame_count: int) -> ClipInfo:
        times = tuple(i / 16 for i in range(frame_count))
        return ClipInfo(
            frame_count=frame_count, width=256, height=160, fps=16.0, duration=frame_count / 16, times=times
        )

    return make
