"""SyncNet's network and MFCC against the published package (syncnet.npz, see its maker)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.talking.mfcc import mfcc
from ipvg_eval.metrics.talking.sync_scores import mean_distances, sync_scores
from ipvg_eval.metrics.talking.syncnet import LipStream, SyncEncoder, SyncNet

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "talking"


@pytest.fixture(scope="module")
def golden():
    with np.load(GOLDEN / "syncnet.npz") as file:
        return dict(file)


def _lips(encoder, crops):
    stream = LipStream(encoder)
    for crop in crops:
        stream.add(crop)
    return stream.finish()


def test_mfcc_are_the_published_ones_to_the_last_bit(seeded, golden):
    assert np.array_equal(mfcc(seeded.sound()), golden["mfcc"])


def test_the_scale_of_the_samples_moves_the_energy_alone(seeded):
    rows = mfcc(seeded.sound())
    small = mfcc(seeded.sound() / 32768)  # as floats, which nobody should give
    assert small[:, 0] - rows[:, 0] == pytest.approx(-2 * np.log(32768), abs=1e-9)
    assert small[:, 1:] == pytest.approx(rows[:, 1:], abs=1e-9)
    assert -2 * np.log(32768) == pytest.approx(-20.79, abs=0.01)


@pytest.mark.parametrize("windows", [1, 2, 25])
def test_there_are_rows_enough_for_every_window(windows):
    samples = np.ones((windows + 5) * 640, np.int16)
    assert len(mfcc(samples)) >= 4 * (windows - 1) + 20


@pytest.mark.parametrize("count", [1, 399, 400, 401])
def test_short_sounds_have_a_row(count):
    rows = mfcc(np.arange(count).astype(np.int16))
    assert rows.shape == (1 if count <= 400 else 2, 13)
    assert np.isfinite(rows).all()


def test_embeddings_and_scores_are_the_published_ones(seeded, golden, tmp_path, file_runtime):
    network = SyncNet()
    with torch.no_grad():
        seeded.fill(network.state_dict())
    torch.save(network.state_dict(), tmp_path / "syncnet_v2.model")
    encoder = SyncEncoder(file_runtime(syncnet_v2=tmp_path / "syncnet_v2.model"))
    windows = seeded.FRAMES - 5
    lips = _lips(encoder, seeded.crops())[:windows]
    sounds = encoder.sounds(mfcc(seeded.sound()), windows)
    shown = golden["lips"].shape[1]
    # float32 through eight layers; the values are of the order of a thousand.
    assert lips[:, :shown] == pytest.approx(golden["lips"], abs=0.01)
    assert sounds[:, :shown] == pytest.approx(golden["sounds"], abs=0.001)
    means = mean_distances(lips, sounds)
    assert means == pytest.approx(golden["means"], rel=1e-6)
    scores = sync_scores(means, windows)
    offset, confidence, distance = golden["scores"]
    assert scores.offset == offset
    assert scores.distance == pytest.approx(distance, rel=1e-6)
    # A difference of two numbers near 16000, each good to a part in a million.
    assert scores.confidence == pytest.approx(confidence, abs=0.03)


def test_a_stack_gives_what_its_windows_give(encoder, seeded):
    crops = seeded.crops()[:9]
    alone = np.concatenate([encoder.lips(crops[first : first + 5]) for first in range(5)])
    # The same sums in another order.
    assert _lips(encoder, crops) == pytest.approx(alone, abs=1e-4 * float(np.abs(alone).max()))


def test_no_window_without_five_crops(encoder, seeded):
    assert _lips(encoder, seeded.crops()[:4]).shape == (0, 1024)


def test_a_file_that_is_another_network_is_refused(tmp_path, file_runtime):
    torch.save({"weight": torch.zeros(1)}, tmp_path / "syncnet_v2.model")
    with pytest.raises(WeightsMissing, match="not the checkpoint"):
        SyncEncoder(file_runtime(syncnet_v2=tmp_path / "syncnet_v2.model"))
    with pytest.raises(WeightsMissing):
        SyncEncoder(Runtime())
