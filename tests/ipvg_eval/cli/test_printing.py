"""Whatever the encoding and the width of stdout: nothing fails, nothing is cut, nothing strange is obeyed."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from rich.cells import cell_len

from ipvg_eval.cli.app import main
from ipvg_eval.cli.consoles import STDOUT

ROOT = Path(__file__).resolve().parents[3]
HOSTILE = "Al\x1b[31mpha\x9b2J \u202egnp\u2066 [bold]名前[/] Müller–\u2028😀"
COMMANDS = {
    "validate": "validate {fixtures}/submissions/careless --testset {fixtures}/testset",
    "compare": "compare {tmp}/careful {tmp}/careless",
    "leaderboard": "leaderboard {tmp}/careful {tmp}/careless --config {tmp}/challenge.yaml "
    "--unofficial --out {tmp}/site",
    "elo": "elo {fixtures}/votes.csv",
    "verify": "verify {tmp}/careful",
    "timeline": "timeline show 0-2s:[walks–in];2-5s:[名前\u202esits]",
    "protocols": "protocols list",
    "weights": "weights list",
    "generate": "generate --list",
}
ENCODINGS = ["utf-8", "latin-1", "cp1252", "ascii", "gbk"]


@pytest.fixture
def places(fixtures, tmp_path):
    """Two runs whose teams have hostile names."""
    for name in ("careful", "careless"):
        run = Path(shutil.copytree(ROOT / "tests/golden/runs" / name, tmp_path / name))
        for file in ("run.json", "summary.json"):
            content = json.loads((run / file).read_text("utf-8"))
            content["team"] = f"{HOSTILE} {name}"
            (run / file).write_text(json.dumps(content), "utf-8")
    (tmp_path / "challenge.yaml").write_text("metrics:\n- {name: lite_identity}\n- {name: lite_motion}\n")
    return {"fixtures": fixtures, "tmp": tmp_path}


@pytest.fixture
def printed(places, tmp_path, monkeypatch):
    """Runs a command of the table: exit code and what its stdout shows."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IPVG_WEIGHTS_DIR", str(tmp_path))

    def run(name, *, encoding, width):
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setattr(STDOUT, "_width", width)
        stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="\n")
        monkeypatch.setattr(sys, "stdout", stream)
        with pytest.raises(SystemExit) as ended:
            main([word.format(**places) for word in COMMANDS[name].split()])
        stream.flush()
        return int(ended.value.code or 0), stream.buffer.getvalue().decode(encoding)

    return run


@pytest.mark.parametrize("name", COMMANDS)
def test_every_encoding_prints_the_same_words(printed, name):
    code, reference = printed(name, encoding="utf-8", width=120)
    assert code in (0, 1)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028]", reference)
    plain = re.findall(r"[A-Za-z_0-9./]{4,}", reference)
    for encoding in ENCODINGS[1:]:
        other_code, text = printed(name, encoding=encoding, width=120)
        assert other_code == code
        missing = set(plain) - set(re.findall(r"[A-Za-z_0-9./]{4,}", text))
        assert not {word for word in missing if word not in text}, encoding


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("name", COMMANDS)
def test_no_width_cuts_or_splits_a_word(printed, name, width):
    code, reference = printed(name, encoding="utf-8", width=2000)
    narrow_code, text = printed(name, encoding="utf-8", width=width)
    assert narrow_code == code
    words = {w for w in re.findall(r"[A-Za-z_0-9.]+", reference) if cell_len(w) <= width - 8}
    shown = set(re.findall(r"[A-Za-z_0-9.]+", text))
    assert sorted(words - shown) == []
    drawn = [line for line in text.splitlines() if set(line) & set("─│━┃┏╭╷")]
    assert all(cell_len(line) <= width for line in drawn)


def test_a_hostile_name_is_shown(printed):
    _, text = printed("compare", encoding="utf-8", width=120)
    assert r"Al\x1b[31mpha\x9b2J \u202egnp\u2066 [bold]名前[/] Müller–\u2028😀 careful" in text


def test_json_is_readable_in_every_encoding(places, tmp_path, monkeypatch):
    for encoding in ENCODINGS:
        stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
        monkeypatch.setattr(sys, "stdout", stream)
        with pytest.raises(SystemExit) as ended:
            main(["compare", str(tmp_path / "careful"), str(tmp_path / "careless"), "--json"])
        stream.flush()
        assert not ended.value.code
        said = json.loads(stream.buffer.getvalue().decode(encoding))
        assert said["a"]["team"] == unicodedata.normalize("NFC", f"{HOSTILE} careful")
    assert places


@pytest.mark.parametrize("width", ["0", "7", "wide"])
def test_no_width_of_the_environment_swallows_results_or_errors(fixtures, width):
    def run(*words):
        # A new process, as consoles ask the environment when they are made.
        command = [sys.executable, "-m", "ipvg_eval", *words]
        environment = {**os.environ, "COLUMNS": width, "PYTHONIOENCODING": "utf-8"}
        return subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", check=False)

    elo = run("elo", str(fixtures / "votes.csv"))
    assert elo.returncode == 0
    assert {"careful", "careless", "team", "points"} <= set(re.findall("[a-z]+", elo.stdout))
    wrong = run("elo", "--nope")
    assert wrong.returncode == 2
    assert "--nope" in wrong.stderr
