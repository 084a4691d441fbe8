"""One-to-one matching of what was found in a frame to what was asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

FloatArray = npt.NDArray[np.float64]

_TIE = 1e-9
"""Worth of a match beside its similarity: of two assignments of one sum the one with more matches is taken,
so that ties cannot make coverage depend on the order of subjects or detections."""


def match(similarities: npt.NDArray[np.floating], *, above: float = -math.inf) -> tuple[float | None, ...]:
    """For each subject the similarity of its match in `assign`, None where it has none."""
    table = np.asarray(similarities, dtype=np.float64)
    chosen = assign(table, above=above)
    return tuple(
        None if column is None else float(row[column]) for row, column in zip(table, chosen, strict=True)
    )


def assign(similarities: npt.NDArray[np.floating], *, above: float = -math.inf) -> tuple[int | None, ...]:
    """The assignment of detections to subjects, each at most once, with the largest sum of similarities.

    Only pairs that are more similar than `above` can be matched; with a bound the sum is that of what the
    similarities exceed it by, so that no match is made that does not add to it. Not a number never matches.

    Args:
        similarities: (subjects, detections), finite or NaN.
        above: bound a match must exceed; without one every subject is matched while there are detections.

    Returns:
        For each subject the column of its match, None where it has none.
    """
    table = np.asarray(similarities, dtype=np.float64)
    floor = above if math.isfinite(above) else -1.0 + float(np.nanmin(table, initial=0.0))
    allowed = table > floor
    rows, columns = linear_sum_assignment(np.where(allowed, table - floor + _TIE, 0.0), maximize=True)
    matched: list[int | None] = [None] * len(table)
    for row, column in zip(rows, columns, strict=True):
        if allowed[row, column]:
            matched[row] = int(column)
    return tuple(matched)


def subject_table(
    pictures: npt.NDArray[np.floating], groups: Sequence[Sequence[int]]
) -> npt.NDArray[np.float64]:
    """Similarities of subjects from those of their pictures: the best picture of a subject counts.

    Pictures of one subject show it from different sides; a frame that shows one of the sides is right.

    Args:
        pictures: (pictures, detections).
        groups: for each subject the rows of its pictures, at least one.

    Returns:
        (subjects, detections) float64; NaN where no picture of the subject has a number.
    """
    table = np.asarray(pictures, dtype=np.float64)
    best = np.full((len(groups), table.shape[1]), np.nan)
    for row, members in zip(best, groups, strict=True):
        np.fmax.reduce(table[list(members)], axis=0, out=row)
    return best


@dataclass(frozen=True, kw_only=True)
class Matches:
    """The matches of a video, frame by frame.

    Attributes:
        frames: for each frame one entry per subject: the similarity of its match, or None.
    """

    frames: tuple[tuple[float | None, ...], ...]

    def similarity(self) -> float | None:
        """Mean over all matches of all frames; None where there is none."""
        found = [value for frame in self.frames for value in frame if value is not None]
        return math.fsum(found) / len(found) if found else None

    def similarity_all(self) -> float | None:
        """The same mean with 0 for every subject that a frame lacks; None without frames."""
        entries = [0.0 if value is None else value for frame in self.frames for value in frame]
        return math.fsum(entries) / len(entries) if entries else None

    def coverage(self) -> float | None:
        """Share of frames times subjects with a match, [0, 1]; None without frames."""
        entries = [value is not None for frame in self.frames for value in frame]
        return sum(entries) / len(entries) if entries else None

    def of_frames(self) -> tuple[Matches, ...]:
        """Every frame by itself."""
        return tuple(Matches(frames=(frame,)) for frame in self.frames)

    def of_subjects(self) -> tuple[Matches, ...]:
        """Every subject by itself, over all frames."""
        return tuple(
            Matches(frames=tuple((value,) for value in values)) for values in zip(*self.frames, strict=True)
        )
