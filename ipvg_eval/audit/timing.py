"""Lengths and frame rates against the submission's own, and against the timeline."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence

from ipvg_eval.audit.model import AuditFinding
from ipvg_eval.audit.signals import VideoSignals
from ipvg_eval.audit.thresholds import Thresholds
from ipvg_eval.core.timeline import parse_timeline

_FEWEST = 4  # videos, for a majority


def check_timing(
    seen: Sequence[VideoSignals], timelines: Mapping[str, str], limits: Thresholds
) -> Iterator[AuditFinding]:
    """Videos of one submission that are longer, shorter, faster or slower than half of it or more.

    Args:
        seen: the videos of one submission.
        timelines: timeline text by sample id, for samples that have one.
        limits: thresholds.
    """
    durations = {signals.video: signals.duration for signals in seen if signals.duration is not None}
    rates = {signals.video: signals.fps for signals in seen if signals.fps is not None}
    # With timelines, every video has a length of its own to keep to.
    if not timelines:
        yield from _odd(seen, durations, "odd-length", "length_tolerance", "s", limits)
    yield from _odd(seen, rates, "odd-frame-rate", "rate_tolerance", "frames per second", limits)
    for signals in seen:
        duration, wanted = durations.get(signals.video), _end(timelines.get(signals.sample or ""))
        if duration is not None and duration < (1 - limits.timeline_shortfall) * wanted:
            yield AuditFinding(
                kind="shorter-than-timeline",
                team=signals.team,
                videos=(signals.video,),
                message=f"It lasts {duration:.2f} s; its timeline ends at {wanted:.2f} s.",
                numbers={"seconds": duration, "timeline's seconds": wanted},
                thresholds={"timeline_shortfall": limits.timeline_shortfall},
            )


def _end(timeline: str | None) -> float:
    return parse_timeline(timeline).end if timeline is not None else 0.0


def _odd(
    seen: Sequence[VideoSignals],
    values: Mapping[str, float],
    kind: str,
    threshold: str,
    unit: str,
    limits: Thresholds,
) -> Iterator[AuditFinding]:
    if len(values) < _FEWEST:
        return
    usual = statistics.median_low(values.values())
    tolerance = getattr(limits, threshold)
    alike = sum(abs(value - usual) <= tolerance * usual for value in values.values())
    if 2 * alike <= len(values):
        return  # there is no usual value
    for signals in seen:
        value = values.get(signals.video)
        if value is not None and abs(value - usual) > tolerance * usual:
            yield AuditFinding(
                kind=kind,
                team=signals.team,
                videos=(signals.video,),
                message=f"{value:.2f} {unit}; {alike} of {len(values)} videos have {usual:.2f}.",
                numbers={unit: value, f"usual {unit}": usual},
                thresholds={threshold: tolerance},
            )
