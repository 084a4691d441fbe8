"""Writing the video file."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

Pictures = npt.NDArray[np.uint8]

# One encoder thread, so that equal pictures give equal bytes on every machine. No macroblock tree: in x264's
# fast code for it, the place of its buffers in memory decides, so that two calls may differ.
_X264 = "threads=1:lookahead-threads=1:sync-lookahead=0:mbtree=0"


def write_mp4(
    path: Path, pictures: Pictures, *, fps: float, crf: int = 17, comment: str | None = None
) -> None:
    """Write H.264 in yuv420p whose index stands in front, so that players can start before the end.

    The caller renames the file: this writes in place.

    Args:
        path: the file.
        pictures: (n, H, W, 3) RGB uint8, H and W even.
        fps: pictures per second.
        crf: x264's quality, lower is better.
        comment: a remark inside the file.

    Raises:
        ValueError: the size is odd or there is no picture.
    """
    count, height, width, _ = pictures.shape
    if not count or height % 2 or width % 2:
        raise ValueError(f"{count} pictures of {width} x {height} make no yuv420p video")
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as file:
        if comment is not None:
            file.metadata["comment"] = comment
        stream = file.add_stream(
            "libx264",
            rate=Fraction(fps).limit_denominator(1001),
            options={"crf": str(crf), "preset": "medium", "x264-params": _X264},
        )
        stream.height, stream.width, stream.pix_fmt = height, width, "yuv420p"
        stream.codec_context.thread_count = 1
        for picture in pictures:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")))
        file.mux(stream.encode(None))
