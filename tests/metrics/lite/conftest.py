"""Real people, real pictures, moving clips made from them, and a way to measure them."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import av
import cv2
import matplotlib.cbook
import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image

from ipvg_eval.core.measurement import ClipInfo, Frames, Measurement
from ipvg_eval.metrics.evaluator import Evaluator
from ipvg_eval.metrics.faces.mtcnn import Mtcnn
from ipvg_eval.metrics.target import Reference, Target


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def detector() -> Mtcnn:
    return Mtcnn()


@pytest.fixture(scope="session")
def hopper() -> Frames:
    path = matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)
    return np.asarray(Image.open(path).convert("RGB"))


def _group(detector: Mtcnn) -> dict[str, Frames]:
    """The people of insightface's group photo, one picture each, where the package is installed."""
    try:
        from insightface.data import get_image
    except ModuleNotFoundError:
        return {}
    photo = np.ascontiguousarray(get_image("t1")[:, :, ::-1])
    people = {}
    for number, face in enumerate(sorted(detector.detect(photo[None])[0], key=lambda face: face.box[0])):
        left, top, right, bottom = face.box
        margin = 0.6 * max(right - left, bottom - top)
        rows = slice(int(max(0, top - margin)), int(bottom + margin))
        people[f"group {number}"] = photo[rows, int(max(0, left - margin)) : int(right + margin)].copy()
    return people


@pytest.fixture(scope="session")
def people(detector: Mtcnn, hopper: Frames) -> dict[str, Frames]:
    cameraman = np.repeat(skimage.data.camera()[..., None], 3, axis=2)
    return {
        "astronaut": skimage.data.astronaut(),
        "hopper": hopper,
        "cameraman": cameraman,
        **_group(detector),
    }


def _turned(picture: Frames, degrees: float) -> Frames:
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    return cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)


def _slanted(picture: Frames, share: float) -> Frames:
    height, width = picture.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    target = corners.copy()
    target[1, 1] += share * height
    target[2, 1] -= share * height
    matrix = cv2.getPerspectiveTransform(corners, target)
    return cv2.warpPerspective(picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)


def _exposed(picture: Frames, gain: float, offset: float) -> Frames:
    return np.clip(picture * gain + offset, 0, 255).astype(np.uint8)


def _compressed(picture: Frames, quality: int) -> Frames:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


@pytest.fixture(scope="session")
def alterations() -> dict[str, Callable[[Frames], Frames]]:
    """What leaves a person the same person."""
    return {
        "turned left": lambda picture: _turned(picture, 10),
        "turned right": lambda picture: _turned(picture, -10),
        "slanted": lambda picture: _slanted(picture, 0.08),
        "smaller": lambda picture: cv2.resize(picture, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA),
        "cropped": lambda picture: picture[picture.shape[0] // 25 :, picture.shape[1] // 25 :],
        "darker": lambda picture: _exposed(picture, 0.5, 0),
        "brighter": lambda picture: _exposed(picture, 1.2, 20),
        "compressed": lambda picture: _compressed(picture, 20),
        "blurred": lambda picture: cv2.GaussianBlur(picture, (0, 0), 1.5),
        "mirrored": lambda picture: picture[:, ::-1],
    }


@pytest.fixture(scope="session")
def pictures(hopper: Frames) -> dict[str, Frames]:
    """Photographs of different scenes."""
    return {
        "astronaut": skimage.data.astronaut(),
        "cat": skimage.data.chelsea(),
        "coffee": skimage.data.coffee(),
        "hopper": hopper,
        "rocket": skimage.data.rocket(),
    }


def _panned(picture: Frames, count: int, step: float) -> Frames:
    return np.stack(
        [
            cv2.warpAffine(picture, np.array([[1, 0, -10 - step * i], [0, 1, -40.0]]), (384, 256))
            for i in range(count)
        ]
    )


def _zoomed(picture: Frames, count: int, rate: float) -> Frames:
    scales = [rate**i for i in range(count)]
    return np.stack(
        [
            cv2.warpAffine(picture, np.array([[s, 0, 192 - 220 * s], [0, s, 128 - 120 * s]]), (384, 256))
            for s in scales
        ]
    )


@pytest.fixture(scope="session")
def moving_clips() -> dict[str, Frames]:
    """Smooth camera movements over a photograph, 41 frames of 384x256."""
    picture = skimage.data.astronaut()
    return {"pan": _panned(picture, 41, 2.3), "zoom": _zoomed(picture, 41, 1.008)}


@pytest.fixture(scope="session")
def read_video() -> Callable[[Path], list[Frames]]:
    def read(path: Path) -> list[Frames]:
        with av.open(str(path)) as container:
            return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]

    return read


@pytest.fixture
def target_with(tmp_path: Path) -> Callable[..., Target]:
    """Writes pictures as a sample's references."""

    def make(*pictures: Frames) -> Target:
        references = []
        for number, picture in enumerate(pictures):
            path = tmp_path / f"reference{len(list(tmp_path.iterdir()))}-{number}.png"
            Image.fromarray(picture).save(path)
            references.append(Reference(path=path))
        return Target(sample_id="id001/prompt1", references=tuple(references), prompt="a person waves")

    return make


@pytest.fixture(scope="session")
def clip_of() -> Callable[..., ClipInfo]:
    def make(frames: Sequence[Frames] | Frames, *, fps: float = 16.0) -> ClipInfo:
        count = len(frames)
        height, width = frames[0].shape[:2] if count else (64, 64)
        return ClipInfo(
            frame_count=count,
            width=width,
            height=height,
            fps=fps,
            duration=count / fps,
            times=tuple(i / fps for i in range(count)),
        )

    return make


class Measure(Protocol):
    def __call__(
        self,
        evaluator: Evaluator,
        frames: Sequence[Frames] | Frames,
        target: Target | None = None,
        *,
        batch: int = 4,
        arriving: int | None = None,
        fps: float = 16.0,
    ) -> dict[str, Measurement]: ...


@pytest.fixture(scope="session")
def measure(clip_of: Callable[..., ClipInfo]) -> Measure:
    """Feeds a video to an evaluator in batches; frames from `arriving` on never come.

    The batches are overwritten after each call, as a decoder that reuses its memory would.
    """

    def run(
        evaluator: Evaluator,
        frames: Sequence[Frames] | Frames,
        target: Target | None = None,
        *,
        batch: int = 4,
        arriving: int | None = None,
        fps: float = 16.0,
    ) -> dict[str, Measurement]:
        clip = clip_of(frames, fps=fps)
        nothing = Target(sample_id="1", references=(), prompt="")
        measuring = evaluator.start(target or nothing, clip)
        wanted = [i for i in evaluator.frames(clip) if arriving is None or i < arriving]
        for start in range(0, len(wanted), batch):
            indices = wanted[start : start + batch]
            handed = np.stack([frames[i] for i in indices])
            measuring.add(indices, handed)
            handed[:] = 77
        measurements = measuring.finish()
        assert [measurement.name for measurement in measurements] == [spec.name for spec in evaluator.specs]
        return {measurement.name: measurement for measurement in measurements}

    return run
