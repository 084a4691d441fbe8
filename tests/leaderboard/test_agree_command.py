"""`ipvg-eval agree` on simulated teams, from run folders and votes to table, JSON, page and LaTeX."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from ipvg_eval.cli import main

MakeRun = Callable[..., Path]
Call = Callable[..., tuple[int, str, str]]
TEAMS = ("ann", "bob", "cid")


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Call:
    """Runs the command in this process: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str | Path) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return run


@pytest.fixture
def given(make_run: MakeRun, tmp_path: Path) -> tuple[list[Path], Path, Mapping[str, Any]]:
    """Three teams whose metric `truth` drives the votes, `other` is chance, `flat` is constant, `half` is
    missing for every second sample."""
    rng = np.random.default_rng(5)
    truth = {team: rng.standard_normal(150) for team in TEAMS}
    runs = []
    for team in TEAMS:
        half = [None if place % 2 else float(value) for place, value in enumerate(truth[team])]
        values = {
            "truth": truth[team].tolist(),
            "other": rng.standard_normal(150).tolist(),
            "flat": [0.5] * 150,
            "half": half,
        }
        runs.append(make_run(team, values))
    lines = ["sample,team_a,team_b,winner,annotator"]
    expected = []
    for place, (one, other) in itertools.product(range(150), itertools.combinations(TEAMS, 2)):
        gap = truth[one][place] - truth[other][place]
        for voter in range(2):
            wins = rng.random() < expit(2 * gap)
            expected.append(wins == (gap > 0))
            sample = f"id{place // 5 + 1:03d}/prompt{place % 5 + 1}"
            lines.append(f"{sample},{one},{other},{'a' if wins else 'b'},p{(place + 5 * voter) % 12}")
    votes = tmp_path / "votes.csv"
    votes.write_text("\n".join(lines) + "\n", "utf-8")
    return runs, votes, {"truth": float(np.mean(expected)), "votes": len(expected)}


def test_everything_that_it_writes_and_prints(given, call: Call, tmp_path: Path) -> None:
    runs, votes, expected = given
    code, out, err = call("agree", *runs, "--votes", votes, "--out", "found", "--json")
    assert code == 0, err
    found = json.loads(out)
    (question,) = found["questions"]
    rows = {row["name"]: row for row in question["metrics"]}
    assert question["metrics"][0]["name"] in {"truth", "half"}
    assert rows["truth"]["agreement"]["value"] == pytest.approx(expected["truth"])
    assert rows["truth"]["votes"] == expected["votes"]
    assert rows["other"]["agreement"]["low"] < 0.5 < rows["other"]["agreement"]["high"]
    assert rows["flat"]["note"] == "the same for both videos of every pair"
    assert rows["flat"]["agreement"]["value"] == 0.5
    assert rows["half"]["votes"] == rows["half"]["without"] == expected["votes"] // 2
    assert rows["half"]["note"] == "missing for 50% of the votes"
    assert question["ceiling_pairs"] == 450
    assert Path(found["page"]) == Path("found/index.html")
    written = json.loads((tmp_path / "found" / "agreement.json").read_text("utf-8"))
    assert written["questions"] == found["questions"]
    page = (tmp_path / "found" / "index.html").read_text("utf-8")
    assert "Which metric agrees with people?" in page
    assert "votes.csv" in page
    latex = (tmp_path / "found" / "agreement.tex").read_text("utf-8")
    assert f"overall & truth & {100 * expected['truth']:.1f} &" in latex


def test_the_table_says_the_same(given, call: Call) -> None:
    runs, votes, expected = given
    code, out, _ = call("agree", *runs, "--votes", votes)
    assert code == 0
    assert "question overall" in out
    assert f"{expected['truth']:.1%}" in out
    for words in ("best weights, unseen identities", "another annotator (ceiling)", "50 % is chance."):
        assert words in out
    assert "agrees most" in out


def test_opinion_sheets_are_votes_too(given, call: Call, tmp_path: Path) -> None:
    runs, _, _ = given
    lines = ["team,sample,annotator,quality"]
    for place, (number, team) in itertools.product(range(60), enumerate(TEAMS)):
        # The first team is scored best by everybody, the last worst.
        lines.append(f"{team},id{place // 5 + 1:03d}/prompt{place % 5 + 1},p{place % 6},{5 - 2 * number}")
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("\n".join(lines) + "\n", "utf-8")
    code, out, err = call("agree", *runs, "--opinions", sheet, "--json")
    assert code == 0, err
    (question,) = json.loads(out)["questions"]
    assert (question["question"], question["votes"], question["annotators"]) == ("quality", 180, 6)
    assert question["teams"] == list(TEAMS)


def test_what_is_refused_says_what_to_do(given, call: Call, tmp_path: Path) -> None:
    runs, votes, _ = given
    code, _, err = call("agree", *runs)
    assert code == 2
    assert "give either votes or opinion scores" in err
    code, _, err = call("agree", *runs, "--votes", votes, "--opinions", votes)
    assert code == 2
    few = tmp_path / "few.csv"
    few.write_text("".join(votes.read_text("utf-8").splitlines(keepends=True)[:31]), "utf-8")
    code, _, err = call("agree", *runs, "--votes", few)
    assert code == 1
    assert "30 votes are too few" in err
    strange = tmp_path / "strange.csv"
    strange.write_text(votes.read_text("utf-8") + "id999/prompt1,ann,bob,a,p0\n", "utf-8")
    code, _, err = call("agree", *runs, "--votes", strange)
    assert code == 1
    assert "id999/prompt1" in err
    code, _, err = call("agree", *runs[:2], "--votes", votes)
    assert code == 1
    assert "unknown team 'cid'" in err


def test_plan_prints_a_table_and_json(call: Call) -> None:
    words = ("study", "plan", "--wins", "75", "--teams", "2", "--identities", "20", "--annotators", "1")
    code, out, err = call(*words, "--simulations", "20", "--json")
    assert code == 0, err
    plan = json.loads(out)
    assert plan["most"] == 100
    assert plan["strengths"] == pytest.approx([np.log(3) / 2, -np.log(3) / 2])
    assert [row["votes"] for row in plan["schedule"]] == list(range(10, 101, 10))
    assert plan["needed"]["order"] >= 0.8
    code, again, _ = call(*words, "--simulations", "20", "--json")
    assert again == out, "the same seed, the same plan"
    code, out, _ = call(*words, "--simulations", "20", "--minutes", "10", "--seconds", "15")
    assert code == 0
    assert "team 1, team 2: each beats the next in 75 %" in out
    assert "order is known" in out
    assert "15 s a vote" in out


def test_plan_takes_strengths_from_votes(given, call: Call) -> None:
    _, votes, _ = given
    words = ("study", "plan", "--votes", votes, "--identities", "10", "--simulations", "20", "--json")
    code, out, err = call(*words)
    assert code == 0, err
    assert json.loads(out)["teams"] == list(TEAMS)
    for more in (("--teams", "3"), ("--wins", "60")):
        code, _, err = call(*words, *more)
        assert code == 2
        assert "given twice" in err
    code, _, err = call("study", "plan", "--teams", "4", "--wins", "60", "--wins", "70")
    assert code == 2
    assert "2 --wins for 4 teams" in err
    code, _, err = call("study", "plan", "--wins", "30")
    assert code == 2
    assert "50 to below 100" in err
