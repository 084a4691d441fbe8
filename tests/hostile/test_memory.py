"""Memory of a command and its processes, for pictures that are too large and the largest that are allowed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import video_files
from PIL import Image
from video_boxes import with_fields

from ipvg_eval.results.folder import RunFolder

ROOT = Path(__file__).resolve().parents[2]
SIDE = 8192
LARGEST = {"width": 4096, "height": 2304}
MORE = 512.0
"""MiB that an input may cost a command beyond a small video: frames it is handed, and what they become."""
PROCESS = 1024.0
"""MiB of one process; its limit, which holds for any input, is four times that."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="peaks are read from /proc")


def peaks(*words: str | Path) -> dict[str, float]:
    """MiB of a command and of the largest process that it opened a file in."""
    script = ROOT / "tests" / "makers" / "peaks_of_a_command.py"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    line = [sys.executable, script, *map(str, words)]
    done = subprocess.run(line, capture_output=True, text=True, check=True, env=environment)
    return json.loads(done.stdout)


def scored(folder: Path, video: bytes | None) -> dict[str, float]:
    """Peaks of scoring one video; the fixture's own where None."""
    team = Path(shutil.copytree(ROOT / "fixtures" / "submissions" / "careful", folder / "team"))
    if video is not None:
        (team / "id001" / "prompt1.mp4").write_bytes(video)
    words = ("--protocol", "lite", "--metrics", "lite_motion", "--limit", "1", "--decoders", "1")
    return peaks("score", team, "--testset", ROOT / "fixtures" / "testset", *words, "--out", folder / "run")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    return scored(tmp_path_factory.mktemp("small"), None)


@pytest.mark.parametrize("kind", ["too large", "too large, and lying", "largest"])
def test_no_video_costs_more_memory_than_stated(kind: str, tmp_path: Path, small: dict[str, float]) -> None:
    size = LARGEST if kind == "largest" else {"width": SIDE, "height": SIDE}
    video = video_files.encode(**size, frames=4)
    if "lying" in kind:
        video = with_fields(video, b"avc1", width=160, height=128)
    found = scored(tmp_path, video)
    assert 0 < found["process"] < PROCESS
    assert found["command"] < small["command"] + MORE


@pytest.mark.parametrize("command", ["audit", "report"])
def test_no_picture_of_a_run_does(command: str, tmp_path: Path) -> None:
    found = {}
    for name, side in (("small", 64), ("too large", SIDE)):
        run = Path(shutil.copytree(ROOT / "tests" / "golden" / "runs" / "careful", tmp_path / name))
        picture = tmp_path / f"{name}.webp"
        Image.new("RGB", (side, side), "red").save(picture)
        samples = list(RunFolder(run).journal.read())
        for path in map(RunFolder(run).thumbnail, samples):
            path.parent.mkdir(exist_ok=True)
            shutil.copy(picture, path)
        assert len(samples) == len(list((run / "thumbnails").iterdir())) > 0
        found[name] = peaks(command, run)
    assert found["too large"]["command"] < found["small"]["command"] + MORE
    assert found["too large"]["process"] < PROCESS
    assert (found["too large"]["process"] > 0) == (command == "audit")
