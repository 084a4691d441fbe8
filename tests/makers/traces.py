"""What must not be left in a clip."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

# x264 writes its version and settings into the stream, muxers and encoders their names into the container.
TRACES = (b"x264", b"x265", b"Lavf", b"Lavc", b"libx", b"ffmpeg", b"HandBrake")


def holds(path: Path, traces: Iterable[bytes]) -> bool:
    """Whether any of these byte strings is in a file, in upper or lower case."""
    content = path.read_bytes().lower()
    return any(trace.lower() in content for trace in traces)
