"""The guides for contributors: what they name exists, and their example of a metric measures."""

from __future__ import annotations

import contextlib
import importlib
import re
import shlex
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer

from ipvg_eval import Recipe, score
from ipvg_eval.cli.app import build_app
from ipvg_eval.metrics.registry import EVALUATORS
from ipvg_eval.video import decode, index_frames

ROOT = Path(__file__).resolve().parents[1]
GUIDES = ("CONTRIBUTING.md", "docs/architecture.md")
INVENTED = {"metrics/lite/brightness.py", "ipvg_eval.metrics.lite.brightness"}
TOP = r"(?:ipvg_eval|metrics|leaderboard|reference_generator|docs|tests)"


def _text(guide):
    return (ROOT / guide).read_text("utf-8")


PAGES = sorted(
    str(path.relative_to(ROOT))
    for path in (
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("deploy/*.md"),
        ROOT / "reference_generator/README.md",
    )
    if re.search(r"^(    |\$ )?ipvg-eval [a-z]", path.read_text("utf-8"), re.MULTILINE)
)


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page_are_understood(page):
    """All of them; those of README, track2.md and organisers.md are run as well."""
    lines = re.findall(r"^(?:    |\$ )?ipvg-eval ([a-z].+)$", _text(page), re.MULTILINE)
    for line in lines:
        words = shlex.split(line.partition(" > ")[0], comments=True)
        command: Any = typer.main.get_command(build_app(words))
        while hasattr(command, "commands"):
            name, *words = words
            command = command.commands[name]
        with contextlib.suppress(typer.Exit):  # what --list does is done while words are read
            command.make_context("ipvg-eval", words)


@pytest.mark.parametrize("guide", GUIDES)
def test_the_paths_that_a_guide_names_exist(guide):
    paths = set(re.findall(rf"{TOP}/[\w./-]*\w/?", _text(guide))) - INVENTED
    assert len(paths) > 10
    assert not [path for path in sorted(paths) if not (ROOT / path).exists()]


@pytest.mark.parametrize("guide", GUIDES)
def test_the_links_of_a_guide_lead_somewhere(guide):
    targets = re.findall(r"\]\(([^)#]+)\)", _text(guide))
    assert targets
    assert not [target for target in targets if not ((ROOT / guide).parent / target).exists()]


@pytest.mark.parametrize("guide", GUIDES)
def test_the_modules_that_a_guide_names_can_be_imported(guide):
    modules = {
        name for name in re.findall(r"\bipvg_eval(?:\.[a-z]\w*)+", _text(guide)) if name not in INVENTED
    }
    assert len(modules) > 3
    for name in modules:
        importlib.import_module(name)


def test_the_classes_that_the_architecture_names_are_there():
    text = _text("docs/architecture.md")
    homes = {"Recipe": "scoring.recipe", "Scorer": "scoring.scorer", "MetricSpec": "core.spec"}
    for name, module in homes.items():
        assert f"`{name}`" in text
        assert hasattr(importlib.import_module(f"ipvg_eval.{module}"), name)


def test_the_example_of_a_metric_measures(tmp_path, monkeypatch):
    """Under the protocol of the next section; the mean over pixels is taken here in one step."""
    text = _text("CONTRIBUTING.md")
    (code,) = re.findall(r"```python\n(.+?)```", text, re.DOTALL)
    (protocol,) = re.findall(r"```yaml\n(.+?)```", text, re.DOTALL)
    kind, place = re.findall(r'`"(\w+)": "(ipvg_eval[\w.:]+)"`', text)[0]
    module = ModuleType(place.partition(":")[0])
    exec(code, module.__dict__)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(EVALUATORS, kind, place)
    (tmp_path / "dark.yaml").write_text(protocol)
    run = score(
        ROOT / "fixtures/submissions/careful",
        testset=ROOT / "fixtures/testset",
        recipe=Recipe(protocol=str(tmp_path / "dark.yaml"), device="cpu"),
        out=tmp_path / "run",
        limit=1,
    )
    seen = run.frames["frame"].tolist()
    video = ROOT / "fixtures/submissions/careful/id001/prompt1.mp4"
    with decode(video, seen, index=index_frames(video)) as batches:
        pixels = [frame.astype(float) for batch in batches for frame in batch.frames]
    assert len(pixels) == len(seen) == 4
    assert run.samples["brightness"][0] == pytest.approx(sum(frame.mean() for frame in pixels) / 4)
