"""The frames of one video under the subject metrics."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ipvg_eval.core.measurement import Frames, Measurement
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.batches import Ticket
from ipvg_eval.metrics.evaluator import NO_FRAME, NOT_FINITE, KnownPass, lost_frames, missing
from ipvg_eval.metrics.subject import measurements
from ipvg_eval.metrics.subject.appearances import Appearances
from ipvg_eval.metrics.subject.consistency import reference_similarities
from ipvg_eval.metrics.subject.dino import dino_pixels
from ipvg_eval.metrics.subject.finding import Found, Rows, SubjectFinder
from ipvg_eval.metrics.subject.matching import Matches, subject_table
from ipvg_eval.metrics.subject.spec import SUBJECT_CONSISTENCY
from ipvg_eval.metrics.subject.subjects import Subject


class NoReferencePass(KnownPass):
    """A video without references: nothing to compare it with."""

    appearances: Appearances | None = None


class SubjectPass:
    """Whole frames for consistency, and the subjects in them; holds one embedding per frame.

    Frames wait as pixels until a batch for the detector is full, so that what it sees together does not
    depend on how they came.

    Attributes:
        appearances: once it is finished, what the subjects looked like; None where no frame could be read or
            a network's output is not finite.
    """

    def __init__(
        self,
        *,
        specs: Sequence[MetricSpec],
        subjects: Sequence[Subject],
        references: Rows,
        notes: Sequence[str],
        wanted: int,
        batches: Ticket[Frames],
        finder: SubjectFinder | None,
        detector_batch: int,
    ) -> None:
        self._specs = specs
        self._subjects = subjects
        self._references = references
        self._notes = notes
        self._wanted = wanted
        self._batches = batches
        self._finder = finder
        self._detector_batch = detector_batch
        self._waiting: list[Frames] = []
        self._matched: list[Found | None] = []
        self.appearances: Appearances | None = None

    def add(self, indices: Sequence[int], frames: Frames) -> None:
        """Take the next wanted frames; see `ipvg_eval.metrics.evaluator.Pass`."""
        for index, frame in zip(indices, frames, strict=True):
            self._batches.add(index, dino_pixels(frame))
            if self._finder is not None:
                self._waiting.append(frame.copy())
                if len(self._waiting) == self._detector_batch:
                    self._find()

    def finish(self) -> list[Measurement]:
        """One measurement per spec."""
        if self._waiting:
            self._find()
        indices, rows = self._batches.finish()
        lost = lost_frames(len(indices), self._wanted)
        self.appearances = self._appearances(indices, rows)
        found = {
            **self._subject_measurements(indices, rows, [*self._notes, *lost]),
            SUBJECT_CONSISTENCY.name: measurements.consistency(indices, rows, lost),
        }
        return [found[spec.name] for spec in self._specs]

    def _find(self) -> None:
        assert self._finder is not None
        self._matched += self._finder.matches(self._waiting, self._subjects, self._references)
        self._waiting = []

    def _subject_measurements(
        self, indices: tuple[int, ...], rows: Rows, notes: Sequence[str]
    ) -> dict[str, Measurement]:
        if not indices:
            return measurements.by_name(missing(measurements.DETECTED, NO_FRAME))
        if not np.isfinite(self._references).all():
            return measurements.by_name(missing(measurements.DETECTED, NOT_FINITE))
        if self._finder is None:
            if not np.isfinite(rows).all():
                return measurements.by_name(missing(measurements.DETECTED, NOT_FINITE))
            matches = _whole_frames(rows, self._references, self._subjects)
            return measurements.of_whole_frames(indices, matches, self._subjects, notes)
        matched = tuple(frame for frame in self._matched if frame is not None)
        if len(matched) < len(self._matched):
            return measurements.by_name(missing(measurements.DETECTED, NOT_FINITE))
        matches = Matches(frames=tuple(frame.similarities for frame in matched))
        return measurements.of_matches(indices, matches, self._subjects, notes)

    def _appearances(self, indices: tuple[int, ...], rows: Rows) -> Appearances | None:
        found = [frame for frame in self._matched if frame is not None]
        if not indices or not np.isfinite(rows).all() or len(found) < len(self._matched):
            return None
        if self._finder is None:
            return Appearances(
                indices=indices, rows=rows[:, None], detected=False, note=measurements.WHOLE_FRAME
            )
        nothing = np.full(rows.shape[1], np.nan, dtype=np.float32)
        crops = [[nothing if row is None else row for row in frame.rows] for frame in found]
        return Appearances(
            indices=indices, rows=np.array(crops, dtype=np.float32), detected=True, note="the subjects' crops"
        )


def _whole_frames(rows: Rows, references: Rows, subjects: Sequence[Subject]) -> Matches:
    """Every subject against the whole of every frame."""
    pictures = reference_similarities(references, rows)
    table = subject_table(pictures, [subject.pictures for subject in subjects])
    return Matches(frames=tuple(tuple(float(value) for value in frame) for frame in table.T))
