"""Tiny models, jobs and pictures for the generator's tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ipvg_eval.reference_generator.job import Job


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tiny models and answers go to a folder of the test session; no hub is asked."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("diffusers")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("HF_HUB_OFFLINE", "1")
        for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
            patch.delenv(name, raising=False)
        yield
    torch.set_num_threads(threads)


def gradient(size: int = 48, tint: float = 0.0) -> Image.Image:
    """A stand-in for a reference picture."""
    y, x = np.mgrid[0:size, 0:size] / size
    values = np.stack([x, y, (x + y + tint) % 1.0], -1)
    return Image.fromarray((values * 255).astype(np.uint8))


@pytest.fixture
def picture() -> Callable[..., Image.Image]:
    return gradient


@pytest.fixture
def jobs(tmp_path: Path) -> list[Job]:
    """Three videos of two identities."""
    made = []
    for number, (identity, prompt) in enumerate(
        [("id001", "a woman walks"), ("id001", "a woman sits"), ("id002", "a man runs in the park")], 1
    ):
        path = tmp_path / "testset" / identity / "image.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        gradient(tint=number / 5).save(path) if not path.exists() else None
        name = f"{identity}/prompt{number}"
        made.append(Job(id=name, prompt=prompt, references=(path,), video=f"{name}.mp4"))
    return made


FAST = ("sampling.steps=1", "video.width=64", "video.height=64", "video.frames=5", "timeline.overlap=1")
"""Settings under which a tiny video takes a fifth of a second."""


@pytest.fixture
def fast() -> tuple[str, ...]:
    return FAST


@pytest.fixture
def files() -> Callable[[Path], dict[str, bytes]]:
    """All files below a folder by their relative path."""

    def read(folder: Path) -> dict[str, bytes]:
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }

    return read


os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
