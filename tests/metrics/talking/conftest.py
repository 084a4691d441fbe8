from __future__ import annotations

import numpy as np
import pytest

from ipvg_eval.metrics.runtime import Runtime
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
