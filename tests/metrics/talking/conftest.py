from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.talking.i3d import I3dEncoder
from ipvg_eval.metrics.talking.syncnet import SyncEncoder
from ipvg_eval.metrics.weights import RandomWeights


@pytest.fixture(scope="session")
def encoder() -> SyncEncoder:
    """SyncNet at full size with seeded weights."""
    return SyncEncoder(Runtime(weights=RandomWeights(0)))


@pytest.fixture(scope="session")
def moving() -> np.ndarray:
    """51 frames of 160 x 160 in which everything changes: (51, 160, 160, 3) uint8."""
    rows, columns = np.mgrid[:160, :160]
    frames = [128 + 100 * np.sin((rows + 2 * columns) / 9 + 0.5 * number) for number in range(51)]
    return np.repeat(np.rint(np.stack(frames)).astype(np.uint8)[..., None], 3, axis=-1)


@pytest.fixture(scope="session")
def seeded() -> ModuleType:
    """Weights and inputs that the published networks were given, too."""
    folder = str(Path(__file__).resolve().parents[2] / "golden" / "talking")
    sys.path.insert(0, folder)
    try:
        import seeded
    finally:
        sys.path.remove(folder)
    return seeded


@pytest.fixture(scope="session")
def i3d() -> I3dEncoder:
    """I3D at full size with seeded weights."""
    return I3dEncoder(Runtime(weights=RandomWeights(0)))
