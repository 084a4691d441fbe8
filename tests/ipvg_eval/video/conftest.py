"""Real video files of many kinds, written with PyAV, whose frames carry their number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import numpy.typing as npt
import pytest

Pictures = npt.NDArray[np.uint8]
WIDTH, HEIGHT = 144, 96
_BITS = 8
_BLOCK = 16


def picture(number: int, width: int = WIDTH, height: int = HEIGHT) -> Pictures:
    """An RGB picture whose top row of blocks spells `number` in binary, over a moving coloured pattern."""
    y, x = np.mgrid[:height, :width]
    red = (x * 2 + number * 5) % 256
    green = (y * 2 + number * 3) % 256
    blue = (x + y + number * 7) % 256
    pixels = np.stack([red, green, blue], axis=-1).astype(np.uint8)
    for bit in range(_BITS):
        pixels[:_BLOCK, bit * _BLOCK : (bit + 1) * _BLOCK] = 235 if number >> bit & 1 else 20
    return pixels


def number_of(pixels: Pictures) -> int:
    """The number that a picture carries."""
    centres = pixels[_BLOCK // 2, _BLOCK // 2 : _BLOCK * _BITS : _BLOCK].mean(axis=-1)
    return sum(1 << bit for bit, level in enumerate(centres) if level > 127)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to write a video file."""

    codec: str = "libx264"
    suffix: str = ".mp4"
    frames: int = 30
    fps: int = 16
    width: int = WIDTH
    height: int = HEIGHT
    pixel_format: str = "yuv420p"
    key_interval: int = 12
    ticks: Sequence[int] | None = None
    time_base: Fraction | None = None
    options: dict[str, str] = field(default_factory=dict)
    container_options: dict[str, str] = field(default_factory=dict)
    display: tuple[int, bool, bool] | None = None
    colorspace: int | None = None
    color_range: int | None = None
    audio: bool = False


def write(path: Path, recipe: Recipe) -> Path:
    """Encode pictures 0, 1, 2, ... to a file."""
    with av.open(str(path), "w", options=recipe.container_options) as container:
        options = dict(recipe.options)
        if recipe.codec == "libx264":  # with its macroblock tree, where buffers lie decides over bytes
            options["x264-params"] = ":".join(filter(None, ["mbtree=0", options.get("x264-params")]))
        stream = container.add_stream(recipe.codec, rate=recipe.fps, options=options)
        stream.width, stream.height = recipe.width, recipe.height
        stream.pix_fmt = recipe.pixel_format
        stream.codec_context.gop_size = recipe.key_interval
        stream.codec_context.thread_count = 1
        if recipe.time_base is not None:
            stream.time_base = stream.codec_context.time_base = recipe.time_base
        if recipe.colorspace is not None:
            stream.codec_context.colorspace = recipe.colorspace
        if recipe.color_range is not None:
            stream.codec_context.color_range = recipe.color_range
        if recipe.display is not None:
            stream.set_display_rotation(*recipe.display)
        sound = container.add_stream("aac", rate=16000, layout="mono") if recipe.audio else None
        for number in range(recipe.frames):
            frame = av.VideoFrame.from_ndarray(picture(number, recipe.width, recipe.height), "rgb24")
            if recipe.ticks is not None:
                frame.pts, frame.time_base = recipe.ticks[number], recipe.time_base
            container.mux(stream.encode(frame))
            if sound is not None:
                container.mux(sound.encode(_silence(number)))
        container.mux(stream.encode(None))
        if sound is not None:
            container.mux(sound.encode(None))
    return path


def _silence(number: int) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(np.zeros((1, 1000), np.float32), "fltp", "mono")
    frame.sample_rate, frame.pts, frame.time_base = 16000, number * 1000, Fraction(1, 16000)
    return frame


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Path]:
    """Write a video from the fields of a `Recipe`."""

    def _make(name: str = "video", **fields: object) -> Path:
        recipe = Recipe(**fields)  # type: ignore[arg-type]
        return write(tmp_path / f"{name}{recipe.suffix}", recipe)

    return _make


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """30 frames at 16 per second, H.264 with B-frames, a key frame every 12; the index in front."""
    recipe = Recipe(container_options={"movflags": "faststart"})
    return write(tmp_path_factory.mktemp("video") / "plain.mp4", recipe)


def every_frame(path: Path) -> Pictures:
    """All frames by a plain full decode: (n, height, width, 3) RGB uint8, by time. No rotation."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_count = 1
        frames = [
            (frame.pts, frame.to_ndarray(format="bgr24", interpolation="BICUBIC")[..., ::-1])
            for frame in container.decode(stream)
        ]
    return np.stack([pixels for _, pixels in sorted(frames, key=lambda item: item[0])])


@dataclass(frozen=True)
class Sample:
    """Where one frame's data lie in a file."""

    number: int  # rank by presentation time
    start: int
    size: int
    key: bool


def samples(path: Path) -> list[Sample]:
    """Every video packet in the order of the file."""
    with av.open(str(path)) as container:
        packets = [
            (p.pts, p.pos, p.size, p.is_keyframe)
            for p in container.demux(video=0)
            if p.size and not p.is_discard
        ]
    ranks = {pts: rank for rank, (pts, *_) in enumerate(sorted(packets))}
    return [Sample(ranks[pts], pos, size, key) for pts, pos, size, key in packets]


def wreck(path: Path, sample: Sample) -> Path:
    """A copy of a file with the second half of one frame's data zeroed."""
    data = bytearray(path.read_bytes())
    half = sample.start + sample.size // 2
    data[half : sample.start + sample.size] = bytes(sample.size - sample.size // 2)
    copy = path.with_name(f"wrecked-{sample.number}{path.suffix}")
    copy.write_bytes(data)
    return copy


@pytest.fixture(scope="session")
def films() -> SimpleNamespace:
    """The functions above, for tests."""
    return SimpleNamespace(
        picture=picture,
        number_of=number_of,
        write=write,
        Recipe=Recipe,
        every_frame=every_frame,
        samples=samples,
        wreck=wreck,
        width=WIDTH,
        height=HEIGHT,
    )


@pytest.fixture
def open_files() -> Callable[[], int]:
    """Counts the files that this process holds open."""
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        pytest.skip("this system does not list open files")
    return lambda: sum(1 for _ in folder.iterdir())
