"""Declarations of the timeline metrics."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final

from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.timeline.alignment.scores import VERSION

_SOURCE = "this project's rule, ipvg_eval.metrics.timeline.alignment"
_SCORER = (
    "It is no better than the scorer: image-text models tell objects and scenes apart better than motion."
)
_PLACE = "Borders are found on a grid of 0.25 s with windows of up to 1 s. " + _SCORER


def _spec(
    name: str,
    title: str,
    summary: str,
    caveats: str,
    *,
    bounds: tuple[float | None, float | None] = (0.0, 1.0),
    higher: bool | None = True,
    unit: str = "",
    source: str = _SOURCE,
) -> MetricSpec:
    return MetricSpec(
        name=f"timeline_{name}",
        version=VERSION,
        higher_is_better=higher,
        bounds=bounds,
        title=title,
        summary=summary,
        caveats=caveats,
        source=source,
        unit=unit,
    )


ATA = _spec(
    "ata",
    "Action-timeline alignment",
    "SEM^.4 TIM^.4 CON^.2: the actions are there, at their times, done by one subject.",
    "Read the three factors beside it. A factor near 0 pulls the whole to 0. SEM is a raw cosine, so only "
    "videos scored with one model compare.",
)
TIM = _spec(
    "tim",
    "Timing",
    "Mean of corrected MoF, order and corrected IoU, each at least 0: what timing there is beyond chance.",
    "With one event only its interval counts, and the row says so. " + _SCORER,
)
SEM = _spec(
    "sem",
    "Presence of the actions",
    "Mean over events of the cosine between the prompted stretch and the action's text, at least 0; an "
    "event that the video does not reach counts 0.",
    "Absolute cosines agree weakly with people's judgement and differ between models.",
    source="CLIP-T per event as in MinT (arXiv 2412.05263)",
)
CLIP_T = _spec(
    "clip_t",
    "CLIP-T per event",
    "Mean cosine between the prompted stretch and the action's text, over the events the video reaches.",
    "Absolute cosines agree weakly with people's judgement and differ between models.",
    bounds=(-1.0, 1.0),
    source="CLIP-T per event as in MinT (arXiv 2412.05263)",
)
SEM_BY_MODEL: Final = MappingProxyType[str, Any](
    {
        "summary": "Mean over events of the probability with which a vision-language model says yes when "
        "asked whether the prompted stretch shows the action; an event the video does not reach counts 0.",
        "caveats": "The model sees up to 8 frames of an event and is often too sure. Only runs with one "
        "model and one wording of the question compare; the rows name both.",
        "source": "this project's question, metrics/timeline/presence; per-event yes or no as in StoryEval",
    }
)
"""What changes in SEM's declaration where a vision-language model judges presence."""
ATA_BY_MODEL: Final = MappingProxyType[str, Any](
    {
        "caveats": "Read the three factors beside it. A factor near 0 pulls the whole to 0. SEM is a "
        "vision-language model's probability, so only videos judged by one model compare.",
    }
)
"""What changes in ATA's declaration there."""
CON_BY_SUBJECTS: Final = MappingProxyType[str, Any](
    {
        "summary": "Mean cosine of each subject's crops between events, at least 0, times the share of "
        "frames in which the subjects are found.",
        "caveats": "A frozen video has the best value. A subject that is meant for one event only lowers "
        "coverage in the others. Without a detector the whole frame is compared, and the row says so.",
    }
)
"""What changes in CON's declaration where subjects are looked for."""
CON_MIN_BY_SUBJECTS: Final = MappingProxyType[str, Any](
    {
        "summary": "The least similar pair of events of any subject, at least 0, times the same share.",
        "caveats": CON_BY_SUBJECTS["caveats"],
    }
)
"""What changes in CON_MIN's declaration there."""
CON = _spec(
    "con",
    "Subject consistency over events",
    "Mean cosine of the frames' mean features between events, at least 0, times the share of frames read.",
    "A frozen video has the best value. Without a detector the whole frame is compared, so a change of "
    "scene lowers it.",
)
CON_MIN = _spec(
    "con_min",
    "Least subject consistency",
    "The least similar pair of events, at least 0, times the share of frames read.",
    "A frozen video has the best value. Without a detector the whole frame is compared.",
)
RECALL_AT_1 = _spec(
    "recall_at_1",
    "Recall at 1",
    "Share of actions whose text fits their own prompted stretch best, after double centring; ties "
    "share the credit. Chance is 1/K.",
    "Coarse: a video with K events has K + 1 values. " + _SCORER,
    source="segment-prompt matrices as in MTVBench, double-centred",
)
MOF = _spec(
    "mof",
    "Mean over frames",
    "Share of labelled windows in which the prompted action fits best, after double centring. Chance is 1/K.",
    "A long event weighs more than a short one. " + _SCORER,
)
MOF_CORRECTED = _spec(
    "mof_corrected",
    "Mean over frames, corrected",
    "(MoF - 1/K) / (1 - 1/K): 0 at chance.",
    "A long event weighs more than a short one. " + _SCORER,
    bounds=(-1.0, 1.0),
)
ORDER = _spec(
    "order",
    "Order of the actions",
    "Kendall's tau between the found and the prompted order; an action that is not found counts 0.",
    "Says nothing about when. " + _SCORER,
    bounds=(-1.0, 1.0),
)
MIOU = _spec(
    "miou",
    "Mean IoU of the events",
    "Mean intersection over union of found and prompted intervals; an event that is not found counts 0.",
    "Noise scores about .31, .25 and .20 with 2, 3 and 4 equal events in 5 s. " + _PLACE,
    source="temporal grounding; intervals of maximal sum",
)
RECALL_AT_HALF = _spec(
    "recall_at_half",
    "Events found (IoU .5)",
    "Share of events whose found interval overlaps the prompted one with IoU of at least .5.",
    _PLACE,
    source="temporal grounding",
)
BOUNDARY_ERROR = _spec(
    "boundary_error",
    "Boundary error",
    "Mean distance of found from prompted starts and ends, over the events that were found.",
    "Events that were not found are left out: read it beside the mean IoU. " + _PLACE,
    bounds=(0.0, None),
    higher=False,
    unit="s",
)
BOUNDARY_ACCURACY = _spec(
    "boundary_accuracy",
    "Boundaries within half a second",
    "Share of all starts and ends that were found within 0.5 s.",
    "The first start and the last end are easy. " + _PLACE,
)
LAG = _spec(
    "lag",
    "Lag",
    "Shift of the timeline that fits the video best; positive where the actions come late.",
    "Found in steps of 0.25 s, at most half the timeline. " + _SCORER,
    bounds=(None, None),
    higher=None,
    unit="s",
)
MIOU_RESCALED = _spec(
    "miou_rescaled",
    "Mean IoU, rescaled timeline",
    "Mean IoU with the timeline stretched to the video's length.",
    "Forgives a wrong length. " + _PLACE,
    source="temporal grounding; intervals of maximal sum",
)
TIM_RESCALED = _spec(
    "tim_rescaled",
    "Timing, rescaled timeline",
    "Timing with the timeline stretched to the video's length.",
    "Forgives a wrong length. " + _SCORER,
)
EXCESS = _spec(
    "excess",
    "Length beyond the timeline",
    "Seconds by which the video is longer than its timeline; negative where it is shorter.",
    "Assumes that the timeline is in seconds; the row says where another unit fits better.",
    bounds=(None, None),
    higher=None,
    unit="s",
)
EVENTS = _spec(
    "events",
    "Events",
    "Number of events in the timeline.",
    "Events that could not be read are not counted.",
    bounds=(1.0, None),
    higher=None,
)

SPECS = (
    ATA, TIM, SEM, CON, MIOU, MOF, ORDER, RECALL_AT_1, CLIP_T, MOF_CORRECTED, RECALL_AT_HALF,
    BOUNDARY_ERROR, BOUNDARY_ACCURACY, LAG, CON_MIN, MIOU_RESCALED, TIM_RESCALED, EXCESS, EVENTS,
)  # fmt: skip
"""Every timeline metric, in the order of the columns."""
