"""One video under the published face metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from metrics.batches import FixedBatches
from metrics.evaluator import FrameFeatures, Frames, FrameValues, Measurement
from metrics.faces import arcface, curricularface, published_specs
from metrics.faces.detection import FaceDetector
from metrics.faces.face_crops import Retry, face_crops
from metrics.faces.inception import FID_WEIGHTS, IMAGENET_WEIGHTS
from metrics.similarity import cosines, scheduled_mean
from metrics.spec import MetricSpec

Rows = npt.NDArray[np.float32]
Encoder = Callable[[Frames], Rows]
Scores = dict[int, float]

_NOT_FINITE = "the network's output is not finite"
_NO_FRAME = "no frame could be read"


@dataclass(frozen=True, kw_only=True, eq=False)
class ReferenceFace:
    """The reference's side of every comparison.

    Attributes:
        rows: one vector per network, by weight name; None where there is no face.
        reason: why there is none; None exactly where there are rows.
    """

    rows: Mapping[str, Rows] | None
    reason: str | None


@dataclass(frozen=True, kw_only=True)
class PassRules:
    """What of a protocol's options concerns one video.

    Attributes:
        repeats: how often each wanted frame counts, by index.
        no_face_is_zero: whether scores of a video without any face are 0 instead of missing.
        drop_cur_zeros: whether frames of similarity 0 are left out of cur_score.
        clamp: whether negative similarities count as 0.
        retry: whether a frame without a face is searched again inside a border.
        batch_size: faces per forward pass.
    """

    repeats: Mapping[int, int]
    no_face_is_zero: bool
    drop_cur_zeros: bool
    clamp: bool
    retry: Retry
    batch_size: int


class FacePass:
    """Crops faces as frames arrive; full batches of crops go through the networks.

    Batch borders depend on the order of the faces alone, so frames may come in any grouping.
    """

    def __init__(
        self,
        *,
        specs: Sequence[MetricSpec],
        rules: PassRules,
        detector: FaceDetector,
        encoders: Mapping[str, Encoder],
        reference: ReferenceFace,
    ) -> None:
        self._specs = specs
        self._rules = rules
        self._detector = detector
        self._reference = reference
        self._looked_at: list[int] = []
        self._batches = {
            name: FixedBatches[Frames](_stacked(encode), rules.batch_size)
            for name, encode in encoders.items()
        }

    def add(self, indices: Sequence[int], frames: Frames) -> None:
        """Find and crop the faces of the next frames."""
        for index, frame in zip(indices, frames, strict=True):
            self._looked_at.append(index)
            crops = face_crops(self._detector, frame, retry=self._rules.retry)
            if crops is not None:
                for name, batches in self._batches.items():
                    batches.add(index, crops.of(name))

    def finish(self) -> list[Measurement]:
        """One measurement per spec."""
        features = {name: self._features(name, batches) for name, batches in self._batches.items()}
        return [self._measure(spec, features) for spec in self._specs]

    def _features(self, name: str, batches: FixedBatches[Frames]) -> FrameFeatures:
        indices, rows = batches.finish()
        reference = None if self._reference.rows is None else self._reference.rows[name]
        return FrameFeatures(indices=indices, rows=rows, reference=reference)

    def _measure(self, spec: MetricSpec, features: Mapping[str, FrameFeatures]) -> Measurement:
        if not self._looked_at:
            return Measurement(name=spec.name, value=None, reason=_NO_FRAME)
        if spec.name == published_specs.FACE_COVERAGE.name:
            return self._coverage(spec.name, features)
        if spec.name == published_specs.FACE_FID_SAMPLES.name:
            kept = features[FID_WEIGHTS]
            if not np.isfinite(kept.rows).all():
                return Measurement(name=spec.name, value=None, reason=_NOT_FINITE)
            return Measurement(
                name=spec.name, value=float(len(kept.indices)), note=self._note(), features=kept
            )
        if spec.name == published_specs.FACE_FEATURE_DISTANCE.name:
            return self._score(spec.name, features[IMAGENET_WEIGHTS], distance=True)
        of_cur = curricularface.WEIGHTS in spec.weights
        return self._score(spec.name, features[curricularface.WEIGHTS if of_cur else arcface.WEIGHTS])

    def _coverage(self, name: str, features: Mapping[str, FrameFeatures]) -> Measurement:
        with_face = set(features[arcface.WEIGHTS].indices)
        values = tuple(float(index in with_face) for index in self._looked_at)
        return Measurement(
            name=name,
            value=scheduled_mean(self._looked_at, values, self._rules.repeats),
            note=self._note(),
            per_frame=FrameValues(indices=tuple(self._looked_at), values=values),
        )

    def _score(self, name: str, kept: FrameFeatures, *, distance: bool = False) -> Measurement:
        if kept.reference is None:
            return Measurement(name=name, value=None, reason=self._reference.reason, features=kept)
        if not (np.isfinite(kept.rows).all() and np.isfinite(kept.reference).all()):
            return Measurement(name=name, value=None, reason=_NOT_FINITE)
        scores = self._compare(kept, distance=distance)
        per_frame = FrameValues(
            indices=tuple(self._looked_at), values=tuple(scores.get(index) for index in self._looked_at)
        )
        value, notes = self._mean(name, scores)
        reason = None if value is not None else self._why_missing(scores)
        return Measurement(
            name=name,
            value=value,
            reason=reason,
            note=self._note(*notes) if value is not None else None,
            per_frame=per_frame,
            features=None if distance or name.endswith("_all_frames") else kept,
        )

    def _compare(self, kept: FrameFeatures, *, distance: bool) -> Scores:
        if not kept.indices:
            return {}
        assert kept.reference is not None
        if distance:
            values = squared_distances(kept.rows, kept.reference)
        else:
            values = cosines(kept.rows, kept.reference)
            values = np.maximum(values, 0.0) if self._rules.clamp else values
        return dict(zip(kept.indices, values.tolist(), strict=True))

    def _mean(self, name: str, scores: Scores) -> tuple[float | None, list[str]]:
        """The video's value, None where it is missing, and what a reader must know of it."""
        rules, notes = self._rules, []
        if name.endswith("_all_frames"):
            counted = {index: scores.get(index, 0.0) for index in self._looked_at}
        elif rules.drop_cur_zeros and name == published_specs.CUR_SCORE.name:
            counted = {index: score for index, score in scores.items() if score != 0.0}
            if len(counted) < len(scores):
                notes.append(f"{len(scores) - len(counted)} frames of similarity 0 left out, as published")
        else:
            counted = scores
        value = scheduled_mean(tuple(counted), tuple(counted.values()), rules.repeats)
        if value is None and rules.no_face_is_zero:
            return 0.0, [*notes, f"{self._why_missing(scores)}: counted as 0, as published"]
        return value, notes

    def _why_missing(self, scores: Scores) -> str:
        if scores:
            return "every frame with a face has similarity 0 and is left out"
        return f"no face in any of {len(self._looked_at)} frames"

    def _note(self, *notes: str) -> str | None:
        wanted = len(self._rules.repeats)
        lost = wanted - len(self._looked_at)
        return (
            "; ".join((*notes, *([f"{lost} of {wanted} frames could not be read"] if lost else []))) or None
        )


def squared_distances(rows: Rows, reference: Rows) -> npt.NDArray[np.float64]:
    """Squared Euclidean distance of every row to the reference: (n, d) and (d,) to (n,) float64.

    This is the Fréchet distance of two point masses, to which the published per-frame FID reduces: it
    repeats one picture twice on either side, so that both covariances are exactly 0.
    """
    difference = rows.astype(np.float64) - reference.astype(np.float64)
    distances: npt.NDArray[np.float64] = np.square(difference).sum(axis=1)
    return distances


def _stacked(encode: Encoder) -> Callable[[list[Frames]], Rows]:
    return lambda crops: encode(np.stack(crops))
