"""A small Ray cluster for the tests of one module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import s3_server

from ipvg_eval.cluster.connection import connected

MAKERS = Path(__file__).parents[2] / "makers"


@pytest.fixture(scope="module")
def bucket(fixtures) -> Iterator[str]:
    """URL of the careful submission on an S3 server that runs before any worker starts."""
    with s3_server.serving() as client:
        s3_server.upload(client, fixtures / "submissions/careful", "uploads", "careful/")
        yield "s3://uploads/careful"


@pytest.fixture(scope="module")
def cluster(bucket: str) -> Iterator[Any]:  # noqa: ARG001 - workers inherit the environment
    """Ray with room for eight workers; engines of this process use it, whatever address they are given."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(MAKERS))  # workers import the makers by name
        patch.setenv("OMP_NUM_THREADS", "1")
        with connected("local", workers=8) as ray:
            yield ray
