"""Files with sound, written with PyAV and `wave`."""

from __future__ import annotations

import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

RATE = 16000
Samples = npt.NDArray[np.int16]


def chirp(seconds: float = 2.0, rate: int = RATE, *, seed: int = 0) -> Samples:
    """A sweep with a slow, irregular loudness: no two stretches of it are alike."""
    time = np.arange(round(seconds * rate)) / rate
    loud = np.interp(
        time,
        np.arange(0, seconds + 1, 0.1),
        np.random.default_rng(seed).uniform(0.2, 1, 1 + int((seconds + 0.99) * 10)),
    )
    return np.rint(9000 * loud * np.sin(2 * np.pi * (200 + 150 * time) * time)).astype(np.int16)


def write_wav(path: Path, samples: Samples, rate: int = RATE) -> Path:
    """16 bits; one channel, or (channels, n)."""
    channels = np.atleast_2d(samples)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(channels.T.astype("<i2").tobytes())
    return path


def write_video(
    path: Path,
    *sounds: Samples,
    rate: int = RATE,
    layout: str = "mono",
    codec: str = "aac",
    start: float = 0.0,
    fps: int = 25,
    frames: int = 50,
) -> Path:
    """A small grey video with these streams of sound, which begin `start` seconds after its pictures."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=fps)
        video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
        streams = [container.add_stream(codec, rate=rate, layout=layout) for _ in sounds]
        for number in range(frames):
            picture = np.full((64, 64, 3), 4 * number % 256, np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(video.encode(None))
        for stream, samples in zip(streams, sounds, strict=True):
            for first in range(0, len(samples), 1024):
                block = samples[None, first : first + 1024].repeat(len(stream.layout.channels), axis=0)
                if codec.startswith(("pcm", "adpcm")):
                    frame = av.AudioFrame.from_ndarray(block.T.reshape(1, -1).copy(), "s16", layout)
                else:
                    frame = av.AudioFrame.from_ndarray((block / 32768).astype(np.float32), "fltp", layout)
                frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
                frame.pts = first + round(start * rate)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    return path
