"""Similarities on the half-precision grid."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvg_eval.metrics.gme.score import mean_similarity, similarities


def embeddings(seed: int, count: int = 16, dimension: int = 1536):
    """A text embedding and frames near it, so that similarities fall into [0.5, 1)."""
    rng = np.random.default_rng(seed)
    text = rng.normal(size=dimension)
    frames = text + rng.normal(size=(count, dimension)) * 0.9
    frames /= np.linalg.norm(frames, axis=1, keepdims=True)
    return frames.astype(np.float32), (text / np.linalg.norm(text)).astype(np.float32)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_the_half_grid(seed):
    frames, text = embeddings(seed)
    for rounding in ("half", "half_mean"):
        values = similarities(frames, text, rounding)
        assert ((values >= 0.5) & (values < 1)).all()
        assert np.array_equal(values * 2048, np.rint(values * 2048))
    mean = mean_similarity(list(similarities(frames, text, "half_mean")), [1] * 16, "half_mean")
    assert mean * 2048 == int(mean * 2048)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_torchs_half_precision_agrees_to_one_step(seed):
    frames, text = embeddings(seed)
    rows, query = torch.from_numpy(frames).half(), torch.from_numpy(text).half()
    step = 2**-11
    tpige = (query[None] @ rows.T)[0].tolist()
    assert np.abs(similarities(frames, text, "half") - tpige).max() <= step
    opens2v = (query * rows).sum(-1)
    found = similarities(frames, text, "half_mean")
    assert np.abs(found - opens2v.double().numpy()).max() <= step
    assert abs(mean_similarity(list(found), [1] * 16, "half_mean") - opens2v.mean().item()) <= step


def test_full_precision_is_the_dot_product():
    frames = np.array([[1.0, 0.0], [0.6, 0.8], [-1.0, 0.0]], dtype=np.float32)
    text = np.array([1.0, 0.0], dtype=np.float32)
    np.testing.assert_allclose(similarities(frames, text, "full"), [1.0, 0.6, -1.0], atol=1e-7)
    # 0.6 in float16 is 1229 / 2048.
    assert similarities(frames, text, "half").tolist() == [1.0, 1229 / 2048, -1.0]


def test_means_by_hand():
    assert mean_similarity([0.5, 0.75], [1, 3], "half") == pytest.approx(0.6875)
    third = mean_similarity([0.5, 0.5, 0.6], [1, 1, 1], "half")
    assert third == pytest.approx(1.6 / 3)
    assert mean_similarity([0.5, 0.5, 0.6], [1, 1, 1], "half_mean") == 1092 / 2048  # 1092.27 steps
    assert mean_similarity([], [], "half") is None
