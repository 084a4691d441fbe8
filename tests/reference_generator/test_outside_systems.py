"""From a test set to the leaderboard with systems that need no code: one team's program, another's server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from video_server import Behaviour, video_server

from ipvg_eval.cli.app import main
from ipvg_eval.reference_generator.job import seed_of
from ipvg_eval.reference_generator.record import records_folder

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "tests" / "makers" / "clip_program.py"
SECRET = "sk-lab-0123456789"
PROMPT = 'a woman walks; $(touch hacked) `ls` "quoted" {seed}'
VIDEO = {"width": 128, "height": 128, "frames": 17, "fps": 16}


@pytest.fixture
def testset(tmp_path, picture):
    for number in (1, 2):
        folder = tmp_path / "testset" / f"id00{number}"
        folder.mkdir(parents=True)
        picture(96, tint=number / 3).save(folder / "image.png")
        (folder / "prompt1.txt").write_text(PROMPT)
    return tmp_path / "testset"


def presets(folder, address):
    argv = [
        "{python}",
        str(PROGRAM),
        "--prompt={prompt}",
        "--refs",
        "{refs}",
        "--seed",
        "{seed}",
        "--out",
        "{out}",
    ]
    lab = {
        "kind": "command",
        "title": "The laboratory's own program",
        "video": VIDEO,
        "command": {
            "argv": argv,
            "secrets": ["LAB_KEY"],
            "environment": {"CALLS": str(folder / "calls")},
        },
    }
    cloud = {
        "extends": "_openai-videos",
        "video": VIDEO,
        "model": {"repo": "a-model"},
        "http": {"base_url": address, "poll_seconds": 0.01, "concurrency": 2, "price": 0.1, "cost_cap": 0.2},
    }
    for name, values in (("lab", lab), ("cloud", cloud)):
        path = folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump(values))
        yield name, str(path)


def ended(words):
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    return left.value.code or 0


def test_a_command_and_a_server_go_from_generate_to_the_leaderboard(testset, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("LAB_KEY", SECRET)
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    server, runs = Behaviour(open_until=2), []
    with video_server(server) as address:
        for team, preset in presets(tmp_path, address):
            out, run = tmp_path / team, tmp_path / "runs" / team
            words = ["generate", testset, "--system", preset, "--out", out]
            assert ended(words) == 0, capsys.readouterr()
            made = {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*.mp4")}
            assert sorted(made) == ["id001/prompt1.mp4", "id002/prompt1.mp4"]
            assert ended(words) == 0
            assert "0 videos made, 2 were there" in capsys.readouterr().out
            assert {name: (out / name).read_bytes() for name in made} == made
            score = ["score", out, "--testset", testset, "--protocol", "lite", "--team", team]
            assert ended([*score, "--out", run]) == 0, capsys.readouterr()
            runs.append(run)
    capsys.readouterr()
    board = ["leaderboard", *runs, "--config", ROOT / "fixtures" / "challenge.yaml", "--unofficial", "--json"]
    board += ["--out", tmp_path / "site"]
    assert ended(board) == 0
    shown = capsys.readouterr().out
    assert '"lab"' in shown
    assert '"cloud"' in shown

    calls = (tmp_path / "calls").read_text().splitlines()
    assert calls == [PROMPT, PROMPT], "the prompt arrives as it is, and a finished video is not made again"
    assert len(server.orders) == 2, "nor ordered again"
    asked = server.orders["1"]
    assert asked.headers["Authorization"] == f"Bearer {SECRET}"
    expected = {"model": "a-model", "prompt": PROMPT, "size": "128x128", "seconds": "1.062"}
    assert {name: asked.fields[name] for name in expected} == expected
    references = {path.read_bytes() for path in testset.rglob("image.png")}
    assert {order.fields["input_reference"] for order in server.orders.values()} == references

    record = json.loads((records_folder(tmp_path / "lab") / "id001/prompt1.json").read_text())
    assert record["seed"] == seed_of(2025, "id001/prompt1")
    holding = [
        path for path in tmp_path.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()
    ]
    assert holding == []
