"""The arithmetic of one video, on painted squares whose scores can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ipvg_eval.core.measurement import Frames
from ipvg_eval.metrics.faces import face_similarity_specs
from ipvg_eval.metrics.faces.alignment import template
from ipvg_eval.metrics.faces.arcface import WEIGHTS as ARC
from ipvg_eval.metrics.faces.curricularface import WEIGHTS as CUR
from ipvg_eval.metrics.faces.detection import Face
from ipvg_eval.metrics.faces.face_similarity_pass import FacePass, ReferenceFace, crop_batches
from ipvg_eval.metrics.faces.face_similarity_scores import ScoreRules, squared_distances
from ipvg_eval.metrics.faces.inception import FID_WEIGHTS, IMAGENET_WEIGHTS

RED, GREEN, BLUE, BLACK = (200, 0, 0), (0, 200, 0), (0, 0, 200), (0, 0, 0)
SIDE = 128


class SquareDetector:
    """Finds one face, as large as the frame, in every frame that is not black in the middle."""

    def detect(self, frames: Frames) -> list[tuple[Face, ...]]:
        return [self._detect_one(frame) for frame in frames]

    def _detect_one(self, frame: Frames) -> tuple[Face, ...]:
        height, width = frame.shape[:2]
        if not frame[height // 2, width // 2].any():
            return ()
        points = template(112) * (min(height, width) / 112)
        box = np.array([0, 0, width, height], dtype=np.float64)
        return (Face(box=box, score=0.9, points=points),)


def _signed_colour(crops: Frames) -> np.ndarray:
    """Red minus green, and blue, of the middle pixel: red and green are opposite, blue is orthogonal."""
    side = crops.shape[1]
    middle = crops[:, side // 2, side // 2].astype(np.float32) / 200
    return np.stack([middle[:, 0] - middle[:, 1], middle[:, 2]], axis=1)


def _colour(crops: Frames) -> np.ndarray:
    side = crops.shape[1]
    return crops[:, side // 2, side // 2].astype(np.float32) / 100


ENCODERS = {CUR: _signed_colour, ARC: _signed_colour, IMAGENET_WEIGHTS: _colour, FID_WEIGHTS: _colour}


def _frame(colour) -> Frames:
    return np.full((SIDE, SIDE, 3), colour, dtype=np.uint8)


def _reference(colour=RED) -> ReferenceFace:
    rows = {name: encode(_frame(colour)[None])[0] for name, encode in ENCODERS.items()}
    return ReferenceFace(rows=rows, reason=None)


def _measure(colours, *, reference=None, repeats=None, grouping=(1,), encoders=ENCODERS, **rules):
    defaults = {
        "no_face_is_zero": False,
        "drop_cur_zeros": False,
        "clamp": True,
    }
    repeats = dict.fromkeys(range(len(colours)), 1) if repeats is None else repeats
    run = FacePass(
        specs=face_similarity_specs.ALL,
        rules=ScoreRules(repeats=repeats, **{**defaults, **rules}),
        retry="padded",
        detector=SquareDetector(),
        tickets={name: crop_batches(encode, 2).ticket() for name, encode in encoders.items()},
        reference=reference or _reference(),
    )
    start, sizes = 0, list(grouping)
    frames = [_frame(colour) for colour in colours]
    while start < len(frames):
        size = sizes.pop(0) if len(sizes) > 1 else sizes[0]
        run.add(range(start, start + size)[: len(frames) - start], np.stack(frames[start : start + size]))
        start += size
    return {measurement.name: measurement for measurement in run.finish()}


def test_scores_of_four_colours_and_a_missing_face():
    # cosines with red: 1, -1 (counted 0), 0 and none; colours differ from red in two channels by 2 each.
    found = _measure([RED, GREEN, BLUE, BLACK])
    assert found["cur_score"].value == pytest.approx((1 + 0 + 0) / 3)
    assert found["arc_score"].value == found["cur_score"].value
    assert found["cur_score_all_frames"].value == pytest.approx(1 / 4)
    assert found["arc_score_all_frames"].value == pytest.approx(1 / 4)
    assert found["face_feature_distance"].value == pytest.approx((0 + 8 + 8) / 3)
    assert found["face_coverage"].value == pytest.approx(3 / 4)
    assert found["face_fid_samples"].value == 3
    assert found["cur_score"].per_frame.values == (1.0, 0.0, 0.0, None)
    assert found["face_coverage"].per_frame.values == (1.0, 1.0, 1.0, 0.0)
    whole = (0.0, 0.0, 1.0, 1.0)
    assert found["face_coverage"].per_frame.boxes == (whole, whole, whole, None)
    assert found["cur_score"].per_frame.boxes == ()
    kept = found["face_fid_samples"].features
    assert kept.indices == (0, 1, 2)
    np.testing.assert_array_equal(kept.rows, np.array([RED, GREEN, BLUE], dtype=np.float32) / 100)
    np.testing.assert_array_equal(kept.reference, np.array(RED, dtype=np.float32) / 100)
    assert found["cur_score"].features.rows.shape == (3, 2)
    assert all(measurement.note is None for measurement in found.values())


def test_without_clamping_opposite_faces_count_as_minus_one():
    found = _measure([RED, GREEN, BLUE], clamp=False)
    assert found["cur_score"].value == pytest.approx((1 - 1 + 0) / 3)


def test_the_score_of_a_video_equal_to_its_reference_is_one():
    found = _measure([RED, RED])
    assert found["cur_score"].value == pytest.approx(1.0)
    assert found["face_feature_distance"].value == 0.0


def test_opens2v_drops_cur_zeros_and_keeps_arc_zeros():
    found = _measure([RED, GREEN, RED, BLACK], drop_cur_zeros=True)
    assert found["cur_score"].value == pytest.approx(1.0)
    assert "1 frames of similarity 0" in found["cur_score"].note
    assert found["arc_score"].value == pytest.approx(2 / 3)
    assert found["arc_score"].note is None
    assert found["cur_score_all_frames"].value == pytest.approx(2 / 4)


def test_when_every_cur_score_is_dropped_the_score_is_missing_or_zero():
    missing = _measure([GREEN, GREEN], drop_cur_zeros=True)["cur_score"]
    assert missing.value is None
    assert "left out" in missing.reason
    zero = _measure([GREEN, GREEN], drop_cur_zeros=True, no_face_is_zero=True)["cur_score"]
    assert zero.value == 0.0
    assert "as published" in zero.note


def test_a_video_without_faces_is_missing_with_the_reason_or_zero_with_a_flag():
    names = ("cur_score", "arc_score", "face_feature_distance")
    missing = _measure([BLACK] * 3)
    zero = _measure([BLACK] * 3, no_face_is_zero=True)
    for name in names:
        assert missing[name].value is None
        assert missing[name].reason == "no face in any of 3 frames"
        assert zero[name].value == 0.0
        assert "no face in any of 3 frames" in zero[name].note
    for found in (missing, zero):
        assert found["face_coverage"].value == 0.0
        assert found["cur_score_all_frames"].value == 0.0
        assert found["face_fid_samples"].value == 0.0


def test_a_reference_without_a_face_leaves_what_needs_none():
    absent = ReferenceFace(rows=None, reason="no face in the reference picture")
    found = _measure([RED, BLACK], reference=absent, no_face_is_zero=True)
    for name in ("cur_score", "arc_score", "face_feature_distance", "cur_score_all_frames"):
        assert found[name].value is None
        assert found[name].reason == "no face in the reference picture"
    assert found["face_coverage"].value == 0.5
    assert found["face_fid_samples"].value == 1.0
    assert found["face_fid_samples"].features.reference is None


def test_frames_named_twice_count_twice():
    found = _measure([RED, BLUE, BLACK], repeats={0: 3, 1: 1, 2: 1})
    assert found["cur_score"].value == pytest.approx(3 / 4)
    assert found["cur_score_all_frames"].value == pytest.approx(3 / 5)
    assert found["face_coverage"].value == pytest.approx(4 / 5)


def test_frames_that_never_came_are_said():
    found = _measure([RED, RED], repeats=dict.fromkeys(range(5), 1))
    assert found["cur_score"].value == pytest.approx(1.0)
    for name in ("cur_score", "face_coverage", "face_fid_samples"):
        assert found[name].note == "3 of 5 frames could not be read"
    nothing = _measure([], repeats={0: 1})
    assert {measurement.reason for measurement in nothing.values()} == {"no frame could be read"}


@pytest.mark.parametrize("grouping", [(2,), (5,), (1, 3, 1), (4, 1)])
def test_any_grouping_gives_the_same_batches(grouping):
    colours = [RED, BLACK, GREEN, BLUE, RED]
    seen: list[int] = []

    def counting(crops: Frames) -> np.ndarray:
        seen.append(len(crops))
        return _signed_colour(crops)

    found = _measure(colours, grouping=grouping, encoders={**ENCODERS, CUR: counting})
    assert seen == [2, 2]
    assert found["cur_score"].per_frame == _measure(colours)["cur_score"].per_frame


def test_an_embedding_that_overflowed_is_missing_not_a_number():
    def broken(crops: Frames) -> np.ndarray:
        return np.full((len(crops), 2), np.inf, dtype=np.float32)

    found = _measure([RED], encoders=dict.fromkeys(ENCODERS, broken))
    for name in ("cur_score", "face_feature_distance", "face_fid_samples"):
        assert found[name].value is None
        assert "finite" in found[name].reason
    assert found["face_coverage"].value == 1.0


def test_the_published_frame_fid_is_the_squared_distance():
    """One vector repeated on either side: covariances, their product and its root vanish exactly."""
    generator = torch.Generator().manual_seed(0)
    reference, frame = torch.rand(2, 256, generator=generator)
    one, other = reference.repeat(2, 1), frame.repeat(2, 1)
    covariance1, covariance2 = torch.cov(one.T), torch.cov(other.T)
    values, vectors = torch.linalg.eigh(covariance1 @ covariance2)
    root = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    difference = one.mean(0) - other.mean(0)
    published = difference @ difference + torch.trace(covariance1 + covariance2 - 2 * root)
    assert not covariance1.any()
    assert not covariance2.any()
    ours = squared_distances(frame.numpy()[None], reference.numpy())[0]
    assert ours == pytest.approx(float(published), rel=1e-6)
