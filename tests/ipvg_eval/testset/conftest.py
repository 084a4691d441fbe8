from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


def draw(path: Path, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (24, 16, 3), dtype=np.uint8)
    file_format = {".png": "PNG", ".webp": "WEBP"}.get(path.suffix.lower(), "JPEG")
    Image.fromarray(pixels).save(path, format=file_format)
    return path


@pytest.fixture(scope="session")
def picture() -> Callable[..., Path]:
    return draw


@pytest.fixture
def folder_set(tmp_path: Path) -> Callable[..., Path]:
    """Writes a folder layout: identity -> list of prompts (text or raw bytes), one picture each."""

    def make(
        content: dict[str, list[str | bytes]], *, image: str = "image.png", root: str = "testset"
    ) -> Path:
        base = tmp_path / root
        base.mkdir(parents=True, exist_ok=True)
        for number, (identity, prompts) in enumerate(content.items()):
            draw(base / identity / image, seed=number)
            for k, prompt in enumerate(prompts, start=1):
                data = prompt if isinstance(prompt, bytes) else prompt.encode()
                (base / identity / f"prompt{k}.txt").write_bytes(data)
        return base

    return make


@pytest.fixture
def json_set(tmp_path: Path) -> Callable[..., Path]:
    """Writes an eval.json and the named pictures beside it."""

    def make(items: object, pictures: tuple[str, ...] = ("images/a.png", "images/b.webp")) -> Path:
        base = tmp_path / "evalset"
        for seed, name in enumerate(pictures):
            draw(base / name, seed=seed)
        base.mkdir(exist_ok=True)
        (base / "eval.json").write_text(json.dumps(items), encoding="utf-8")
        return base

    return make
