"""The fixtures that ship with the project, as tests use them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"


@pytest.fixture(scope="session")
def fixtures() -> Path:
    """The folder with the small test set and submissions; never written to."""
    return FIXTURES


@pytest.fixture
def careful(tmp_path: Path) -> Path:
    """A copy of a good submission that a test may break."""
    return Path(shutil.copytree(FIXTURES / "submissions" / "careful", tmp_path / "careful"))


Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Runs `ipvg-eval` in a fresh process and an empty working directory."""

    def run(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "ipvg_eval", *map(str, words)],
            cwd=tmp_path,
            env={**os.environ, "COLUMNS": "120", **environment},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run
