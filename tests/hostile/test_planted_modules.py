"""Files named like libraries in the folder where a command is run are never imported, by no process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from planted_modules import plant

from ipvg_eval.clips import ClipMaker
from ipvg_eval.decoding import DecoderProcess
from ipvg_eval.leaderboard.study import clips
from ipvg_eval.metadata import MetadataProcess
from ipvg_eval.sandbox.python import absolute_python_path

LITE = ("--protocol", "lite", "--metrics", "lite_motion")


@pytest.fixture
def sign(tmp_path):
    """The file that a planted module leaves."""
    return tmp_path / "imported"


@pytest.fixture
def submission(fixtures, tmp_path, sign):
    """A good submission with planted modules beside its videos."""
    folder = Path(shutil.copytree(fixtures / "submissions" / "careful", tmp_path / "careful"))
    plant(folder, sign)
    return folder


@pytest.mark.parametrize("start", [("ipvg-eval",), (sys.executable, "-m", "ipvg_eval")], ids=["script", "-m"])
@pytest.mark.parametrize(
    "words",
    [
        ("validate", ".", "--deep"),
        ("score", ".", *LITE, "--out", "../run"),
        ("score", ".", *LITE, "--out", "../run", "--ray", "local", "--workers", "1"),
        ("audit", ".", "--no-faces"),
    ],
    ids=["validate", "score", "ray", "audit"],
)
def test_a_command_started_in_the_submission(submission, sign, fixtures, start, words):
    program = (str(Path(sys.executable).with_name(start[0])),) if start == ("ipvg-eval",) else start
    done = subprocess.run(
        [*program, *words, "--testset", str(fixtures / "testset")],
        cwd=submission,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not sign.exists(), sign.read_text()
    assert done.returncode in (0, 1), done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("path", [None, "", ".", os.pathsep, f"sub{os.pathsep}."])
def test_a_child_started_in_the_submission(submission, sign, tmp_path, monkeypatch, path):
    video = submission / "id001" / "prompt1.mp4"
    shutil.copytree(submission, submission / "sub")
    monkeypatch.chdir(submission)
    if path is None:
        monkeypatch.delenv("PYTHONPATH", raising=False)
    else:
        monkeypatch.setenv("PYTHONPATH", path)
    with DecoderProcess() as decoder, MetadataProcess() as reader, ClipMaker(1) as make:
        assert decoder.open(video).clip.frame_count > 1
        reader.read(video)
        shape = clips.common_shape([make.look(video)])
        assert make.encode(video, tmp_path / "clip.mp4", shape)
    assert not sign.exists(), sign.read_text()


def test_absolute_entries_of_the_path_stay(tmp_path):
    entries = ["", ".", str(tmp_path), "relative/folder"]
    cleaned = absolute_python_path({"PYTHONPATH": os.pathsep.join(entries), "HOME": "/"})
    assert cleaned == {"PYTHONPATH": str(tmp_path), "HOME": "/"}
    assert absolute_python_path({"PYTHONPATH": "."}) == {}
