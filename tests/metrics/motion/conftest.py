"""Folders of pictures, and vbench's own code on them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import pytest

from ipvg_eval.core.measurement import Frames

PUBLISHED = Path(__file__).parent / "published_vbench.py"

Job = dict[str, Any]


def _write_pictures(folder: Path, frames: Frames) -> Path:
    folder.mkdir()
    for i, frame in enumerate(frames):
        cv2.imwrite(str(folder / f"{i:03}.png"), frame[..., ::-1])
    return folder


@pytest.fixture(scope="session")
def write_pictures() -> Callable[..., Path]:
    return _write_pictures


@pytest.fixture(scope="session")
def published(run_vbench: Callable[..., Any]) -> Callable[[str, Path, list[Job]], list[dict[str, Any]]]:
    """Run one of vbench's dimensions on jobs."""

    def run(dimension: str, checkpoint: Path, jobs: list[Job]) -> list[dict[str, Any]]:
        results: list[dict[str, Any]] = run_vbench(
            PUBLISHED, {"checkpoint": str(checkpoint), "jobs": jobs}, dimension
        )
        return results

    return run
