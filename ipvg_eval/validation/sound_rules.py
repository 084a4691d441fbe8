"""From a talking head's sound to findings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from ipvg_eval.core.sound import NoSound, Sound
from ipvg_eval.errors import VideoError
from ipvg_eval.findings import Finding
from ipvg_eval.metrics.talking.agreement import agreement, silence
from ipvg_eval.validation.header_rules import About
from ipvg_eval.video import VideoHeader, read_sound

FOREIGN = 0.5
"""Correlation below which a sound is called another one; codecs leave 0.9 and more."""

_LATE = 0.04  # seconds; people notice lips that are off by more than two frames or so
_LENGTH = 0.1
_USUAL_FPS = 25.0

_MUX = (
    "Export it with the test set's sound (ffmpeg -i VIDEO -i SOUND.wav -map 0:v -map 1:a -c:v copy OUT.mp4)."
)


def check_sound(
    file: BinaryIO, header: VideoHeader, driving: Sound | NoSound, about: About, time_limit: float
) -> Iterator[Finding]:
    """Hold a video's sound, length and frame rate against the sound that it is to be driven with."""
    yield from _length(header, driving, about)
    if header.fps is not None and header.fps < _USUAL_FPS - 0.01:
        text = f"It has {header.fps:.2f} frames per second; what looks at lips reads {_USUAL_FPS:g}."
        yield about.warning("video-frame-rate-low", text, "Export it with 25 frames per second or more.")
    if header.audio_streams == 0:
        yield about.error("sound-missing", "There is no sound in it.", _MUX)
        return
    if header.audio_streams > 1:
        text = f"There are {header.audio_streams} streams of sound in it; the first one counts."
        yield about.warning("sound-streams", text, "Export it with one stream of sound.")
    try:
        sound = read_sound(file, time_limit=time_limit)
    except VideoError as error:
        sound = NoSound(reason=error.message)
    if (why := silence(sound)) is not None or isinstance(sound, NoSound):
        yield about.error("sound-missing", f"Nothing is to be heard: {why}.", _MUX)
        return
    if isinstance(driving, NoSound) or silence(driving) is not None:
        return  # the test set's own fault, which is said there
    found = agreement(driving.samples, sound.samples)
    if found.value < FOREIGN:
        text = f"It is not the sample's sound (correlation {found.value:.2f})."
        yield about.error("sound-foreign", text, _MUX)
    elif abs(found.lag) > _LATE:
        text = f"The sound is {abs(found.lag):.2f} s {'late' if found.lag > 0 else 'early'}."
        yield about.warning("sound-shifted", text, _MUX)


def _length(header: VideoHeader, driving: Sound | NoSound, about: About) -> Iterator[Finding]:
    if isinstance(driving, NoSound) or not header.duration:
        return
    text = f"It lasts {header.duration:.2f} s, the sound that drives it {driving.duration:.2f} s."
    if not driving.duration / 2 <= header.duration <= 2 * driving.duration:
        yield about.error("video-length", text, "Generate the whole video, and nothing beyond it.")
    elif abs(header.duration - driving.duration) > _LENGTH:
        yield about.warning("video-length", text, "Generate pictures for the whole sound.")
