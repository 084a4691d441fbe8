"""The commands and examples of the README, the guide to Track 2 and the page on Python run as printed."""

from __future__ import annotations

import doctest
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


PYTHON_EXAMPLES = re.findall(r"```python\n(.+?)```", README, re.DOTALL)


@pytest.mark.parametrize(("place", "said"), [(0, "{0: 0."), (2, "id001/prompt1")])
def test_the_python_examples_run(desk, monkeypatch, capsys, place, said):
    monkeypatch.chdir(desk)
    assert len(PYTHON_EXAMPLES) == 3
    exec(PYTHON_EXAMPLES[place], {})
    assert said in capsys.readouterr().out


def test_the_training_loop_runs(desk, monkeypatch, capsys, tmp_path):
    """On a tiny pipeline of diffusers, with accelerate's own log."""
    import torch
    from accelerate import Accelerator
    from accelerate.tracking import GeneralTracker, on_main_process
    from diffusers import WanPipeline

    from ipvg_eval.reference_generator.tiny.parts import save_tiny

    class Kept(GeneralTracker):
        name, requires_logging_directory, tracker = "kept", False, None

        def __init__(self):
            super().__init__(_blank=True)
            self.logged = []

        @on_main_process
        def log(self, values, step=None, **_):
            self.logged.append((step, values))

        @on_main_process
        def store_init_configuration(self, values):
            pass

    monkeypatch.chdir(desk)
    save_tiny("tiny-wan", tmp_path)
    pipeline = WanPipeline.from_pretrained(tmp_path)
    pipeline.set_progress_bar_config(disable=True)
    kept = Kept()
    accelerator = Accelerator(cpu=True, log_with=[kept])
    accelerator.init_trackers("training")
    weight = next(pipeline.transformer.parameters())
    capsys.readouterr()
    exec(
        PYTHON_EXAMPLES[1],
        {
            "pipeline": pipeline,
            "accelerator": accelerator,
            "settings": {"height": 32, "width": 32, "num_frames": 5, "num_inference_steps": 1},
            "train_one_step": lambda _pipeline: torch.nn.init.normal_(weight, std=0.02),
        },
    )
    assert [step for step, _ in kept.logged] == [2, 4]
    assert all(0 < values["eval/lite_sharpness"] <= 1 for _, values in kept.logged)
    assert len(re.findall(r"^step \d: 1 videos in ", capsys.readouterr().err, re.MULTILINE)) == 2


def test_the_page_on_python_says_what_happens(desk, monkeypatch):
    """Fences end an example as an empty line does."""
    monkeypatch.chdir(desk)
    page = re.sub(r"^```.*$", "", (ROOT / "docs" / "api.md").read_text("utf-8"), flags=re.MULTILINE)
    examples = doctest.DocTestParser().get_doctest(page, {}, "api.md", "docs/api.md", 0)
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    result = runner.run(examples, out=said.append)
    assert not result.failed, "".join(said)
    assert result.attempted > 30


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
