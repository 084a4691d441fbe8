"""Lengths and frame rates against the submission's own, and against the timeline."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence

from ipvg_eval.audit.look import Look
from ipvg_eval.audit.model import AuditFinding
from ipvg_eval.audit.thresholds import Thresholds
from ipvg_eval.core.timeline import parse_timeline

_FEWEST = 4  # videos, for a majority


def check_timing(
    looks: Sequence[Look], timelines: Mapping[str, str], limits: Thresholds
) -> Iterator[AuditFinding]:
    """Videos of one submission that are longer, shorter, faster or slower than half of it or more.

    Args:
        looks: the videos of one submission.
        timelines: timeline text by sample id, for samples that have one.
        limits: thresholds.
    """
    durations = {look.video: look.duration for look in looks if look.duration is not None}
    rates = {look.video: look.fps for look in looks if look.fps is not None}
    # With timelines, every video has a length of its own to keep to.
    if not timelines:
        yield from _odd(looks, durations, "odd-length", "length_tolerance", "s", limits)
    yield from _odd(looks, rates, "odd-frame-rate", "rate_tolerance", "frames per second", limits)
    for look in looks:
        duration, wanted = durations.get(look.video), _end(timelines.get(look.sample or ""))
        if duration is not None and duration < (1 - limits.timeline_shortfall) * wanted:
            yield AuditFinding(
                kind="shorter-than-timeline",
                team=look.team,
                videos=(look.video,),
                message=f"It lasts {duration:.2f} s; its timeline ends at {wanted:.2f} s.",
                numbers={"seconds": duration, "timeline's seconds": wanted},
                thresholds={"timeline_shortfall": limits.timeline_shortfall},
            )


def _end(timeline: str | None) -> float:
    return parse_timeline(timeline).end if timeline is not None else 0.0


def _odd(
    looks: Sequence[Look],
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
    for look in looks:
        value = values.get(look.video)
        if value is not None and abs(value - usual) > tolerance * usual:
            yield AuditFinding(
                kind=kind,
                team=look.team,
                videos=(look.video,),
                message=f"{value:.2f} {unit}; {alike} of {len(values)} videos have {usual:.2f}.",
                numbers={unit: value, f"usual {unit}": usual},
                thresholds={threshold: tolerance},
            )
