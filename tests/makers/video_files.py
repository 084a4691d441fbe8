"""Videos as bytes, good and broken."""

from __future__ import annotations

import io
import struct
from functools import cache

import av
import numpy as np

FPS = 16


@cache
def encode(
    *,
    seed: int = 0,
    frames: int = 12,
    width: int = 160,
    height: int = 128,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    container: str = "mp4",
    rate: int = FPS,
    streams: int = 1,
    audio: bool = False,
    uneven: bool = False,
    options: tuple[tuple[str, str], ...] = (),
    container_options: tuple[tuple[str, str], ...] = (),
    metadata: tuple[tuple[str, str], ...] = (),
    start: int = 0,
) -> bytes:
    """A small real video of a moving noise picture."""
    buffer = io.BytesIO()
    base = np.random.default_rng(seed).integers(0, 255, (height // 8 + 1, width // 8 + 1, 3), dtype=np.uint8)
    picture = base.repeat(8, 0).repeat(8, 1)[:height, :width]
    with av.open(buffer, "w", format=container, options=dict(container_options)) as file:
        file.metadata.update(dict(metadata))
        video = [file.add_stream(codec, rate=rate) for _ in range(streams)]
        for stream in video:
            stream.width, stream.height, stream.pix_fmt = width, height, pixel_format
            if codec in ("libx264", "libx265"):
                stream.options = {"preset": "ultrafast", "x265-params": "log-level=none"}
            if codec == "libsvtav1":
                stream.options = {"preset": "12"}
            stream.options = {**stream.options, **dict(options)}
        sound = file.add_stream("aac", rate=44100) if audio else None
        for i in range(frames):
            frame = av.VideoFrame.from_ndarray(np.roll(picture, 2 * i, axis=1), format="rgb24")
            frame.pts = start + (i + i // 3 if uneven else i)
            for stream in video:
                file.mux(stream.encode(frame.reformat(format=pixel_format)))
        if sound is not None:
            file.mux(sound.encode(_silence()))
            file.mux(sound.encode(None))
        for stream in video:
            file.mux(stream.encode(None))
    return buffer.getvalue()


def _silence() -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(np.zeros((1, 4410), np.float32), format="fltp", layout="mono")
    frame.sample_rate, frame.pts = 44100, 0
    return frame


def sound_only() -> bytes:
    """An MP4 file without a video stream."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as file:
        stream = file.add_stream("aac", rate=44100)
        file.mux(stream.encode(_silence()))
        file.mux(stream.encode(None))
    return buffer.getvalue()


def rotated(data: bytes) -> bytes:
    """The track header's matrix replaced by a quarter turn (ISO 14496-12, 8.3.2, version 0)."""
    matrix = data.index(b"tkhd") + 44
    quarter = struct.pack(">9l", 0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
    return data[:matrix] + quarter + data[matrix + 36 :]


def cut(data: bytes) -> bytes:
    """Without the last fifth of the frames' data; the movie header moves in front and stays whole."""
    start = data.index(b"mdat") - 4
    size = int.from_bytes(data[start : start + 4], "big")
    moov = bytearray(data[start + size :])
    # Chunk offsets grow by the length of the header that now precedes the data.
    table = moov.index(b"stco") + 8
    for k in range(int.from_bytes(moov[table : table + 4], "big")):
        at = table + 4 + 4 * k
        moov[at : at + 4] = (int.from_bytes(moov[at : at + 4], "big") + len(moov)).to_bytes(4, "big")
    return data[:start] + bytes(moov) + data[start : start + size * 4 // 5]


def spoiled(data: bytes) -> bytes:
    """The first frame's data overwritten."""
    start = data.index(b"mdat") + 4
    return data[:start] + b"\xff" * 3000 + data[start + 3000 :]
