"""FVD, its floor and FID: from clips and frames to the distances of a submission."""

from __future__ import annotations

import numpy as np
import pytest

from ipvg_eval.core.measurement import ClipInfo, FrameFeatures
from ipvg_eval.metrics.talking.corpus import FID, FVD, FVD_FLOOR
from ipvg_eval.metrics.talking.distributions import _ClipPass, _FramePass
from ipvg_eval.metrics.talking.frame_clock import shown_frames


def _features(rows, real):
    return FrameFeatures(
        indices=tuple(range(len(rows))),
        rows=rows.astype(np.float32),
        reference_rows=None if real is None else real.astype(np.float32),
    )


@pytest.fixture
def normal():
    return np.random.default_rng(0).normal(size=(60, 20)).astype(np.float32)


def _parts(rows, real):
    return [_features(rows[i::6], None if real is None else real[i::6]) for i in range(6)]


def test_the_same_is_no_distance_away(normal):
    found = FVD(_parts(normal, normal))
    assert found.value == pytest.approx(0, abs=1e-6)
    assert (found.samples, found.references) == (60, 60)


def test_a_shift_adds_its_square(normal):
    moved = normal + np.arange(20)
    assert FVD(_parts(moved, normal)).value == pytest.approx(np.square(np.arange(20)).sum(), rel=1e-5)


def test_twice_as_large_is_trace_and_mean_away(normal):
    rows = normal.astype(np.float64)
    expected = np.trace(np.cov(rows.T)) + np.square(rows.mean(0)).sum()
    assert FVD(_parts(2 * normal, normal)).value == pytest.approx(expected, rel=1e-5)


def test_few_clips_are_far_apart_though_nothing_is_wrong():
    """The published table of the bias: 16, 50 and 100 clips of one distribution of trace 1669."""
    rng, spread = np.random.default_rng(0), np.sqrt(1669 / 400)
    values = []
    for count in (16, 50, 100):
        rows, real = rng.normal(0, spread, (2, count, 400))
        values.append(FVD([_features(rows, real)]).value)
    assert values[0] > values[1] > values[2] > 500


def test_the_floor_is_the_distance_of_the_halves(normal):
    real = [normal[:20], normal[20:40] + 1, normal[40:]]
    found = FVD_FLOOR([_features(normal[:3], rows) for rows in real])
    halves = [_features(np.concatenate([real[0], real[2]]), real[1])]
    assert found.value == pytest.approx(FVD(halves).value)
    assert (found.samples, found.references) == (40, 20)


def test_what_is_missing_is_said(normal):
    assert FVD(_parts(normal, None)).reason == "there are no reference videos to compare with"
    assert FID([_features(normal[:1], normal)]).reason == "1 frames are too few: a covariance needs 2"
    assert FVD_FLOOR([_features(normal, normal)]).reason is not None
    assert FVD([]).value is None


def _run(one, frames, batch, lost=()):
    wanted = [index for index in range(len(frames)) if index not in lost]
    for first in range(0, len(wanted), batch):
        one.add(wanted[first : first + batch], frames[wanted[first : first + batch]])
    return one


def _clips(count, fps=25.0, length=16):
    shown = shown_frames([number / fps for number in range(count)], count / fps)
    return [shown[length * k : length * (k + 1)] for k in range(len(shown) // length)]


def test_clips_do_not_overlap_and_a_lost_frame_costs_its_clip(moving):
    encoded = []

    def encode(pixels):
        encoded.append(pixels)
        return pixels.mean(axis=(0, 1, 2))

    real = _run(_ClipPass(encode, _clips(51)), moving, 7)
    assert sorted(real.rows) == [0, 16, 32]
    assert [pixels.shape for pixels in encoded] == [(16, 224, 224, 3)] * 3
    assert np.array_equal(_run(_ClipPass(encode, _clips(51)), moving, 51).rows[16], real.rows[16])
    partly = _run(_ClipPass(encode, _clips(51)), moving, 7, lost=(20,))
    partly.compare(real)
    (found,) = partly.finish()
    assert (found.value, found.note) == (2.0, None)
    assert found.features.reference_rows.shape == (3, 3)
    real.compare("the test set has no reference video for this sample")
    (alone,) = real.finish()
    assert alone.features.reference_rows is None
    assert "no reference video" in alone.note


def test_a_full_size_network_takes_a_clip(i3d, moving):
    one = _run(_ClipPass(i3d.logits, _clips(16)), moving[:16], 16)
    assert one.finish()[0].value == 1.0
    assert one.rows[0].shape == (400,)


def test_a_video_without_a_whole_clip_has_none(moving):
    (found,) = _run(_ClipPass(lambda pixels: pixels[0, 0, 0], _clips(15)), moving[:15], 4).finish()
    assert (found.value, found.features) == (0.0, None)


def test_frames_go_through_one_by_one(moving):
    class Means:
        def features(self, frames):
            return frames.mean(axis=(1, 2)).astype(np.float32)

    one = _run(_FramePass(Means()), moving[:3], 2)
    one.compare(_run(_FramePass(Means()), moving[3:5], 1))
    (found,) = one.finish()
    assert found.value == 3.0
    assert found.features.rows.shape == (3, 3)
    assert found.features.reference_rows.shape == (2, 3)


def test_wanted_frames_are_those_of_whole_clips():
    clip = ClipInfo(
        frame_count=30,
        width=64,
        height=64,
        fps=25.0,
        duration=1.2,
        times=tuple(number / 25 for number in range(30)),
    )
    from ipvg_eval.metrics.talking.distributions import ClipFeatures, ClipOptions

    evaluator = object.__new__(ClipFeatures)
    evaluator._options = ClipOptions()
    assert list(evaluator.frames(clip)) == list(range(16))
