"""One video's results as measurements, with what a reader must know about them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ipvg_eval.core.measurement import ClipInfo, FrameFeatures, FrameValues, Measurement
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.timeline import spec
from ipvg_eval.metrics.timeline.alignment.distractor_contrast import (
    FEWEST_TIMELINES,
    SUCCESS_P,
    every_action_present,
    mean_two_sided,
    timelines_of,
)
from ipvg_eval.metrics.timeline.alignment.event_grid import BoolArray, FloatArray
from ipvg_eval.metrics.timeline.alignment.scores import (
    VERSION as FIRST_VERSION,
)
from ipvg_eval.metrics.timeline.alignment.scores import (
    AlignmentScores,
    action_timeline_alignment,
    first_action_timeline_alignment,
)
from ipvg_eval.metrics.timeline.alignment.video_alignment import FROZEN, TwoSided, VideoAlignment
from ipvg_eval.metrics.timeline.distractors import Distractors
from ipvg_eval.metrics.timeline.presence.events import EventPresence
from ipvg_eval.metrics.timeline.scorers.text_video_scorer import Footage, Rows
from ipvg_eval.metrics.timeline.subject_consistency import Consistency

COSINES = "CLIP-T, no vision-language model"
"""What presence is made of where no model is asked."""

_ONE_ACTION = "the timeline has one action only, as the scorer reads it"
NO_CONTRAST = "one action fills the whole video: nothing to tell it from"
NO_DISTRACTOR = "no distractor is left to compare the actions with"
_FEW_DISTRACTORS = (
    f"the distractors make fewer than {FEWEST_TIMELINES} timelines: chance alone would be above 5 %"
)
_AS_SEEN = frozenset({spec.SUCCESS.name, spec.P.name, spec.ALL_PRESENT.name})
_FROZEN = f"the video is frozen: no window differs from its mean (cosine {FROZEN} or more)"
_BROKEN = "the vision-language model's output is not finite"


@dataclass(frozen=True, kw_only=True, eq=False)
class VideoResult:
    """What the measurements of one video are made from.

    Attributes:
        alignment: with its timeline.
        presence: what SEM is made of.
        consistency: CON.
        footage: what the scorer saw.
        clip: the video.
        wanted: number of frames that were asked for.
        end: when the timeline ends, in seconds.
        distractors: of the sample; None for the first version's scores.
        notes: what a reader must know about every number.
    """

    alignment: VideoAlignment
    presence: EventPresence
    consistency: Consistency
    footage: Footage
    clip: ClipInfo
    wanted: int
    end: float
    distractors: Distractors | None
    notes: tuple[str, ...]


def measurements(specs: Sequence[MetricSpec], result: VideoResult) -> list[Measurement]:
    """One measurement per spec.

    The frame values of `timeline_clip_t` are the cosines with the prompted action's text; those of
    `timeline_mof` are the credit. The features of `timeline_miou` are the similarity curves, one
    column per event, with the found starts and ends in seconds as the reference (NaN where nothing was
    found); those of `timeline_con` are the frames' embeddings; those of `timeline_p` the
    distractors' curves, with the two-sided presence of every event by cosines as the reference; the
    reference of
    `timeline_tim` is TIM and rescaled TIM of version 1. `timeline_clip_t` and `timeline_sem` have
    no rows, and as the reference one cosine or probability per event, NaN where there is none.
    """
    values = _values(result)
    if result.distractors is not None and result.alignment.two_sided is not None:
        values |= _two_sided_values(result, result.alignment.two_sided, result.distractors)
    per_frame = _per_frame(result)
    features = _features(result)
    found = []
    for one in specs:
        value, reason, note = values[one.name]
        frozen = (
            _FROZEN
            if result.alignment.frozen and one.version == FIRST_VERSION and one.name not in _AS_SEEN
            else None
        )
        notes = "; ".join(part for part in (note, *result.notes, frozen) if part)
        found.append(
            Measurement(
                name=one.name,
                value=value,
                reason=reason if value is None else None,
                note=notes or None,
                per_frame=per_frame.get(one.name),
                features=features.get(one.name),
            )
        )
    return found


def cosine_presence(alignment: VideoAlignment) -> EventPresence:
    """Presence by the scorer's own cosines, against the distractors' where there are any."""
    reached: BoolArray = np.asarray(np.isfinite(alignment.presence))
    two_sided = alignment.two_sided
    values = alignment.presence if two_sided is None else two_sided.presence
    return EventPresence(values=values, reached=reached, how=COSINES)


def mean_presence(values: npt.NDArray[np.floating]) -> float:
    """SEM: mean over events of what is kept of them, float32; 0 for an event without a value, and below 0.

    Args:
        values: (K,), NaN for an event that the video does not reach.
    """
    kept = np.nan_to_num(values.astype(np.float32).astype(np.float64), nan=0.0)
    return float(np.clip(kept, 0.0, 1.0).mean())


_Value = tuple[float | None, str | None, str | None]


def _values(result: VideoResult) -> dict[str, _Value]:
    """Value, reason and note by metric."""
    alignment = result.alignment
    presence = alignment.presence
    reached = np.isfinite(presence)
    lost_note, lost_to_sem = (_lost(there) for there in (reached, result.presence.reached))
    sem = None if result.presence.broken else mean_presence(result.presence.values)
    consistency = result.consistency
    con, con_reason = consistency.mean, consistency.reason
    tim, tim_reason, tim_note = _timing(alignment.scores)
    ata = first_action_timeline_alignment(semantic=sem, timing=tim, consistency=con)
    halves = "; the event's two halves are compared" if len(presence) == 1 else ""
    values: dict[str, _Value] = {
        spec.ATA.name: (ata, _BROKEN if sem is None else tim_reason if tim is None else con_reason, tim_note),
        spec.TIM.name: (tim, tim_reason, tim_note),
        spec.SEM.name: (sem, _BROKEN, "; ".join(filter(None, (result.presence.how, lost_to_sem)))),
        spec.CON.name: (con, con_reason, consistency.note + halves),
        spec.CON_MIN.name: (consistency.least, con_reason, consistency.note + halves),
        spec.CLIP_T.name: (
            float(presence[reached].mean()) if reached.any() else None,
            "no event was reached",
            lost_note,
        ),
        spec.TIM_RESCALED.name: _timing(alignment.stretched),
        spec.MIOU_RESCALED.name: (alignment.stretched.mean_iou, NO_CONTRAST, None),
        spec.EXCESS.name: (result.clip.duration - result.end, None, None),
        spec.EVENTS.name: (float(len(presence)), None, None),
    }
    return values | _alignment_values(alignment.scores, several=alignment.grid.class_count > 1)


def _two_sided_values(
    result: VideoResult, two_sided: TwoSided, distractors: Distractors
) -> dict[str, _Value]:
    """What the second version says otherwise, and what it adds."""
    presence, found = result.presence, result.alignment.scores
    compared = bool(np.isfinite(presence.values[presence.reached]).all())
    sem = mean_two_sided(presence.values) if compared else None
    sem_reason = _BROKEN if presence.how != COSINES and distractors.texts else NO_DISTRACTOR
    con, con_reason = result.consistency.mean, result.consistency.reason
    ata = action_timeline_alignment(semantic=sem, timing=two_sided.tim, consistency=con)
    ata_reason = _ONE_ACTION if two_sided.tim is None else sem_reason if sem is None else con_reason
    enough = timelines_of(len(distractors.texts), result.alignment.grid.class_count) >= FEWEST_TIMELINES
    no_place = NO_CONTRAST if enough else _FEW_DISTRACTORS if distractors.texts else NO_DISTRACTOR
    success = None if two_sided.p is None else float(two_sided.p <= SUCCESS_P)
    compared_with = "; ".join(filter(None, (distractors.note, _lost(presence.reached))))
    how = f"{presence.how}; {compared_with}"
    errors = np.linalg.norm(found.grounded - np.array(result.alignment.grid.intervals), axis=1)
    missing = np.isnan(errors)
    in_order = None if found.order is None else float(found.order == 1.0 and not missing.any())
    several = result.alignment.grid.class_count > 1
    no_order = "no two events have distinct centres" if several else _ONE_ACTION
    no_error = "no event was found" if found.mean_iou is not None else NO_CONTRAST
    distance = None if found.mean_iou is None or missing.all() else float(np.nanmean(errors))
    complete = None if sem is None else float(every_action_present(presence.values))
    return {
        spec.ATA.name: (ata, ata_reason, None),
        spec.TIM.name: (two_sided.tim, _ONE_ACTION, None),
        spec.TIM_RESCALED.name: (two_sided.tim_rescaled, _ONE_ACTION, None),
        spec.SEM.name: (sem, sem_reason, how),
        spec.SUCCESS.name: (success, no_place, None if two_sided.p is None else f"p = {two_sided.p:.3g}"),
        spec.P.name: (two_sided.p, no_place, compared_with),
        spec.ALL_PRESENT.name: (complete, sem_reason, how),
        spec.MOTION_ORDER.name: (in_order, no_order, None),
        spec.INTERVAL_DISTANCE.name: (distance, no_error, None),
    }


def _lost(reached: BoolArray) -> str | None:
    lost = int((~reached).sum())
    return f"{lost} of {len(reached)} events lie behind the video's end" if lost else None


def _alignment_values(found: AlignmentScores, *, several: bool) -> dict[str, _Value]:
    missing = int(np.isnan(found.grounded[:, 0]).sum())
    note = f"{missing} of {len(found.grounded)} events were not found" if missing else None
    no_order = "no two events have distinct centres" if several else _ONE_ACTION
    no_lag = "no shift makes the video fit its timeline" if several else _ONE_ACTION
    no_error = "no event was found" if found.mean_iou is not None else NO_CONTRAST
    return {
        spec.RECALL_AT_1.name: (found.recall_at_1, _ONE_ACTION, None),
        spec.MOF.name: (found.mof, _ONE_ACTION, None),
        spec.MOF_CORRECTED.name: (found.mof_corrected, _ONE_ACTION, None),
        spec.ORDER.name: (found.order, no_order, note),
        spec.MIOU.name: (found.mean_iou, NO_CONTRAST, note),
        spec.RECALL_AT_HALF.name: (found.recall_at_half, NO_CONTRAST, note),
        spec.BOUNDARY_ERROR.name: (found.boundary_error, no_error, note),
        spec.BOUNDARY_ACCURACY.name: (found.boundary_accuracy, NO_CONTRAST, note),
        spec.LAG.name: (found.lag, no_lag, None),
    }


def _timing(found: AlignmentScores) -> _Value:
    terms = {"MoF": found.mof_corrected, "order": found.order, "IoU": found.mean_iou}
    absent = [name for name, term in terms.items() if term is None]
    return found.tim, NO_CONTRAST, f"without {' and '.join(absent)}" if absent else None


def _per_frame(result: VideoResult) -> dict[str, FrameValues]:
    alignment, indices = result.alignment, result.footage.indices
    cells = _cells(result)
    active = np.where(alignment.grid.mask, alignment.similarity, np.nan)[:, cells]
    labelled = ~np.isnan(active).all(axis=0)
    fits = np.where(labelled, np.fmax.reduce(active, axis=0), np.nan)
    curves = {spec.CLIP_T.name: fits}
    if alignment.scores.mof is not None:
        curves[spec.MOF.name] = alignment.scores.credit[cells]
    return {
        name: FrameValues(indices=indices, values=tuple(float(v) if np.isfinite(v) else None for v in values))
        for name, values in curves.items()
    }


def _features(result: VideoResult) -> dict[str, FrameFeatures]:
    alignment, indices = result.alignment, result.footage.indices
    curves = alignment.contrast[:, _cells(result)].T.astype(np.float32)
    grounded = alignment.scores.grounded.reshape(-1).astype(np.float32)
    features = {
        spec.MIOU.name: FrameFeatures(indices=indices, rows=curves, reference=grounded),
        spec.CON.name: FrameFeatures(indices=indices, rows=result.footage.features),
        spec.CLIP_T.name: _per_event(alignment.presence),
        spec.SEM.name: _per_event(result.presence.values),
    }
    if (two_sided := alignment.two_sided) is not None:
        unasked = two_sided.contrast[:, _cells(result)].T.astype(np.float32)
        presence = two_sided.presence.astype(np.float32)
        features[spec.P.name] = FrameFeatures(indices=indices, rows=unasked, reference=presence)
        first = (alignment.scores.tim, alignment.stretched.tim)
        features[spec.TIM.name] = _per_event(np.array([math.nan if tim is None else tim for tim in first]))
    return features


def _per_event(values: FloatArray) -> FrameFeatures:
    nothing: Rows = np.empty((0, 0), dtype=np.float32)
    return FrameFeatures(indices=(), rows=nothing, reference=values.astype(np.float32))


def _cells(result: VideoResult) -> npt.NDArray[np.int64]:
    """For each frame the cell of the grid it lies in."""
    edges = result.alignment.grid.edges
    times = np.array([result.clip.times[i] for i in result.footage.indices])
    return np.clip(np.searchsorted(edges, times, side="right") - 1, 0, len(edges) - 2)
