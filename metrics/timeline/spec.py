"""Declarations of the timeline metrics."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final

from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.timeline.alignment.scores import TWO_SIDED_VERSION, VERSION
from ipvg_eval.metrics.timeline.distractors import actions_sha256

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
    version: int = VERSION,
) -> MetricSpec:
    return MetricSpec(
        name=f"timeline_{name}",
        version=version,
        higher_is_better=higher,
        bounds=bounds,
        title=title,
        summary=summary,
        caveats=caveats,
        source=source,
        unit=unit,
    )


FIRST_ATA = _spec(
    "ata",
    "Action-timeline alignment",
    "SEM^.4 TIM^.4 CON^.2: the actions are there, at their times, done by one subject.",
    "Read the three factors beside it. A factor near 0 pulls the whole to 0. SEM is a raw cosine, so only "
    "videos scored with one model compare.",
)
FIRST_TIM = _spec(
    "tim",
    "Timing",
    "Mean of corrected MoF, order and corrected IoU, each at least 0: what timing there is beyond chance.",
    "With one event only its interval counts, and the row says so. " + _SCORER,
)
FIRST_SEM = _spec(
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
FIRST_SEM_BY_MODEL: Final = MappingProxyType[str, Any](
    {
        "summary": "Mean over events of the probability with which a vision-language model says yes when "
        "asked whether the prompted stretch shows the action; an event the video does not reach counts 0.",
        "caveats": "The model sees up to 8 frames of an event and is often too sure. Only runs with one "
        "model and one wording of the question compare; the rows name both.",
        "source": "this project's question, metrics/timeline/presence; per-event yes or no as in StoryEval",
    }
)
"""What changes in SEM's declaration where a vision-language model judges presence."""
FIRST_ATA_BY_MODEL: Final = MappingProxyType[str, Any](
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
FIRST_TIM_RESCALED = _spec(
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

ATA = _spec(
    "ata",
    "Action-timeline alignment",
    "max(0, SEM) x TIM x CON: the actions are there, at their times, done by one subject. 0 at chance, 1 at "
    "best, "
    "negative where the actions are there in another order.",
    "Read the three factors beside it. One video says little: where nothing is shown, TIM of a single video "
    "with two "
    "events has a standard deviation of .5. Only videos scored with one model compare.",
    bounds=(None, 1.0),
    version=TWO_SIDED_VERSION,
)
TIM = _spec(
    "tim",
    "Timing",
    "How much better the video fits this order of its actions than their other orders: (T - E0) / (1 - E0), "
    "T the mean "
    "of corrected MoF, order, corrected IoU and presence in time, E0 its mean over the orders. 0 at chance.",
    "Missing for a single action. Its terms go in steps (windows, ranks), so that a tiny change of a video "
    "that shows "
    "nothing can move it; means over a test set do not jump. " + _SCORER,
    bounds=(None, 1.0),
    version=TWO_SIDED_VERSION,
)
TIM_RESCALED = _spec(
    "tim_rescaled",
    "Timing, rescaled timeline",
    "Timing with the timeline stretched to the video's length.",
    "Forgives a wrong length. " + _SCORER,
    bounds=(None, 1.0),
    version=TWO_SIDED_VERSION,
)
_CAPTIONS: Final = (
    "Models that read text also fit an action's caption written into the picture: the audit's finding of "
    "burned-in "
    "text points to such videos."
)
_DISTRACTORS: Final = f"own list metrics/timeline/everyday_actions.txt, sha256 {actions_sha256()[:16]}"
SEM = _spec(
    "sem",
    "Presence of the actions",
    "Mean over events of 2 s - 1, s the share of other actions (about 200 everyday ones of the same "
    "subject, the sample's "
    "own others, no action) that fit the event's stretch less. 0 at chance; an event that the video does "
    "not reach "
    "counts 0.",
    "A text can fit better than others because of its wording or its objects, not its action. " + _CAPTIONS,
    bounds=(-1.0, 1.0),
    source=_DISTRACTORS,
    version=TWO_SIDED_VERSION,
)
SUCCESS = _spec(
    "success",
    "Success",
    "1 where at most 5 % of timelines of random actions contrast as well with the rest of the video, else "
    "0; its "
    "mean is the share of such videos, 5 % at chance.",
    "The better of two tries succeeds by chance in at most 10 %. " + _CAPTIONS,
    source=_DISTRACTORS,
)
P = _spec(
    "p",
    "Place among random timelines",
    "Share of 200 timelines, this one and 199 of random actions, whose actions fit their own times as much "
    "better than "
    "the rest of the video.",
    "Small where the timeline is kept; uniform at chance. Not a probability that the video is right.",
    higher=False,
    source=_DISTRACTORS,
)
ALL_PRESENT = _spec(
    "all_present",
    "Every action present",
    "1 where every event beats 95 % of the other actions in its stretch, else 0; its mean is the share of "
    "complete videos.",
    "Hard with many events: one that is missing makes it 0. " + _CAPTIONS,
    source="unanimous completion as in StoryEval, by distractors in place of repeated answers",
)
MOTION_ORDER = _spec(
    "motion_order",
    "Every action in order",
    "1 where every action is found and all are found in the prompted order, else 0.",
    "All or nothing; two events of noise are in order every other time. " + _SCORER,
    source="the idea of VBench-2.0's Motion Order, by grounding in place of a description",
)
INTERVAL_DISTANCE = _spec(
    "interval_distance",
    "Distance of intervals (t-L2)",
    "Mean over the found events of the Euclidean distance of found from prompted (start, end).",
    "Events that were not found are left out: read it beside the mean IoU. " + _PLACE,
    bounds=(0.0, None),
    higher=False,
    unit="s",
    source="t-L2 of S2VTime (AlcheMinT), of actions in place of subjects",
)
SEM_BY_MODEL: Final = MappingProxyType[str, Any](
    {
        "summary": "Mean over events of 2 s - 1, s the share of up to eight other actions to which a "
        "vision-language model "
        "says yes less surely when shown the event's stretch. 0 at chance; an event that the video does not "
        "reach counts 0.",
        "caveats": "The model sees up to 8 frames of an event. Only runs with one model and one wording of "
        "the question "
        "compare; the rows name both. " + _CAPTIONS,
        "source": "this project's question, metrics/timeline/presence; per-event yes or no as in StoryEval; "
        + _DISTRACTORS,
    }
)
"""What changes in SEM's declaration where a vision-language model judges presence."""

FIRST_SPECS = (
    FIRST_ATA, FIRST_TIM, FIRST_SEM, CON, MIOU, MOF, ORDER, RECALL_AT_1, CLIP_T, MOF_CORRECTED,
    RECALL_AT_HALF,
    BOUNDARY_ERROR, BOUNDARY_ACCURACY, LAG, CON_MIN, MIOU_RESCALED, FIRST_TIM_RESCALED, EXCESS, EVENTS,
)  # fmt: skip
"""Every metric of the first version, in the order of the columns."""

SPECS = (
    ATA, TIM, SEM, CON, SUCCESS, MIOU, MOF, ORDER, RECALL_AT_1, CLIP_T, ALL_PRESENT, MOTION_ORDER,
    MOF_CORRECTED,
    RECALL_AT_HALF, BOUNDARY_ERROR, BOUNDARY_ACCURACY, INTERVAL_DISTANCE, LAG, P, CON_MIN, MIOU_RESCALED,
    TIM_RESCALED,
    EXCESS, EVENTS,
)  # fmt: skip
"""Every timeline metric, in the order of the columns."""
