"""From matches and embeddings of a video to its measurements."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ipvg_eval.core.measurement import FrameFeatures, FrameValues, Measurement
from ipvg_eval.metrics.evaluator import NO_FRAME, NOT_FINITE, missing
from ipvg_eval.metrics.subject.consistency import frame_consistency
from ipvg_eval.metrics.subject.matching import Matches
from ipvg_eval.metrics.subject.spec import (
    SUBJECT_CONSISTENCY,
    SUBJECT_COVERAGE,
    SUBJECT_SIMILARITY,
    SUBJECT_SIMILARITY_ALL_FRAMES,
)
from ipvg_eval.metrics.subject.subjects import Subject

WHOLE_FRAME = "no detector: the whole frame is the crop"

DETECTED = (SUBJECT_SIMILARITY, SUBJECT_SIMILARITY_ALL_FRAMES, SUBJECT_COVERAGE)


def by_name(measurements: Sequence[Measurement]) -> dict[str, Measurement]:
    """Measurements by metric."""
    return {measurement.name: measurement for measurement in measurements}


def of_matches(
    indices: tuple[int, ...], matches: Matches, subjects: Sequence[Subject], notes: Sequence[str]
) -> dict[str, Measurement]:
    """The metrics of `DETECTED` from at least one frame.

    Args:
        indices: the frames looked at.
        matches: their matches.
        subjects: the sample's.
        notes: what a reader must know.
    """
    frames = matches.of_frames()
    each = ", ".join(
        _similarity_note(subject, own) for subject, own in zip(subjects, matches.of_subjects(), strict=True)
    )
    note = "; ".join([each, *notes])
    values = {
        SUBJECT_SIMILARITY.name: (matches.similarity(), [frame.similarity() for frame in frames]),
        SUBJECT_SIMILARITY_ALL_FRAMES.name: (
            matches.similarity_all(),
            [frame.similarity_all() for frame in frames],
        ),
        SUBJECT_COVERAGE.name: (matches.coverage(), [frame.coverage() for frame in frames]),
    }
    return {
        name: Measurement(
            name=name,
            value=value,
            reason=None if value is not None else f"no subject found in any of {len(indices)} frames",
            note=note,
            per_frame=FrameValues(indices=indices, values=tuple(per_frame)),
        )
        for name, (value, per_frame) in values.items()
    }


def of_whole_frames(
    indices: tuple[int, ...], matches: Matches, subjects: Sequence[Subject], notes: Sequence[str]
) -> dict[str, Measurement]:
    """The same where every subject is compared with the whole of every frame: coverage means nothing then."""
    means = [own.similarity() for own in matches.of_subjects()]
    each = ", ".join(f"{subject.name} {mean:.3f}" for subject, mean in zip(subjects, means, strict=True))
    similarity = Measurement(
        name=SUBJECT_SIMILARITY.name,
        value=matches.similarity(),
        note="; ".join([*notes, *([each] if len(subjects) > 1 else [])]),
        per_frame=FrameValues(
            indices=indices, values=tuple(frame.similarity() for frame in matches.of_frames())
        ),
    )
    others = missing(DETECTED[1:], WHOLE_FRAME)
    return by_name([similarity, *others])


def consistency(indices: tuple[int, ...], rows: npt.NDArray[np.float32], notes: Sequence[str]) -> Measurement:
    """subject_consistency from whole frames' embeddings, (n, d)."""
    if len(indices) < 2:
        reason = "fewer than 2 frames could be read" if indices else NO_FRAME
        return Measurement(name=SUBJECT_CONSISTENCY.name, value=None, reason=reason)
    if not np.isfinite(rows).all():
        return Measurement(name=SUBJECT_CONSISTENCY.name, value=None, reason=NOT_FINITE)
    values = frame_consistency(rows)
    return Measurement(
        name=SUBJECT_CONSISTENCY.name,
        value=float(values.mean()),
        note="; ".join(notes) or None,
        per_frame=FrameValues(indices=indices, values=(None, *(float(v) for v in values))),
        features=FrameFeatures(indices=indices, rows=rows),
    )


def _similarity_note(subject: Subject, own: Matches) -> str:
    found = sum(frame[0] is not None for frame in own.frames)
    value = own.similarity()
    many = f"in {found} of {len(own.frames)} frames"
    return f"{subject.name} {many}" if value is None else f"{subject.name} {value:.3f} {many}"
