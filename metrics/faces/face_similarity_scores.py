"""From what was seen of a video's faces to the published measurements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ipvg_eval.core.measurement import FrameFeatures, FrameValues, Measurement
from ipvg_eval.metrics.faces import face_similarity_specs
from ipvg_eval.metrics.similarity import cosines, scheduled_mean

Rows = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class ScoreRules:
    """What of a protocol's options concerns the numbers of one video.

    Attributes:
        repeats: how often each wanted frame counts, by index.
        no_face_is_zero: whether scores of a video without any face are 0 instead of missing.
        drop_cur_zeros: whether frames of similarity 0 are left out of cur_score.
        clamp: whether negative similarities count as 0.
    """

    repeats: Mapping[int, int]
    no_face_is_zero: bool
    drop_cur_zeros: bool
    clamp: bool

    def note(self, looked_at: tuple[int, ...], *notes: str) -> str | None:
        """Notes on a value, with how many frames are lost."""
        wanted = len(self.repeats)
        lost = wanted - len(looked_at)
        return (
            "; ".join((*notes, *([f"{lost} of {wanted} frames could not be read"] if lost else []))) or None
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Compared:
    """The faces of a video against the reference's, by one network.

    Attributes:
        looked_at: frames that could be read.
        values: cosine, or squared distance, of every frame with a face, by index.
        features: the embeddings, where they are worth keeping.
    """

    looked_at: tuple[int, ...]
    values: Mapping[int, float]
    features: FrameFeatures | None


def similarities(kept: FrameFeatures) -> dict[int, float]:
    """Cosine of every frame's face with the reference's, [-1, 1], not clamped."""
    if not kept.indices:
        return {}
    assert kept.reference is not None
    return dict(zip(kept.indices, cosines(kept.rows, kept.reference).tolist(), strict=True))


def distances(kept: FrameFeatures) -> dict[int, float]:
    """Squared distance of every frame's face to the reference's."""
    if not kept.indices:
        return {}
    assert kept.reference is not None
    return dict(zip(kept.indices, squared_distances(kept.rows, kept.reference).tolist(), strict=True))


def squared_distances(rows: Rows, reference: Rows) -> npt.NDArray[np.float64]:
    """Squared Euclidean distance of every row to the reference: (n, d) and (d,) to (n,) float64.

    This is the Fréchet distance of two point masses, to which the published per-frame FID reduces: it
    repeats one picture twice on either side, so that both covariances are exactly 0.
    """
    difference = rows.astype(np.float64) - reference.astype(np.float64)
    squares: npt.NDArray[np.float64] = np.square(difference).sum(axis=1)
    return squares


def score(name: str, compared: Compared, rules: ScoreRules) -> Measurement:
    """One of cur_score, arc_score, both over all frames, and face_feature_distance.

    Args:
        name: the metric.
        compared: cosines, or squared distances for face_feature_distance.
        rules: the protocol's.
    """
    values = dict(compared.values)
    if rules.clamp and name != face_similarity_specs.FACE_FEATURE_DISTANCE.name:
        values = {index: max(0.0, value) for index, value in values.items()}
    looked_at = compared.looked_at
    value, notes = _mean(name, values, looked_at, rules)
    return Measurement(
        name=name,
        value=value,
        reason=None if value is not None else _why_missing(values, looked_at),
        note=rules.note(looked_at, *notes) if value is not None else None,
        per_frame=FrameValues(indices=looked_at, values=tuple(values.get(index) for index in looked_at)),
        features=compared.features,
    )


def coverage(looked_at: tuple[int, ...], with_face: frozenset[int], rules: ScoreRules) -> Measurement:
    """face_coverage of at least one frame."""
    values = tuple(float(index in with_face) for index in looked_at)
    return Measurement(
        name=face_similarity_specs.FACE_COVERAGE.name,
        value=scheduled_mean(looked_at, values, rules.repeats),
        note=rules.note(looked_at),
        per_frame=FrameValues(indices=looked_at, values=values),
    )


def _mean(
    name: str, values: Mapping[int, float], looked_at: tuple[int, ...], rules: ScoreRules
) -> tuple[float | None, list[str]]:
    """The video's value, None where it is missing, and what a reader must know of it."""
    notes: list[str] = []
    counted = values
    if face_similarity_specs.counts_all_frames(name):
        counted = {index: values.get(index, 0.0) for index in looked_at}
    elif rules.drop_cur_zeros and name == face_similarity_specs.CUR_SCORE.name:
        counted = {index: value for index, value in values.items() if value != 0.0}
        if len(counted) < len(values):
            notes.append(f"{len(values) - len(counted)} frames of similarity 0 left out, as published")
    mean = scheduled_mean(tuple(counted), tuple(counted.values()), rules.repeats)
    if mean is None and rules.no_face_is_zero:
        return 0.0, [*notes, f"{_why_missing(values, looked_at)}: counted as 0, as published"]
    return mean, notes


def _why_missing(values: Mapping[int, float], looked_at: tuple[int, ...]) -> str:
    if values:
        return "every frame with a face has similarity 0 and is left out"
    return f"no face in any of {len(looked_at)} frames"
