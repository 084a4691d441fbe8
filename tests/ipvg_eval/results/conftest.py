"""Rows for tests of what is made from rows."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ipvg_eval.core.row import MeasurementRow, SampleRow, Status, VideoFacts
from ipvg_eval.core.spec import MetricSpec

MakeRow = Callable[..., SampleRow]


@pytest.fixture(scope="session")
def specs() -> tuple[MetricSpec, MetricSpec]:
    sharpness = MetricSpec(
        name="sharpness",
        version=1,
        higher_is_better=True,
        bounds=(0.0, 1.0),
        title="Sharpness",
        summary="How sharp.",
        source="by hand",
    )
    noise = MetricSpec(
        name="noise_%",
        version=2,
        higher_is_better=False,
        bounds=(0.0, None),
        title="Noise & grain",
        summary="How noisy.",
        source="by hand",
    )
    return sharpness, noise


@pytest.fixture(scope="session")
def make_row() -> MakeRow:
    """Makes a row whose sharpness is given (None: no face) and whose noise is always missing."""

    def make(sample: str, value: float | None, *, note: str | None = None, seconds: float = 0.5) -> SampleRow:
        return SampleRow(
            sample=sample,
            identity=sample.partition("/")[0],
            video=f"{sample}.mp4",
            video_sha256="0" * 64,
            status=Status.SCORED,
            facts=VideoFacts(frame_count=9, width=64, height=48, fps=8.0, duration=1.125, codec="h264"),
            measurements=(
                MeasurementRow(
                    name="sharpness",
                    value=value,
                    reason=None if value is not None else "no face",
                    note=note,
                    frame_indices=(0, 4),
                    frame_values=(value, None),
                ),
                MeasurementRow(name="noise_%", value=None, reason="too short"),
            ),
            frame_times={0: 0.0, 4: 0.5},
            seconds=seconds,
        )

    return make
