"""What some evaluators need beside a video's frames: its sounds, and the test set's own video."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ipvg_eval.core.sound import Heard, NoSound, Sound, Sounds
from ipvg_eval.decoding import DecoderProcess, OpenVideo
from ipvg_eval.errors import VideoError
from ipvg_eval.metrics.evaluator import Evaluator
from ipvg_eval.metrics.target import Audio

_KEPT_BYTES = 64 * 2**20
_NOBODY_LISTENS = NoSound(reason="no evaluator asked for it")


@dataclass(frozen=True, kw_only=True)
class NoReferenceVideo:
    """There is no reference video to compare with, and why."""

    reason: str


def heard(evaluators: Sequence[Evaluator]) -> frozenset[Heard]:
    """Which sounds anybody wants to hear."""
    return frozenset[Heard]().union(*(evaluator.hears for evaluator in evaluators))


def comparing(evaluators: Sequence[Evaluator]) -> list[Evaluator]:
    """Those that look at the test set's own video too."""
    return [evaluator for evaluator in evaluators if evaluator.compares]


class DrivingSounds:
    """Driving sounds by their content, so that the next submission's videos need not read them again.

    The least used go where they take more than 64 MiB. May be used by several threads.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Sound | NoSound] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, audio: Audio, read: Callable[[Audio], Sound | NoSound]) -> Sound | NoSound:
        """The sound, read where it is not known."""
        with self._lock:
            if (known := self._kept.get(audio.sha256)) is not None:
                self._kept.move_to_end(audio.sha256)
                return known
        sound = read(audio)
        with self._lock:
            if audio.sha256 not in self._kept:
                self._kept[audio.sha256] = sound
                self._bytes += _size(sound)
                while self._bytes > _KEPT_BYTES:
                    self._bytes -= _size(self._kept.popitem(last=False)[1])
        return sound


def listen(video: OpenVideo, driving: Sound | NoSound, which: frozenset[Heard]) -> Sounds:
    """The sounds of a video that has just been opened."""
    return Sounds(driving=driving, embedded=video.listen() if "embedded" in which else _NOBODY_LISTENS)


def read_driving(
    decoder: DecoderProcess, audio: Audio | None, kept: DrivingSounds, which: frozenset[Heard]
) -> Sound | NoSound:
    """The sound that a sample's video was to be driven with; what is wrong with it is no video's fault."""
    if "driving" not in which:
        return _NOBODY_LISTENS
    if audio is None:
        return NoSound(reason="the test set has no driving sound for this sample")

    def read(audio: Audio) -> Sound | NoSound:
        try:
            sound = decoder.listen(audio.path)
        except VideoError as error:
            return NoSound(reason=f"the driving sound cannot be read: {error.message}")
        return NoSound(reason=f"driving sound: {sound.reason}") if isinstance(sound, NoSound) else sound

    return kept.get(audio, read)


def _size(sound: Sound | NoSound) -> int:
    return 0 if isinstance(sound, NoSound) else sound.samples.nbytes
