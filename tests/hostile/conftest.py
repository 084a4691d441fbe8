"""A small test set, and a guard that sees every file that appears or changes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import video_files
from PIL import Image

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"


@pytest.fixture(scope="session")
def fixtures() -> Path:
    """The folder with the small test set and submissions; never written to."""
    return FIXTURES


@pytest.fixture(scope="session")
def good_clip() -> bytes:
    return video_files.encode(seed=0)


@pytest.fixture(scope="session")
def owed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A test set of one identity with two prompts."""
    root = tmp_path_factory.mktemp("owed") / "testset"
    (root / "id001").mkdir(parents=True)
    Image.new("RGB", (16, 16), "red").save(root / "id001" / "image.png")
    for k in (1, 2):
        (root / "id001" / f"prompt{k}.txt").write_text(f"The person does thing {k}.")
    return root


def contents(root: Path) -> dict[str, str]:
    """Every path below, links not followed, with the hash of what it holds."""
    found = {}
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = Path(folder, name)
            plain = path.is_file() and not path.is_symlink()
            found[str(path.relative_to(root))] = (
                hashlib.sha256(path.read_bytes()).hexdigest() if plain else str(path.lstat().st_mode)
            )
    return found


@pytest.fixture
def untouched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], object]:
    """A context in which the working folder, its neighbours and the temporary folder must not change."""
    (tmp_path / "here" / "inner").mkdir(parents=True)
    (tmp_path / "temporary").mkdir()
    monkeypatch.chdir(tmp_path / "here" / "inner")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))

    @contextmanager
    def guard() -> Iterator[None]:
        before = contents(tmp_path)
        yield
        assert contents(tmp_path) == before

    return guard
