"""From a video's header to findings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ipvg_eval.findings import Finding, Severity
from ipvg_eval.validation.rules import CODEC_NAMES, VideoRules
from ipvg_eval.video import VideoHeader
from ipvg_eval.video.picture import aspect_note

ENCODE = "Export it as MP4 with H.264 (for example: ffmpeg -i IN -c:v libx264 -pix_fmt yuv420p OUT.mp4)."

SQUARE = "Export it with square pixels: ffmpeg -i IN -vf scale=iw*sar:ih,setsar=1 OUT.mp4"


@dataclass(frozen=True, kw_only=True)
class About:
    """Which file findings are about."""

    path: str
    sample: str | None

    def error(self, code: str, message: str, action: str) -> Finding:
        """A finding that disqualifies."""
        return self._finding(Severity.ERROR, code, message, action)

    def warning(self, code: str, message: str, action: str) -> Finding:
        """A finding that does not."""
        return self._finding(Severity.WARNING, code, message, action)

    def _finding(self, severity: Severity, code: str, message: str, action: str) -> Finding:
        return Finding(
            code=code, severity=severity, path=self.path, message=message, action=action, sample=self.sample
        )


def check_header(header: VideoHeader, about: About, rules: VideoRules) -> list[Finding]:
    """Everything a header tells against the rules."""
    findings = [*_container(header, about), *_streams(header, about)]
    if header.video_streams == 0:
        return findings
    findings.extend(_codec(header, about))
    if header.missing_bytes > 0:
        text = f"The file ends {header.missing_bytes:,} bytes before its last frame does."
        findings.append(about.error("video-truncated", text, "Copy or export it again."))
    if header.first_frame_error is not None:
        text = f"The first frame does not decode: {header.first_frame_error}."
        findings.append(about.error("video-undecodable", text, ENCODE))
        return findings
    findings.extend(_time(header, about, rules))
    findings.extend(_picture(header, about, rules))
    return findings


def _container(header: VideoHeader, about: About) -> Iterator[Finding]:
    if not header.is_mp4:
        name = "QuickTime (MOV)" if header.major_brand == "qt" else header.container.split(",")[0]
        yield about.error("video-container", f"The container is {name}, not MP4.", ENCODE)


def _streams(header: VideoHeader, about: About) -> Iterator[Finding]:
    if header.video_streams == 0:
        yield about.error("video-streams", "There is no video stream in it.", ENCODE)
    elif header.video_streams > 1:
        text = f"There are {header.video_streams} video streams in it."
        yield about.error("video-streams", text, "Export it with one video stream.")


def _codec(header: VideoHeader, about: About) -> Iterator[Finding]:
    if header.codec != "h264":
        name = CODEC_NAMES.get(header.codec or "", header.codec or "unknown")
        yield about.error("video-codec", f"The codec is {name}, not H.264.", ENCODE)


def _time(header: VideoHeader, about: About, rules: VideoRules) -> Iterator[Finding]:
    frames, duration, fps = header.frame_count, header.duration, header.fps
    if frames is not None and frames < rules.min_frames:
        yield about.error("video-frame-count", f"It has {frames} frame.", "Export the whole video.")
        return
    if duration is None or duration <= 0:
        yield about.warning("video-duration", "The header gives no duration.", ENCODE)
    elif not rules.min_duration <= duration <= rules.max_duration:
        text = f"It lasts {duration:.2f} s; {rules.min_duration:g} s to {rules.max_duration:g} s are usual."
        yield about.warning("video-duration", text, "Check that this is the whole video.")
    if fps is None or not rules.min_fps <= fps <= rules.max_fps:
        shown = "no frame rate" if fps is None else f"{fps:.2f} frames per second"
        text = f"The header says {shown}; {rules.min_fps:g} to {rules.max_fps:g} are usual."
        yield about.warning("video-frame-rate", text, "Export it with a constant, usual frame rate.")
    elif header.variable_frame_rate:
        text = "The frames are not evenly spaced in time (variable frame rate)."
        yield about.warning("video-variable-frame-rate", text, "Export it with a constant frame rate.")


def _picture(header: VideoHeader, about: About, rules: VideoRules) -> Iterator[Finding]:
    width, height = header.width, header.height
    size = f"{width} x {height}"
    if header.colours:
        text = f"The colours are {header.colours}, which ordinary screens and all metrics do not know."
        yield about.warning(
            "video-hdr", text, "Export it in BT.709, 8 bit: convert the colours (tone mapping)."
        )
    elif header.pixel_format not in rules.pixel_formats:
        text = f"The pixel format is {header.pixel_format}; many players show only yuv420p."
        yield about.warning("video-pixel-format", text, "Export it with -pix_fmt yuv420p.")
    if width % 2 or height % 2:
        text = f"The picture is {size}, with an odd number of pixels."
        yield about.warning("video-odd-size", text, "Use even widths and heights.")
    if min(width, height) < rules.min_side:
        text = f"The picture is only {size}."
        yield about.warning("video-tiny", text, f"Use at least {rules.min_side} pixels on the shorter side.")
    if max(width, height) > rules.max_side:
        text = f"The picture is {size}."
        yield about.warning("video-huge", text, f"Use at most {rules.max_side} pixels on the longer side.")
    if note := aspect_note(header.sample_aspect_ratio, (width, height)):
        yield about.warning("video-pixel-aspect", f"{note[0].upper()}{note[1:]}.", SQUARE)
    if header.rotation or header.mirrored:
        turned = f"turned by {header.rotation} degrees" if header.rotation else "mirrored"
        text = f"The pictures are stored {turned}; players that ignore this show them wrongly."
        yield about.warning("video-rotated", text, "Export them upright.")
    if header.interlaced:
        text = "The pictures are interlaced: two moments in one frame."
        yield about.warning("video-interlaced", text, "Export it with progressive frames.")
