"""`ipvg-eval timeline show`."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from ipvg_eval.cli.timeline import app
from ipvg_eval.core.errors import UsageError

TEXT = "0–2s: [waves]; 2–5s: [sits down]"
EVENTS = [
    {"start": 0.0, "end": 2.0, "description": "waves"},
    {"start": 2.0, "end": 5.0, "description": "sits down"},
]


def run(*words: str):
    return CliRunner().invoke(app, ["show", *words])


def test_json_of_a_text_and_of_a_file(tmp_path):
    file = tmp_path / "prompt1.txt"
    file.write_text("\ufeff" + TEXT + "\r\n", "utf-8")
    for source in (TEXT, str(file)):
        result = run(source, "--json")
        assert result.exit_code == 0
        assert json.loads(result.stdout) == {"events": EVENTS}


def test_the_table_and_the_bar():
    result = run(TEXT)
    assert result.exit_code == 0
    assert "sits down" in result.stdout
    bars = [line for line in result.stdout.splitlines() if "█" in line]
    assert [len(bar.strip().split()[1]) for bar in bars] == [48, 48]
    assert [bar.count("█") for bar in bars] == [19, 29]
    assert bars[1].split()[1].index("█") == 19


@pytest.mark.parametrize("end", [5e-324, 1.7e308])
def test_times_of_extreme_size_are_drawn(end):
    result = run(json.dumps([{"start": 0, "end": end, "description": "waves"}]))
    assert result.exit_code == 0
    assert result.stdout.count("█") == 48


@pytest.mark.parametrize("text", ["picks up 2-3 apples", "", "[]", "x" * 5000])
def test_no_event_is_exit_1(text):
    result = run(text, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {"events": []}
    assert "timeline-empty" in result.stderr
    assert run(text).exit_code == 1


def test_a_sound_event_beside_an_unsound_one():
    result = run("0-2s: [waves]; 5-3s: [sits]")
    assert result.exit_code == 0
    assert "timeline-reversed" in result.stderr


def test_one_sample_of_a_test_set(tmp_path):
    file = tmp_path / "eval.json"
    item = {"global_prompt": "x", "class_label": ["man"], "temporal_captions": EVENTS}
    file.write_text(json.dumps([{"temporal_captions": []}, item]))
    assert json.loads(run(str(file), "--sample", "2", "--json").stdout) == {"events": EVENTS}
    assert isinstance(run(str(file)).exception, UsageError)
    assert isinstance(run(str(file), "--sample", "3").exception, UsageError)
    assert run(str(file), "--sample", "1").exit_code == 1
