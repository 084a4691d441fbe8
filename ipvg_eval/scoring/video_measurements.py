"""What was measured of one video, for whoever asked for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from ipvg_eval.core.combination import Combination, combine
from ipvg_eval.core.row import SampleRow

NO_TIMELINE = "no timeline is given"


@dataclass(frozen=True, kw_only=True)
class VideoMeasurements:
    """What was measured of one video.

    Attributes:
        video: the file, as it was given; "frames in memory" where it is none.
        status: "scored", or why there are no values: "undecodable", "crashed".
        reason: why there are none, or None.
        values: every metric of the protocol by name; None where it is missing. Units, ranges and directions
            are in the metrics' specs (`Scorer.specs`).
        missing: why, by metric.
        notes: what a reader must know of a value, by metric.
        frames: per metric that has them, the value of every frame that was looked at, by frame index.
        times: when each of these frames is shown, in seconds from the first frame, by frame index.
        columns: what belongs to the video and was given along.
        notice: what a reader must know first (random weights, rules that are not published); may be empty.
    """

    video: str
    status: str
    reason: str | None
    values: Mapping[str, float | None]
    missing: Mapping[str, str]
    notes: Mapping[str, str]
    frames: Mapping[str, Mapping[int, float | None]]
    times: Mapping[int, float] = field(default_factory=dict)
    columns: Mapping[str, str]
    notice: str

    def __getitem__(self, metric: str) -> float | None:
        """The value of a metric; None where it is missing.

        Raises:
            KeyError: the protocol has no such metric.
        """
        return self.values[metric]

    @classmethod
    def of_row(
        cls,
        row: SampleRow,
        *,
        combined: Sequence[Combination],
        notice: str,
        left_out: Iterable[str] = (),
        columns: Mapping[str, str] | None = None,
    ) -> Self:
        """What a row says.

        Args:
            row: of the video.
            combined: the protocol's weighted sums.
            notice: of the protocol.
            left_out: metrics that need the timeline that is not given.
            columns: what was given along.
        """
        values = {one.name: one.value for one in row.measurements}
        missing = {one.name: one.reason for one in row.measurements if one.reason is not None}
        for combination in combined:
            total = combine(combination, values)
            values[combination.name] = total.value
            if total.reason is not None:
                missing[combination.name] = total.reason
        for name in left_out:
            values[name], missing[name] = None, NO_TIMELINE
        return cls(
            video=row.sample,
            status=row.status.value,
            reason=row.reason,
            values=values,
            missing=missing,
            notes={one.name: one.note for one in row.measurements if one.note is not None},
            frames={
                one.name: dict(zip(one.frame_indices, one.frame_values, strict=True))
                for one in row.measurements
                if one.frame_indices
            },
            times=dict(row.frame_times),
            columns=dict(columns or {}),
            notice=notice,
        )
