"""Subjects in pictures: detected by their labels, cropped, and described by embeddings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ipvg_eval.core.measurement import Frames
from ipvg_eval.metrics.subject.boxes import Boxes, chosen, cropped
from ipvg_eval.metrics.subject.consistency import reference_similarities
from ipvg_eval.metrics.subject.detection.detector import ObjectDetector
from ipvg_eval.metrics.subject.matching import assign, subject_table
from ipvg_eval.metrics.subject.subjects import Subject, labels_of

Rows = npt.NDArray[np.float32]
Embed = Callable[[Frames], Rows]
"""A picture of any size to its embedding, (d,)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ReferenceView:
    """How a reference picture is compared.

    Attributes:
        row: embedding, (d,).
        found: whether it is that of the subject's box; False where the whole picture counts.
    """

    row: Rows
    found: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Found:
    """The subjects in one frame.

    Attributes:
        similarities: one entry per subject, the cosine of its match with its most similar picture, or None.
        rows: one entry per subject, the embedding of its match, or None.
    """

    similarities: tuple[float | None, ...]
    rows: tuple[Rows | None, ...]


@dataclass(frozen=True, kw_only=True)
class FindingRules:
    """Which detections count.

    Attributes:
        overlap: largest intersection over union of two detections of one label.
        boxes_per_label: detections of one label that count, best first; never fewer than its subjects.
        above: cosine that a match must exceed.
    """

    overlap: float
    boxes_per_label: int
    above: float


class SubjectFinder:
    """Finds, crops and matches."""

    def __init__(self, detector: ObjectDetector, embed: Embed, rules: FindingRules) -> None:
        self.detector = detector
        self._embed = embed
        self._rules = rules

    def reference(self, picture: Frames, label: str) -> ReferenceView:
        """A reference picture: the most probable box of its label, or all of it where there is none."""
        found = self.detector.detect([picture], [label])[0]
        box = self._chosen(found.of(0), picture, most=1)
        view = cropped(picture, box[0]) if len(box) else picture
        return ReferenceView(row=self._embed(view), found=bool(len(box)))

    def matches(
        self, frames: Sequence[Frames], subjects: Sequence[Subject], references: Rows
    ) -> list[Found | None]:
        """The subjects of each frame.

        Args:
            frames: (height, width, 3) RGB uint8, all of one size.
            subjects: what is looked for.
            references: embeddings of the sample's references, (r, d).

        Returns:
            One entry per frame; None for a frame about which a network gave something that is not a number.
        """
        labels = labels_of(subjects)
        found = self.detector.detect(frames, labels)
        return [
            self._match(frame, boxes, labels, subjects, references) if boxes.finite else None
            for frame, boxes in zip(frames, found, strict=True)
        ]

    def _match(
        self,
        frame: Frames,
        found: Boxes,
        labels: Sequence[str],
        subjects: Sequence[Subject],
        references: Rows,
    ) -> Found | None:
        similarities: list[float | None] = [None] * len(subjects)
        matched: list[Rows | None] = [None] * len(subjects)
        for number, label in enumerate(labels):
            members = [place for place, subject in enumerate(subjects) if subject.label == label]
            most = max(self._rules.boxes_per_label, len(members))
            boxes = self._chosen(found.of(number), frame, most=most)
            if not len(boxes):
                continue
            rows = np.stack([self._embed(cropped(frame, box)) for box in boxes])
            if not np.isfinite(rows).all():
                return None
            cosines = reference_similarities(rows, references).T
            table = subject_table(cosines, [subjects[place].pictures for place in members])
            for place, values, column in zip(
                members, table, assign(table, above=self._rules.above), strict=True
            ):
                if column is not None:
                    similarities[place], matched[place] = float(values[column]), rows[column]
        return Found(similarities=tuple(similarities), rows=tuple(matched))

    def _chosen(self, boxes: Boxes, picture: Frames, *, most: int) -> npt.NDArray[np.int64]:
        height, width = picture.shape[:2]
        return chosen(boxes, height=height, width=width, overlap=self._rules.overlap, most=most)
