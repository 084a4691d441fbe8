"""The frames of one video under the face metrics of several subjects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ipvg_eval.core.measurement import Frames, FrameValues, Measurement
from ipvg_eval.metrics.batches import Ticket
from ipvg_eval.metrics.evaluator import NO_FRAME, NOT_FINITE, lost_frames, missing
from ipvg_eval.metrics.faces import arcface, curricularface, subject_specs
from ipvg_eval.metrics.faces.detection import FaceDetector
from ipvg_eval.metrics.faces.every_face import every_face
from ipvg_eval.metrics.faces.face_similarity_pass import Rows
from ipvg_eval.metrics.similarity import unit_rows
from ipvg_eval.metrics.subject.matching import Matches, match, subject_table

NO_FACE_WANTED = "no reference shows a face"


@dataclass(frozen=True, kw_only=True, eq=False)
class PersonReferences:
    """A subject whose references show a face.

    Attributes:
        name: how notes call it.
        rows: by network one vector per reference with a face, (r, d).
    """

    name: str
    rows: Mapping[str, Rows]


class SubjectFacePass:
    """Crops all faces as frames arrive; full batches of crops go through the networks."""

    def __init__(
        self,
        *,
        people: Sequence[PersonReferences],
        without_face: Sequence[str],
        wanted: int,
        detector: FaceDetector,
        tickets: Mapping[str, Ticket[Frames]],
        most: int,
    ) -> None:
        self._people = people
        self._without_face = without_face
        self._wanted = wanted
        self._detector = detector
        self._most = most
        self._looked_at: list[int] = []
        self._tickets = tickets

    def add(self, indices: Sequence[int], frames: Frames) -> None:
        """Find and crop the faces of the next frames; see `ipvg_eval.metrics.evaluator.Pass`."""
        for index, frame in zip(indices, frames, strict=True):
            self._looked_at.append(index)
            faces = every_face(self._detector, frame, most=self._most) if self._people else []
            for face in faces:
                for name, ticket in self._tickets.items():
                    ticket.add(index, face.of(name))

    def finish(self) -> list[Measurement]:
        """One measurement per spec."""
        reason = None if self._looked_at else NO_FRAME
        reason = reason if self._people else NO_FACE_WANTED
        if reason is not None:
            return missing(subject_specs.ALL, reason)
        matched = {name: self._matches(name, *ticket.finish()) for name, ticket in self._tickets.items()}
        return [
            self._score(subject_specs.SUBJECT_CUR_SCORE.name, matched[curricularface.WEIGHTS]),
            self._score(subject_specs.SUBJECT_ARC_SCORE.name, matched[arcface.WEIGHTS]),
            self._coverage(matched[arcface.WEIGHTS]),
        ]

    def _matches(self, name: str, indices: tuple[int, ...], rows: Rows) -> Matches | None:
        """Similarities of the matches, negative ones as 0; None where a network gave no numbers."""
        references = np.concatenate([person.rows[name] for person in self._people])
        if not (np.isfinite(rows).all() and np.isfinite(references).all()):
            return None
        groups, first = [], 0
        for person in self._people:
            groups.append(range(first, first + len(person.rows[name])))
            first += len(person.rows[name])
        owners = np.array(indices, dtype=np.int64)
        # Without a single face there are no rows, and their width is not known.
        every = rows if len(rows) else np.empty((0, references.shape[1]))
        cosines = np.clip(unit_rows(references) @ unit_rows(every).T, 0.0, 1.0)
        frames = [
            match(subject_table(cosines[:, np.flatnonzero(owners == index)], groups))
            for index in self._looked_at
        ]
        return Matches(frames=tuple(frames))

    def _score(self, name: str, matches: Matches | None) -> Measurement:
        if matches is None:
            return Measurement(name=name, value=None, reason=NOT_FINITE)
        value = matches.similarity()
        return Measurement(
            name=name,
            value=value,
            reason=None if value is not None else f"no face in any of {len(self._looked_at)} frames",
            note=self._note(matches) if value is not None else None,
            per_frame=self._per_frame([frame.similarity() for frame in matches.of_frames()]),
        )

    def _coverage(self, matches: Matches | None) -> Measurement:
        name = subject_specs.SUBJECT_FACE_COVERAGE.name
        if matches is None:
            return Measurement(name=name, value=None, reason=NOT_FINITE)
        return Measurement(
            name=name,
            value=matches.coverage(),
            note=self._note(matches),
            per_frame=self._per_frame([frame.coverage() for frame in matches.of_frames()]),
        )

    def _per_frame(self, values: Sequence[float | None]) -> FrameValues:
        return FrameValues(indices=tuple(self._looked_at), values=tuple(values))

    def _note(self, matches: Matches) -> str | None:
        each = [_similarity_note(p, own) for p, own in zip(self._people, matches.of_subjects(), strict=True)]
        notes = each if len(each) + len(self._without_face) > 1 else []
        notes += [f"no face in the references of {name}" for name in self._without_face]
        return "; ".join([*notes, *lost_frames(len(self._looked_at), self._wanted)]) or None


def _similarity_note(person: PersonReferences, own: Matches) -> str:
    value = own.similarity()
    many = sum(frame[0] is not None for frame in own.frames)
    shown = "" if value is None else f"{value:.3f} "
    return f"{person.name} {shown}in {many} of {len(own.frames)} frames"
