"""Scores of single videos on the scale from 0 to 1 on which OpenS2V-Eval adds them up.

The published script clips every video's score, averages over the videos that have one, and moves the mean
to 0..1. That last step is linear, so doing it video by video gives the same mean.

Source: OpenS2V-Nexus (fork franciszzj) @ef17513, eval/merge_result.py lines 80-167 (version 1.1), and
eval/v1.0_backup/merge_result.py (version 1.0, the same ranges). Where no video at all has a score the
published script counts 0 before the scale is moved, -1.33 for aesthetics; here such a total has no value.
"""

from __future__ import annotations

AESTHETIC_RANGE = (4.0, 7.0)
NATURAL_RANGE = (1.0, 5.0)
NEXUS_MAXIMUM = 0.05


def unit_aesthetic(score: float) -> float:
    """Aesthetic score, clipped to 4..7, to 0..1 (lines 97 and 151)."""
    return _between(score, *AESTHETIC_RANGE)


def unit_natural(score: float) -> float:
    """Naturalness, clipped to 1..5, to 0..1 (lines 129-131 and 165)."""
    return _between(score, *NATURAL_RANGE)


def unit_size(value: float) -> float:
    """Motion amplitude or smoothness: its absolute value, at most 1 (lines 102 and 107-109)."""
    return min(abs(value), 1.0)


def unit_nexus(score: float) -> float | None:
    """NexusScore, at most 0.05, over 0.05; None for 0, which the published mean leaves out (lines 123-126).

    Nothing bounds it from below: a negative score stays negative.
    """
    return None if score == 0 else min(score, NEXUS_MAXIMUM) / NEXUS_MAXIMUM


def _between(score: float, low: float, high: float) -> float:
    return (max(min(score, high), low) - low) / (high - low)
