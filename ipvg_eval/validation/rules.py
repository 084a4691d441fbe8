"""What a video must and should be like."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class VideoRules:
    """Bounds of a plausible video. MP4 and H.264 are the challenge's rules and always errors.

    Attributes:
        min_frames: fewer are no video (error).
        min_side: shorter side in pixels below which the picture is called tiny (warning).
        max_side: longer side in pixels above which it is called huge (warning).
        min_duration: seconds (warning).
        max_duration: seconds (warning).
        min_fps: frames per second (warning).
        max_fps: frames per second (warning).
        pixel_formats: what every player shows; others are a warning.
    """

    min_frames: int = 2
    min_side: int = 128
    max_side: int = 4096
    min_duration: float = 0.5
    max_duration: float = 60.0
    min_fps: float = 4.0
    max_fps: float = 120.0
    pixel_formats: tuple[str, ...] = ("yuv420p", "yuvj420p")


CODEC_NAMES = {
    "h264": "H.264",
    "hevc": "HEVC (H.265)",
    "av1": "AV1",
    "mpeg4": "MPEG-4 Part 2",
    "vp9": "VP9",
    "vp8": "VP8",
    "vvc": "VVC (H.266)",
    "mpeg1video": "MPEG-1",
    "mpeg2video": "MPEG-2",
    "mjpeg": "Motion JPEG",
    "prores": "ProRes",
    "png": "PNG pictures",
    "gif": "GIF",
}
