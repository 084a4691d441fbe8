"""Timeline metrics of a finished run under other options.

Everything that a scorer sees is fixed once it has looked. What can change without a frame is
how presence is judged, from a model's answers back to the cosines, which every run keeps, and with
it SEM and ATA; the version of TIM, SEM and ATA, from the second back to the first; and whether VideoScore is
reported. The first version kept neither distractors nor the texts' embeddings, so that the second cannot be
had from it.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace
from types import MappingProxyType
from typing import Final

import numpy as np

from ipvg_eval.core.measurement import FrameFeatures, Measurement
from ipvg_eval.metrics.rescoring import Kept, disagreement, not_reported
from ipvg_eval.metrics.timeline import spec
from ipvg_eval.metrics.timeline.alignment.distractor_contrast import (
    every_action_present,
    mean_two_sided,
)
from ipvg_eval.metrics.timeline.alignment.scores import (
    action_timeline_alignment,
    first_action_timeline_alignment,
)
from ipvg_eval.metrics.timeline.configuration import TimelineAlignmentOptions
from ipvg_eval.metrics.timeline.video_result import (
    COSINES,
    NO_CONTRAST,
    NO_DISTRACTOR,
    mean_presence,
)
from ipvg_eval.metrics.timeline.video_score.spec import VIDEO_SCORES

_WHAT_IS_SEEN: Final = (
    "scorer", "scorer_model", "examples", "frames_per_second", "frame_limit", "subject",
)  # fmt: skip
_FROM_PRESENCE: Final = MappingProxyType(
    {
        1: {
            spec.SEM.name: (spec.CLIP_T.name,),
            spec.ATA.name: (spec.CLIP_T.name, spec.TIM.name, spec.CON.name),
        },
        2: {
            spec.SEM.name: (spec.P.name,),
            spec.ALL_PRESENT.name: (spec.P.name,),
            spec.ATA.name: (spec.P.name, spec.TIM.name, spec.CON.name),
        },
    }
)
"""By version, what is recombined where presence is judged otherwise, and from what."""

_FIRST_TIMING: Final = MappingProxyType({spec.TIM.name: 0, spec.TIM_RESCALED.name: 1})
"""Places of the first version's timing in what the second keeps beside TIM."""

_MOVED: Final = frozenset(
    {spec.TIM.name, spec.TIM_RESCALED.name, *_FROM_PRESENCE[2], spec.SUCCESS.name, spec.P.name}
)

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
    if seen is not None:
        return seen
    if options.version > earlier.version:
        return (
            "the run kept no other actions to compare with (version 1)"
            if name in _MOVED
            else not_reported(name, reported)
        )
    if options.version < earlier.version and name in _FIRST_TIMING:
        return not_reported(spec.TIM.name, reported)
    recombined = _FROM_PRESENCE[options.version]
    if name not in recombined or (_same_presence(options, earlier) and options.version == earlier.version):
        return not_reported(name, reported)
    if options.presence == "vlm":
        return "the run did not ask this vision-language model about presence"
    needed = (not_reported(other, reported) for other in recombined[name])
    return next((why for why in needed if why is not None), None)


def rescore(
    name: str, options: TimelineAlignmentOptions, earlier: TimelineAlignmentOptions, kept: Kept
) -> Measurement:
    """A metric as the run has it, or from what it kept: presence from cosines, the first version's timing.

    Raises:
        KeptMissing: what it is made from is gone.
    """
    downwards = options.version < earlier.version
    if downwards and name in _FIRST_TIMING:
        return _first_timing(name, kept)
    if name not in _FROM_PRESENCE[options.version] or (_same_presence(options, earlier) and not downwards):
        return kept.measurements[name]
    return _first_presence(name, kept, downwards) if options.version == 1 else _two_sided(name, kept)


def _first_presence(name: str, kept: Kept, downwards: bool) -> Measurement:
    """SEM and ATA of the first version, from cosines."""
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
    timing = _first_timing(spec.TIM.name, kept) if downwards else kept.measurements[spec.TIM.name]
    consistency = kept.measurements[spec.CON.name]
    value = first_action_timeline_alignment(
        semantic=semantic, timing=timing.value, consistency=consistency.value
    )
    reason = None if value is not None else timing.reason or consistency.reason
    return Measurement(name=name, value=value, reason=reason, note=timing.note)


def _first_timing(name: str, kept: Kept) -> Measurement:
    """TIM of the first version as a run of the second keeps it, in float32."""
    second = kept.measurements[spec.TIM.name]
    if second.value is None and second.features is None:
        return replace(second, name=name)
    terms = kept.features(spec.TIM.name).reference
    assert terms is not None
    value = float(terms[_FIRST_TIMING[name]])
    if not math.isfinite(value):
        return Measurement(name=name, value=None, reason=NO_CONTRAST)
    return Measurement(name=name, value=value, note=kept.measurements[spec.MIOU.name].note)


def _two_sided(name: str, kept: Kept) -> Measurement:
    """SEM, completeness and ATA of the second version, from cosines."""
    place = kept.measurements[spec.P.name]
    cosines = kept.measurements[spec.CLIP_T.name]
    if cosines.value is None and cosines.features is None:  # no usable timeline, or nothing to see
        return replace(cosines, name=name)
    presence = kept.features(spec.P.name).reference
    assert presence is not None
    reached = kept.features(spec.CLIP_T.name).reference
    assert reached is not None
    compared = bool(np.isfinite(presence[np.isfinite(reached)]).all())
    semantic = mean_two_sided(presence) if compared else None
    note = "; ".join(filter(None, (COSINES, place.note)))
    if name == spec.SEM.name:
        return Measurement(
            name=name,
            value=semantic,
            reason=None if compared else NO_DISTRACTOR,
            note=note,
            features=FrameFeatures(indices=(), rows=np.empty((0, 0), np.float32), reference=presence),
        )
    if name == spec.ALL_PRESENT.name:
        complete = float(every_action_present(presence)) if compared else None
        return Measurement(name=name, value=complete, reason=None if compared else NO_DISTRACTOR, note=note)
    timing, consistency = (kept.measurements[other] for other in (spec.TIM.name, spec.CON.name))
    value = action_timeline_alignment(semantic=semantic, timing=timing.value, consistency=consistency.value)
    reason = timing.reason or (None if compared else NO_DISTRACTOR) or consistency.reason
    return Measurement(name=name, value=value, reason=None if value is not None else reason, note=timing.note)


def _same_presence(options: TimelineAlignmentOptions, earlier: TimelineAlignmentOptions) -> bool:
    if options.presence != earlier.presence:
        return False
    return options.presence == "clip_t" or options.presence_model == earlier.presence_model
