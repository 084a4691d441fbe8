from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

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
) -> bytes:
    """A small real video of a moving noise picture."""
    buffer = io.BytesIO()
    base = np.random.default_rng(seed).integers(0, 255, (height // 8 + 1, width // 8 + 1, 3), dtype=np.uint8)
    picture = base.repeat(8, 0).repeat(8, 1)[:height, :width]
    with av.open(buffer, "w", format=container) as file:
        video = [file.add_stream(codec, rate=rate) for _ in range(streams)]
        for stream in video:
            stream.width, stream.height, stream.pix_fmt = width, height, pixel_format
            if codec in ("libx264", "libx265"):
                stream.options = {"preset": "ultrafast", "x265-params": "log-level=none"}
            if codec == "libsvtav1":
                stream.options = {"preset": "12"}
        sound = file.add_stream("aac", rate=44100) if audio else None
        for i in range(frames):
            frame = av.VideoFrame.from_ndarray(np.roll(picture, 2 * i, axis=1), format="rgb24")
            frame.pts = i + i // 3 if uneven else i
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


@pytest.fixture(scope="session")
def clip() -> Callable[..., bytes]:
    return encode


@pytest.fixture(scope="session")
def sound() -> bytes:
    return sound_only()


@pytest.fixture(scope="session")
def good() -> dict[str, bytes]:
    """A flawless submission for two identities of two prompts."""
    names = [f"id00{i}/prompt{k}.mp4" for i in (1, 2) for k in (1, 2)]
    return {name: encode(seed=seed) for seed, name in enumerate(names)}


@pytest.fixture(scope="session")
def testset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The test set that `good` answers."""
    root = tmp_path_factory.mktemp("answered") / "testset"
    for i in (1, 2):
        folder = root / f"id00{i}"
        folder.mkdir(parents=True)
        Image.new("RGB", (16, 16), (i, 0, 0)).save(folder / "image.png")
        for k in (1, 2):
            (folder / f"prompt{k}.txt").write_text(f"Person {i} does thing {k}.")
    return root


@pytest.fixture
def write_zip(tmp_path: Path) -> Callable[..., Path]:
    def write(
        files: dict[str, bytes], *, name: str = "facial_results.zip", method: int = zipfile.ZIP_STORED
    ) -> Path:
        path = tmp_path / name
        with zipfile.ZipFile(path, "w", method) as archive:
            for member, content in files.items():
                archive.writestr(member, content)
        return path

    return write


@pytest.fixture
def write_folder(tmp_path: Path) -> Callable[[dict[str, bytes]], Path]:
    def write(files: dict[str, bytes]) -> Path:
        for member, content in files.items():
            (tmp_path / "team" / member).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "team" / member).write_bytes(content)
        return tmp_path / "team"

    return write
