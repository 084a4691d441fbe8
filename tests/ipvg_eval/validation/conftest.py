from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import video_files
from PIL import Image


@pytest.fixture(scope="session")
def clip() -> Callable[..., bytes]:
    return video_files.encode


@pytest.fixture(scope="session")
def sound() -> bytes:
    return video_files.sound_only()


@pytest.fixture(scope="session")
def good() -> dict[str, bytes]:
    """A flawless submission for two identities of two prompts."""
    names = [f"id00{i}/prompt{k}.mp4" for i in (1, 2) for k in (1, 2)]
    return {name: video_files.encode(seed=seed) for seed, name in enumerate(names)}


@pytest.fixture(scope="session")
def testset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The test set that `good` answers."""
    root = tmp_path_factory.mktemp("answered") / "testset"
    for i in (1, 2):
        folder = root / f"id00{i}"
        folder.mkdir(parents=True)
        Image.new("RGB", (16, 16), (i, 0, 0)).save(folder / "image.png")
        for k in (1, 2):
            (folder / f"prompt{k}.txt").write_text(f"Person {i} does thing {k}.")
    return root


@pytest.fixture
def write_zip(tmp_path: Path) -> Callable[..., Path]:
    def write(
        files: dict[str, bytes], *, name: str = "facial_results.zip", method: int = zipfile.ZIP_STORED
    ) -> Path:
        path = tmp_path / name
        with zipfile.ZipFile(path, "w", method) as archive:
            for member, content in files.items():
                archive.writestr(member, content)
        return path

    return write


@pytest.fixture
def write_folder(tmp_path: Path) -> Callable[[dict[str, bytes]], Path]:
    def write(files: dict[str, bytes]) -> Path:
        for member, content in files.items():
            (tmp_path / "team" / member).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "team" / member).write_bytes(content)
        return tmp_path / "team"

    return write
