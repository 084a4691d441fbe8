"""The Python examples of the guide to trackers and figures run, on runs of the golden folder."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
GUIDE = ROOT / "docs/trackers-and-figures.md"


def test_the_python_examples_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    golden = ROOT / "tests/golden/runs"
    sources = {"ours": "careful", "theirs": "careless", "step-1000": "careless", "step-2000": "careful"}
    for name, source in sources.items():
        shutil.copytree(golden / source, tmp_path / "runs" / name)
    shutil.copy(ROOT / "fixtures/submissions/careful/id001/prompt1.mp4", "video.mp4")
    examples = re.findall(r"```python\n(.+?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    assert len(examples) == 3
    for example in examples:
        exec(example, {})
    assert list(Path("curves").rglob("events.*"))
    for name in re.findall(r'savefig\("(.+?)"\)', examples[1]):
        with Image.open(name) as picture:
            assert min(picture.size) > 100
    assert r"careful & \textbf{1.0000} & \textbf{0.8582} &" in capsys.readouterr().out


def test_every_tracker_is_in_the_guide():
    from ipvg_eval.trackers import TRACKERS

    rows = re.findall(r"^\| `(\w+)\[:\w+\]` \| `pip install (\w+)`", GUIDE.read_text("utf-8"), re.MULTILINE)
    assert sorted(rows) == [(name, name) for name in TRACKERS]
