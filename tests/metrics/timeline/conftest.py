"""Timelines on a grid, what an ideal scorer would see of them, and real footage in any order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import skimage.data
import torch

from ipvg_eval.core.measurement import ClipInfo, Frames, Measurement
from ipvg_eval.metrics.evaluator import Evaluator
from ipvg_eval.metrics.target import Reference, Target
from ipvg_eval.metrics.timeline.alignment.event_grid import EventGrid, FloatArray, cell_centres, cell_edges
from ipvg_eval.video import decode, index_frames

Shown = Sequence[tuple[int, float, float]]


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def grid():
    """Events on the grid of a video of some length."""

    def make(intervals, *, duration: float | None = None, classes=None) -> EventGrid:
        reach = max(end for _, end in intervals)
        length = reach if duration is None else duration
        centres = cell_centres(cell_edges(max(length, reach)))
        return EventGrid(
            intervals=tuple((float(start), float(end)) for start, end in intervals),
            classes=tuple(range(len(intervals))) if classes is None else tuple(classes),
            span=max(length, reach),
            present=tuple(bool(there) for there in centres < length),
        )

    return make


@pytest.fixture(scope="session")
def seen():
    """The share of each window in which each text's action is shown; crisp windows without a width."""

    def make(shown: Shown, grid: EventGrid, *, width: float = 0.0) -> FloatArray:
        centres = cell_centres(grid.edges)
        matrix = np.zeros((len(grid.intervals), len(centres)))
        for k, start, end in shown:
            if width == 0:
                matrix[k] += (start <= centres) & (centres < end)
                continue
            first = np.maximum(centres - width / 2, 0)
            last = np.minimum(centres + width / 2, grid.span)
            inside = np.maximum(np.minimum(last, end) - np.maximum(first, start), 0)
            matrix[k] += inside / (last - first)
        return matrix

    return make


FIXTURES = Path(__file__).resolve().parents[3] / "fixtures" / "submissions"
WIDTH, HEIGHT, FPS = 320, 240, 16


def _clip_frames(path: Path) -> Frames:
    index = index_frames(path)
    with decode(path, range(index.clip.frame_count), index=index) as decoding:
        return np.concatenate([np.array(batch.frames) for batch in decoding])


def _zoom(picture: Frames, count: int) -> Frames:
    """A camera that moves closer to a picture."""
    frames = []
    for i in range(count):
        margin = 0.15 * i / count
        top, left = int(picture.shape[0] * margin), int(picture.shape[1] * margin)
        part = picture[top : picture.shape[0] - top, left : picture.shape[1] - left]
        frames.append(cv2.resize(part, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA))
    return np.stack(frames)


@pytest.fixture(scope="session")
def scenes() -> dict[str, Frames]:
    """Visibly different moving footage, about 3 s each at 16 frames per second, by what it shows."""
    return {
        "An astronaut poses": _clip_frames(FIXTURES / "careful" / "id001" / "prompt1.mp4"),
        "An officer poses": _clip_frames(FIXTURES / "careful" / "id002" / "prompt2.mp4"),
        "Coffee is served": _clip_frames(FIXTURES / "careless" / "id001" / "prompt4.mp4"),
        "A cat looks up": _zoom(skimage.data.chelsea(), 49),
    }


@pytest.fixture(scope="session")
def examples() -> dict[str, list[Frames]]:
    """Other pictures of the same: another clip of the person, the photograph itself."""
    return {
        "An astronaut poses": list(_clip_frames(FIXTURES / "careful" / "id001" / "prompt2.mp4")[::12]),
        "An officer poses": list(_clip_frames(FIXTURES / "careful" / "id002" / "prompt1.mp4")[::12]),
        "Coffee is served": [skimage.data.coffee()],
        "A cat looks up": [skimage.data.chelsea()],
    }


@dataclass(frozen=True)
class Film:
    """An encoded video and how to measure it."""

    path: Path

    def measure(
        self,
        evaluator: Evaluator,
        timeline: str | None,
        *,
        batch: int = 7,
        lost: Callable[[int], bool] | None = None,
    ) -> dict[str, Measurement]:
        """Measure what decodes, handed over in batches; `lost` holds frames back, as damage would."""
        index = index_frames(self.path)
        target = Target(
            sample_id="s", references=(Reference(path=Path("unused.png")),), prompt="", timeline=timeline
        )
        looking = evaluator.start(target, index.clip)
        frames = {}
        with decode(self.path, evaluator.frames(index.clip), index=index) as decoding:
            for part in decoding:
                frames.update(zip(part.indices, part.frames, strict=True))
        numbers = [number for number in frames if lost is None or not lost(number)]
        for first in range(0, len(numbers), batch):
            some = numbers[first : first + batch]
            looking.add(some, np.stack([frames[number] for number in some]))
        found = looking.finish()
        assert [m.name for m in found] == [spec.name for spec in evaluator.specs]
        return {m.name: m for m in found}


@pytest.fixture(scope="session")
def film(scenes, tmp_path_factory):
    """A film of stretches of footage: (what it shows, seconds) in order; H.264, any frame rate."""

    def make(*stretches: tuple[str, float], fps: int = FPS, still: bool = False) -> Film:
        path = tmp_path_factory.mktemp("film") / "film.mp4"
        with av.open(path, "w") as container:
            stream = container.add_stream("libx264", rate=fps)
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
            stream.time_base = Fraction(1, fps)
            for name, seconds in stretches:
                footage = scenes[name]
                for i in range(round(seconds * fps)):
                    # Footage plays forwards and backwards for as long as it is needed.
                    at = 0 if still else int(i * FPS / fps) % (2 * len(footage) - 2)
                    picture = footage[at if at < len(footage) else 2 * len(footage) - 2 - at]
                    container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode())
        return Film(path)

    return make


@pytest.fixture
def variable() -> ClipInfo:
    """Frames at 0, .25, .5, .75 and 1 s of a video of 4 s."""
    return ClipInfo(
        frame_count=5, width=WIDTH, height=HEIGHT, fps=1.25, duration=4.0, times=(0.0, 0.25, 0.5, 0.75, 1.0)
    )


@pytest.fixture(scope="session")
def labelled():
    """A target with one reference per class label."""

    def make(*labels: str | None) -> Target:
        references = tuple(Reference(path=Path("unused.png"), label=label) for label in labels)
        return Target(sample_id="s", references=references, prompt="")

    return make
