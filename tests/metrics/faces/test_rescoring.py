"""Recombined scores equal measured ones, whatever the rules before and after."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvg_eval.core.measurement import FrameFeatures, Measurement
from ipvg_eval.metrics.batches import Batches
from ipvg_eval.metrics.faces import face_similarity_specs
from ipvg_eval.metrics.faces.arcface import WEIGHTS as ARC
from ipvg_eval.metrics.faces.curricularface import WEIGHTS as CUR
from ipvg_eval.metrics.faces.face_similarity import FaceSimilarity, FaceSimilarityOptions
from ipvg_eval.metrics.faces.face_similarity_pass import FacePass, ReferenceFace
from ipvg_eval.metrics.faces.face_similarity_scores import ScoreRules
from ipvg_eval.metrics.faces.inception import FID_WEIGHTS, IMAGENET_WEIGHTS
from ipvg_eval.metrics.rescoring import Kept, can_rescore
from ipvg_eval.metrics.sampling import schedule

NAMES = [spec.name for spec in face_similarity_specs.ALL]
NETWORKS = (CUR, ARC, IMAGENET_WEIGHTS, FID_WEIGHTS)


def measured(faces, reference, options: FaceSimilarityOptions, lost: int) -> list[Measurement]:
    """A pass whose networks were made to see these embeddings: None for a frame without a face."""
    repeats = schedule("linspace_repeat", len(faces) + lost, options.frames)
    seen = FacePass(
        specs=face_similarity_specs.ALL,
        rules=ScoreRules(
            repeats=repeats,
            no_face_is_zero=options.no_face == "zero",
            drop_cur_zeros=options.zero_frames == "drop_cur",
            clamp=options.clamp,
        ),
        retry="none",
        detector=None,
        tickets={name: Batches(np.stack, 2).ticket() for name in NETWORKS},
        reference=reference,
    )
    for index in repeats:
        if index < len(faces):
            seen._looked_at.append(index)
            if faces[index] is not None:
                for ticket in seen._tickets.values():
                    ticket.add(index, np.array(faces[index], dtype=np.float32))
    return seen.finish()


embedding = st.tuples(*[st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0, np.inf])] * 2)
options_of = st.builds(
    FaceSimilarityOptions,
    frames=st.just(6),
    no_face=st.sampled_from(["missing", "zero"]),
    zero_frames=st.sampled_from(["keep", "drop_cur"]),
    clamp=st.booleans(),
)


@settings(deadline=None, max_examples=200)
@given(
    faces=st.lists(st.none() | embedding, max_size=8),
    reference=st.none() | embedding,
    before=options_of,
    after=options_of,
    lost=st.integers(0, 3),
)
def test_rescoring_equals_measuring(faces, reference, before, after, lost):
    whole = ReferenceFace(rows=None, reason="no face in the reference picture")
    if reference is not None:
        row = np.array(reference, dtype=np.float32)
        whole = ReferenceFace(rows=dict.fromkeys(NETWORKS, row), reason=None)
    earlier = {m.name: m for m in measured(faces, whole, before, lost)}
    kept = Kept(frame_count=len(faces) + lost, measurements=earlier)
    for direct in measured(faces, whole, after, lost):
        assert FaceSimilarity.cannot_rescore(direct.name, after, before, NAMES) is None
        _assert_same(FaceSimilarity.rescore(direct.name, after, before, kept), direct)


def _assert_same(one: Measurement, other: Measurement) -> None:
    for field in ("name", "value", "reason", "note", "per_frame"):
        assert getattr(one, field) == getattr(other, field), (one.name, field)
    assert (one.features is None) == (other.features is None), one.name
    if one.features is not None and other.features is not None:
        _assert_same_features(one.features, other.features)


def _assert_same_features(one: FrameFeatures, other: FrameFeatures) -> None:
    assert one.indices == other.indices
    np.testing.assert_array_equal(one.rows, other.rows)
    np.testing.assert_array_equal(one.reference, other.reference)


def test_other_pixels_cannot_be_recombined():
    assert can_rescore(FaceSimilarity)
    for changed in (
        {"frames": 32},
        {"short_clips": "once"},
        {"retry": "none"},
        {"reference": "first_person"},
        {"reference_pixels": "as_seen"},
    ):
        ((field, value),) = changed.items()
        other = FaceSimilarityOptions(**changed)
        why = FaceSimilarity.cannot_rescore("cur_score", FaceSimilarityOptions(), other, NAMES)
        assert why.startswith(f"{field} {value!r} in the run, ")


def test_a_score_over_all_frames_needs_the_score():
    options = FaceSimilarityOptions()
    for name, needed in (("cur_score_all_frames", "cur_score"), ("face_fid_samples", "face_fid_samples")):
        why = FaceSimilarity.cannot_rescore(name, options, options, ["arc_score"])
        assert why == f"the run did not measure {needed}"
