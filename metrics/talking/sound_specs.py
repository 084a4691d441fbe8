"""Declarations of what is measured of a video's sound alone."""

from __future__ import annotations

from typing import Final

from ipvg_eval.core.spec import MetricSpec

AUDIO_PRESENT: Final = MetricSpec(
    name="audio_present",
    version=1,
    higher_is_better=True,
    bounds=(0.0, 1.0),
    title="Sound present",
    summary="1 where the submitted file has a sound that is not silent, else 0.",
    caveats="Says nothing of whose sound it is; see audio_agrees. Metrics of lip sync may listen to the "
    "driving sound instead and have values for a mute video.",
    source="own",
)
AUDIO_AGREES: Final = MetricSpec(
    name="audio_agrees",
    version=1,
    higher_is_better=True,
    bounds=(-1.0, 1.0),
    title="Sound is the driving sound",
    summary="Largest correlation of the submitted file's sound with the driving sound, over shifts of up to "
    "a second.",
    caveats="Loudness does not matter, codecs cost 0.01 or so. A voice that was synthesised anew, stretched "
    "or filtered in phase does not agree although it may say the same.",
    source="own",
)
AUDIO_LAG: Final = MetricSpec(
    name="audio_lag",
    version=1,
    higher_is_better=None,
    bounds=(-1.0, 1.0),
    unit="s",
    title="Sound's delay",
    summary="Seconds by which the submitted file's sound is later than the driving sound, where both agree "
    "best.",
    caveats="Means something only where audio_agrees is high. A delay of the sound alone shifts lip sync "
    "measured on it as well.",
    source="own",
)
DURATION_DIFFERENCE: Final = MetricSpec(
    name="duration_difference",
    version=1,
    higher_is_better=None,
    bounds=(None, None),
    unit="s",
    title="Length beyond the sound's",
    summary="Length of the video's pictures minus length of the driving sound, in seconds.",
    caveats="Some generators make whole blocks of frames, and a frame more or less is no fault.",
    source="own",
)

SPECS: Final = (AUDIO_PRESENT, AUDIO_AGREES, AUDIO_LAG, DURATION_DIFFERENCE)
