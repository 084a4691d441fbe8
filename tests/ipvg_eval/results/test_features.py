"""Embeddings come back as they were kept."""

from __future__ import annotations

import numpy as np
import pytest

from ipvg_eval.core.measurement import FrameFeatures
from ipvg_eval.errors import RunError
from ipvg_eval.results.features import read_features, write_features


def _features(reference):
    rows = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32)
    return FrameFeatures(indices=(0, 4, 9), rows=rows, reference=rows[0] if reference else None)


def test_they_come_back(tmp_path):
    kept = {"arc_score": _features(True), "clip.score": _features(False)}
    write_features(tmp_path / "a.npz", kept)
    back = read_features(tmp_path / "a.npz")
    assert list(back) == list(kept)
    for name, features in kept.items():
        assert back[name].indices == features.indices
        assert np.array_equal(back[name].rows, features.rows)
    assert np.array_equal(back["arc_score"].reference, kept["arc_score"].reference)
    assert back["clip.score"].reference is None


def test_equal_features_give_equal_bytes(tmp_path):
    for name in "ab":
        write_features(tmp_path / f"{name}.npz", {"x": _features(True)})
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_no_features_leave_no_file(tmp_path):
    write_features(tmp_path / "a.npz", {})
    assert list(tmp_path.iterdir()) == []
    assert read_features(tmp_path / "a.npz") == {}


def test_embeddings_of_a_video_that_was_replaced_are_gone(tmp_path):
    write_features(tmp_path / "a.npz", {"x": _features(True)})
    write_features(tmp_path / "a.npz", {})
    assert read_features(tmp_path / "a.npz") == {}


@pytest.mark.parametrize("content", [b"", b"PK", b"not an archive"])
def test_a_damaged_file_is_a_clear_error(tmp_path, content):
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(RunError, match=r"a\.npz"):
        read_features(tmp_path / "a.npz")
