"""Every score of one video against its timeline, from similarities alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ipvg_eval.metrics.timeline.alignment.chance_level import chance_iou
from ipvg_eval.metrics.timeline.alignment.discrimination import (
    double_centred,
    label_credit,
    lag,
    noise_floor,
    recall_at_1,
)
from ipvg_eval.metrics.timeline.alignment.event_grid import EventGrid, FloatArray
from ipvg_eval.metrics.timeline.alignment.interval_scores import boundary_errors, interval_iou, kendall_tau
from ipvg_eval.metrics.timeline.alignment.temporal_grounding import ground

VERSION = 1
"""Raised whenever a score of the same similarities may change."""

TWO_SIDED_VERSION = 2
"""The same for TIM, SEM and ATA, whose chance is 0 from this version on."""

_OVERLAP = 0.5
_CLOSE = 0.5


@dataclass(frozen=True, kw_only=True, eq=False)
class AlignmentScores:
    """How well a video keeps to its timeline.

    `recall_at_1`, `mof`, `mof_corrected`, `order` and `lag` are None where the timeline has one action only;
    `order` also where no two events have distinct centres. What is localised is None where one
    action fills the whole video, since nothing could tell a hit from a miss.

    Attributes:
        recall_at_1: share of texts that fit their own segment best; 0..1, chance 1/K.
        mof: share of labelled windows with the right action; 0..1.
        mof_corrected: (MoF - 1/K) / (1 - 1/K).
        order: Kendall tau of the grounded centres; -1..1.
        mean_iou: of grounded against prompted intervals; 0..1.
        recall_at_half: share of events with IoU of at least .5.
        boundary_error: mean error of the found events' starts and ends in seconds; None if none is found.
        boundary_accuracy: share of all starts and ends that lie within half a second.
        lag: seconds by which the video is late; None also where no shift makes it fit.
        tim: TIM of version 1; 0..1.
        chance: f_K, the mean IoU of noise.
        grounded: (K, 2) seconds; NaN where an event was not found.
        credit: (J,) what each window adds to MoF; NaN for windows without a label.
    """

    recall_at_1: float | None
    mof: float | None
    mof_corrected: float | None
    order: float | None
    mean_iou: float | None
    recall_at_half: float | None
    boundary_error: float | None
    boundary_accuracy: float | None
    lag: float | None
    tim: float | None
    chance: float
    grounded: FloatArray
    credit: FloatArray


def align(similarity: FloatArray, neutral: FloatArray | None, grid: EventGrid) -> AlignmentScores:
    """Score similarities against a timeline.

    Args:
        similarity: (K, J) similarity of each window to each event's text, M. Columns of windows that the
            video lacks are ignored.
        neutral: (J,) similarity of each window to a text without an action, B; None for 0.
        grid: the prompted events; at least one window must be present.
    """
    there = grid.there
    shown = np.where(there, np.asarray(similarity, dtype=np.float64), 0.0)
    base = np.zeros(len(there)) if neutral is None else np.where(there, neutral, 0.0)
    tie = noise_floor(shown)
    grounded = ground((shown - base)[None], grid, tie)[0]
    prompted = np.array(grid.intervals)
    iou = interval_iou(grounded, prompted)
    errors = boundary_errors(grounded, prompted)
    place = grid.contrast
    chance = chance_iou(grid)
    several = grid.class_count > 1
    z = np.zeros((grid.class_count, len(there)))
    z[:, there] = double_centred(grid.by_class(shown)[:, there])
    credit = label_credit(z, grid, tie)
    mof = float(np.nanmean(credit)) if several else None
    corrected = corrected_for_chance(mof, 1.0 / grid.class_count)
    order = kendall_tau(grounded, grid)
    mean_iou = float(iou.mean()) if place else None
    return AlignmentScores(
        recall_at_1=recall_at_1(z, grid, tie) if several else None,
        mof=mof,
        mof_corrected=corrected,
        order=order,
        mean_iou=mean_iou,
        recall_at_half=float((iou >= _OVERLAP).mean()) if place else None,
        boundary_error=float(np.nanmean(errors)) if place and np.isfinite(errors).any() else None,
        boundary_accuracy=float((errors <= _CLOSE).mean()) if place else None,
        lag=lag(z, grid, tie) if several else None,
        tim=first_timing(corrected, order, corrected_for_chance(mean_iou, chance)),
        chance=chance,
        grounded=grounded,
        credit=credit,
    )


def corrected_for_chance(score: float | None, chance: float) -> float | None:
    """(score - chance) / (1 - chance): 0 at chance, 1 at best; None stays None, and where chance is 1."""
    return None if score is None or chance >= 1.0 else (score - chance) / (1.0 - chance)


def first_timing(*terms: float | None) -> float | None:
    """TIM of version 1: mean of what is positive in the terms that exist; None if none does.

    Args:
        terms: corrected MoF, order and corrected IoU; each at most 1.
    """
    present = [max(0.0, term) for term in terms if term is not None]
    return float(np.mean(present)) if present else None


def first_action_timeline_alignment(
    *, semantic: float | None, timing: float | None, consistency: float | None
) -> float | None:
    """ATA of version 1, SEM^.4 TIM^.4 CON^.2.

    Args:
        semantic: SEM, 0..1.
        timing: TIM, 0..1.
        consistency: CON, 0..1.

    Returns:
        0..1; None if a factor is missing.
    """
    if semantic is None or timing is None or consistency is None:
        return None
    return float(semantic**0.4 * timing**0.4 * consistency**0.2)


def action_timeline_alignment(
    *, semantic: float | None, timing: float | None, consistency: float | None
) -> float | None:
    """ATA = max(0, SEM) x TIM x CON: 0 at chance, since either factor is.

    Args:
        semantic: SEM, -1..1.
        timing: TIM, at most 1.
        consistency: CON, 0..1.

    Returns:
        At most 1, negative where other orders fit better; None if a factor is missing.
    """
    if semantic is None or timing is None or consistency is None:
        return None
    return float(max(0.0, semantic) * timing * consistency)
