"""Timeline metrics of a finished run under other options.

Everything that a scorer sees is fixed once it has looked. What can change without a frame is
how presence is judged, from a model's answers back to the cosines, which every run keeps, and with
it SEM and ATA; and whether VideoScore is reported. The formula of ATA and the thresholds are
no options: they change with the metrics' version.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from ipvg_eval.core.measurement import Measurement
from ipvg_eval.metrics.rescoring import Kept, disagreement, not_reported
from ipvg_eval.metrics.timeline import spec
from ipvg_eval.metrics.timeline.alignment.scores import action_timeline_alignment
from ipvg_eval.metrics.timeline.configuration import TimelineAlignmentOptions
from ipvg_eval.metrics.timeline.video_result import COSINES, mean_presence
from ipvg_eval.metrics.timeline.video_score.spec import VIDEO_SCORES

_WHAT_IS_SEEN: Final = (
    "scorer", "scorer_model", "examples", "frames_per_second", "frame_limit", "subject",
)  # fmt: skip
_FROM_PRESENCE: Final = {
    spec.SEM.name: (spec.CLIP_T.name,),
    spec.ATA.name: (spec.CLIP_T.name, spec.TIM.name, spec.CON.name),
}
"""What SEM and ATA are recombined from where presence is judged otherwise."""

_VIDEO_SCORES: Final = frozenset(one.name for one in VIDEO_SCORES)


def cannot_rescore(
    name: str,
    options: TimelineAlignmentOptions,
    earlier: TimelineAlignmentOptions,
    reported: Collection[str],
) -> str | None:
    """Why a metric of a run cannot be had under other options, None where it can."""
    if name in _VIDEO_SCORES:
        return not_reported(name, reported) or disagreement(options, earlier, ("frame_limit",))
    seen = disagreement(options, earlier, _WHAT_IS_SEEN)
    if seen is not None or name not in _FROM_PRESENCE:
        return seen or not_reported(name, reported)
    if _same_presence(options, earlier):
        return not_reported(name, reported)
    if options.presence == "vlm":
        return "the run did not ask this vision-language model about presence"
    needed = (not_reported(other, reported) for other in _FROM_PRESENCE[name])
    return next((why for why in needed if why is not None), None)


def rescore(
    name: str, options: TimelineAlignmentOptions, earlier: TimelineAlignmentOptions, kept: Kept
) -> Measurement:
    """A metric as the run has it, SEM and ATA from the cosines where the run asked a model.

    Raises:
        KeptMissing: the cosines are gone.
    """
    if name not in _FROM_PRESENCE or _same_presence(options, earlier):
        return kept.measurements[name]
    cosines = kept.measurements[spec.CLIP_T.name]
    if cosines.value is None and cosines.features is None:  # no usable timeline, or nothing to see
        return replace(cosines, name=name)
    presence = kept.features(spec.CLIP_T.name).reference
    assert presence is not None
    semantic = mean_presence(presence)
    if name == spec.SEM.name:
        note = "; ".join(filter(None, (COSINES, cosines.note)))
        features = kept.features(spec.CLIP_T.name)
        return Measurement(name=name, value=semantic, note=note, features=features)
    timing, consistency = (kept.measurements[other] for other in (spec.TIM.name, spec.CON.name))
    value = action_timeline_alignment(semantic=semantic, timing=timing.value, consistency=consistency.value)
    reason = None if value is not None else timing.reason or consistency.reason
    return Measurement(name=name, value=value, reason=reason, note=timing.note)


def _same_presence(options: TimelineAlignmentOptions, earlier: TimelineAlignmentOptions) -> bool:
    if options.presence != earlier.presence:
        return False
    return options.presence == "clip_t" or options.presence_model == earlier.presence_model
