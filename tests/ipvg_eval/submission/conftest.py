from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import zip_files


@pytest.fixture(scope="session")
def pack() -> Callable[..., bytes]:
    return zip_files.pack


@pytest.fixture(scope="session")
def patch() -> Callable[..., bytes]:
    return zip_files.patch


@pytest.fixture
def write_zip(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(data: bytes) -> Path:
        path = tmp_path / "facial_results.zip"
        path.write_bytes(data)
        return path

    return write
