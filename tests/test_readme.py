"""Every command in the README and in the guide to Track 2 runs as it is printed."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
GUIDES = ("README.md", "docs/track2.md")
SUBMISSIONS = ROOT / "fixtures" / "submissions"


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A folder with the files the README speaks of: the first two prompts of every identity."""
    folder = tmp_path_factory.mktemp("desk")
    names = {"submission": "careful", "team-a": "careful", "team-b": "careless"}
    sources = {name: SUBMISSIONS / submission for name, submission in names.items()}
    for name, source in {"testset": ROOT / "fixtures" / "testset", **sources}.items():
        shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("prompt[345].*"))
    shutil.copytree(ROOT / "fixtures" / "sequential", folder / "sequential")
    for name in ("challenge.yaml", "votes.csv"):
        shutil.copy(ROOT / "fixtures" / name, folder)
    for identity in ("id001", "id002"):
        takes = folder / "videos" / identity
        takes.mkdir(parents=True)
        shutil.copy(SUBMISSIONS / "careful" / identity / "prompt1.mp4", takes / "take1.mp4")
        [face] = (ROOT / "fixtures" / "testset" / identity).glob("image.*")
        (folder / "faces").mkdir(exist_ok=True)
        shutil.copy(face, folder / "faces" / f"{identity}.png")
    shutil.copy(folder / "videos" / "id001" / "take1.mp4", folder / "video.mp4")
    shutil.copy(folder / "faces" / "id001.png", folder / "face.png")
    (folder / "pairs.csv").write_text("video,reference,seed\nvideo.mp4,face.png,7\n", "utf-8")
    with zipfile.ZipFile(folder / "facial_results.zip", "w") as archive:
        for video in sorted((folder / "submission").rglob("*.mp4")):
            archive.write(video, video.relative_to(folder / "submission").as_posix())
    return folder


@pytest.mark.parametrize("guide", GUIDES)
def test_the_commands_run_in_their_order(desk, guide):
    commands = re.findall(r"^\$ (.+)$", (ROOT / guide).read_text("utf-8"), re.MULTILINE)
    assert len(commands) > 2
    for command in commands:
        program, *words = shlex.split(command, comments=True)
        if program == "pip":  # the matrix of Pythons runs these, each in an environment of its own
            continue
        assert program == "ipvg-eval"
        done = subprocess.run(
            [sys.executable, "-m", "ipvg_eval", *words],
            cwd=desk,
            env=os.environ | {"IPVG_WEIGHTS_DIR": str(desk / "weights")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


def test_the_extras_it_names_exist():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = re.findall(r"ipvg-eval\[([a-z,]+)\]", README)
    assert named
    assert {extra for names in named for extra in names.split(",")} <= set(project["optional-dependencies"])


@pytest.mark.parametrize(("place", "said"), [(0, "{0: 0."), (1, "id001/prompt1")])
def test_the_python_examples_run(desk, monkeypatch, capsys, place, said):
    monkeypatch.chdir(desk)
    examples = re.findall(r"```python\n(.+?)```", README, re.DOTALL)
    assert len(examples) == 2
    exec(examples[place], {})
    assert said in capsys.readouterr().out


def test_its_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        path = re.sub(
            r"^https://(raw\.githubusercontent|github)\.com/ipvg-eval/ipvg-eval/(blob/)?main/", "", target
        )
        assert (ROOT / path).exists(), target


def test_the_yaml_of_the_organisers_guide_is_understood(tmp_path):
    from ipvg_eval.leaderboard import read_challenge
    from ipvg_eval.leaderboard.study import read_study_config

    guide = (ROOT / "docs" / "organisers.md").read_text("utf-8")
    blocks = re.findall(r"```yaml\n(.+?)```", guide, re.DOTALL)
    readers = (read_challenge, read_study_config, read_study_config)
    for read, content in zip(readers, blocks, strict=True):
        (tmp_path / "file.yaml").write_text(content, "utf-8")
        assert read(tmp_path / "file.yaml")
