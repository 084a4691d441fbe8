"""The sound of a submitted video: is there any, is it the driving sound, is it as long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from typing_extensions import override

from ipvg_eval.core.measurement import ClipInfo, Frames, Measurement
from ipvg_eval.core.sound import Heard, NoSound, Sound, Sounds
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.evaluator import Evaluator, EvaluatorOptions
from ipvg_eval.metrics.talking.agreement import agreement, silence
from ipvg_eval.metrics.talking.sound_specs import (
    AUDIO_AGREES,
    AUDIO_LAG,
    AUDIO_PRESENT,
    DURATION_DIFFERENCE,
    SPECS,
)
from ipvg_eval.metrics.target import Target

NOTHING_HEARD = "no sound was read"


class SoundOptions(EvaluatorOptions):
    """It has no options."""


class SoundCheck(Evaluator[SoundOptions]):
    """Measures `audio_present`, `audio_agrees`, `audio_lag` and `duration_difference`; looks at no frame."""

    Options = SoundOptions
    SPECS: ClassVar[tuple[MetricSpec, ...]] = SPECS
    BUDGET: ClassVar[None] = None
    hears: frozenset[Heard] = frozenset({"driving", "embedded"})

    @override
    def frames(self, clip: ClipInfo) -> Sequence[int]:
        """None."""
        return ()

    @override
    def start(self, target: Target, clip: ClipInfo) -> _SoundPass:
        """Wait for the sounds."""
        return _SoundPass(clip)


class _SoundPass:
    def __init__(self, clip: ClipInfo) -> None:
        self._clip = clip
        nothing = NoSound(reason=NOTHING_HEARD)
        self._sounds = Sounds(driving=nothing, embedded=nothing)

    def hear(self, sounds: Sounds) -> None:
        self._sounds = sounds

    def add(self, indices: Sequence[int], frames: Frames) -> None:
        """Nothing to do."""

    def finish(self) -> list[Measurement]:
        driving, embedded = self._sounds.driving, self._sounds.embedded
        why = silence(embedded)
        present = Measurement(
            name=AUDIO_PRESENT.name,
            value=0.0 if why else 1.0,
            note=why or _note(embedded, self._clip.duration),
        )
        return [present, *_agreement(driving, embedded), _difference(driving, self._clip.duration)]


def _agreement(driving: Sound | NoSound, embedded: Sound | NoSound) -> list[Measurement]:
    why = silence(embedded) or silence(driving)
    if why or isinstance(driving, NoSound) or isinstance(embedded, NoSound):
        return [Measurement(name=spec.name, value=None, reason=why) for spec in (AUDIO_AGREES, AUDIO_LAG)]
    found = agreement(driving.samples, embedded.samples)
    return [
        Measurement(name=AUDIO_AGREES.name, value=found.value),
        Measurement(name=AUDIO_LAG.name, value=found.lag),
    ]


def _difference(driving: Sound | NoSound, duration: float) -> Measurement:
    if isinstance(driving, NoSound):
        return Measurement(name=DURATION_DIFFERENCE.name, value=None, reason=driving.reason)
    return Measurement(name=DURATION_DIFFERENCE.name, value=duration - driving.duration)


def _note(embedded: Sound | NoSound, duration: float) -> str | None:
    """What is special about a sound that is there."""
    assert isinstance(embedded, Sound)
    notes = [embedded.note] if embedded.note else []
    beyond = embedded.duration - duration
    # A codec's block of 2048 samples may stick out.
    if abs(beyond) > 0.15:
        notes.append(
            f"the sound is {abs(beyond):.2f} s {'longer' if beyond > 0 else 'shorter'} than the picture"
        )
    return "; ".join(notes) or None
