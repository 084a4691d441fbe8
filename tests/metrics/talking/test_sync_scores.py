"""Sync-C, Sync-D and the offset from embeddings, by closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ipvg_eval.metrics.talking.sync_scores import mean_distances, sync_scores


@pytest.fixture(scope="module")
def speech():
    """Embeddings of 120 moments, any two of them far apart."""
    return np.random.default_rng(0).normal(size=(120, 1024)).astype(np.float32)


def test_equal_embeddings_leave_what_the_epsilon_gives(speech):
    scores = sync_scores(mean_distances(speech, speech), 120)
    assert scores.distance == pytest.approx(np.sqrt(1024) * 1e-6)
    assert (scores.offset, scores.windows) == (0.0, 120)
    assert scores.confidence == scores.confidence_at_zero > 30


@pytest.mark.parametrize("late", [-15, -5, 1, 15])
def test_a_sound_that_is_late_by_k_frames_has_offset_minus_k(speech, late):
    lips, sounds = speech[30:90], speech[30 - late : 90 - late]
    scores = sync_scores(mean_distances(lips, sounds, padding="none"), 60)
    assert scores.offset == -late
    assert scores.distance == pytest.approx(np.sqrt(1024) * 1e-6)
    assert scores.confidence_at_zero < 1 < scores.confidence


def test_scaling_scales_both(speech):
    lips, sounds = speech[:60], speech[60:]
    one = sync_scores(mean_distances(lips, sounds), 60)
    two = sync_scores(mean_distances(1000 * lips, 1000 * sounds), 60)
    assert two.distance == pytest.approx(1000 * one.distance, rel=1e-6)
    assert two.confidence == pytest.approx(1000 * one.confidence, rel=1e-4)


def test_distances_are_torchs(speech):
    lips, sounds = torch.from_numpy(speech[:20]), torch.from_numpy(speech[20:40])
    padded = torch.nn.functional.pad(sounds, (0, 0, 15, 15))
    expected = [
        torch.nn.functional.pairwise_distance(lips, padded[shift : shift + 20]).mean() for shift in range(31)
    ]
    # float32 sums of 1024 squares: some units in the seventh place.
    assert mean_distances(lips.numpy(), sounds.numpy()) == pytest.approx(np.array(expected), rel=3e-6)


@pytest.mark.parametrize("count", [30, 60, 250])
def test_padding_makes_the_confidence_depend_on_the_length(count):
    same = np.ones((count, 1024), np.float32)
    none = sync_scores(mean_distances(same, same, padding="none"), count)
    assert none.confidence == pytest.approx(0, abs=1e-12)
    # At shift k a share of |k| / count meets zeros, at a distance of 32; half of all shifts are within 8.
    zero = sync_scores(mean_distances(same, same), count)
    assert zero.confidence == pytest.approx(8 / count * 32, rel=1e-4)


def test_fewer_windows_than_shifts(speech):
    means = mean_distances(speech[:3], speech[:3], padding="none")
    assert np.isnan(means).sum() == 31 - 5
    assert sync_scores(means, 3).offset == 0
