"""vbench's own imaging quality."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PUBLISHED = Path(__file__).parent / "published_vbench.py"


@pytest.fixture(scope="session")
def published(run_vbench: Callable[..., Any]) -> Callable[..., dict[str, dict[str, Any]]]:
    """vbench's scores of videos by resize mode, and their frames as it decoded them."""

    def run(checkpoint: Path, videos: dict[Path, list[str]]) -> dict[str, dict[str, Any]]:
        names, modes = [str(video) for video in videos], list(videos.values())
        results: dict[str, dict[str, Any]] = run_vbench(
            PUBLISHED, {"checkpoint": str(checkpoint), "videos": names, "modes": modes}
        )
        return results

    return run
