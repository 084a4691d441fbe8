"""Runs, submissions and the test set become a study; its commands."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ipvg_eval.cli.study import app
from ipvg_eval.core.errors import UsageError
from ipvg_eval.leaderboard import read_votes
from ipvg_eval.leaderboard.study import open_study
from ipvg_eval.leaderboard.votes import Votes
from ipvg_eval.scoring import Recipe, score
from ipvg_eval.study_source import _in_a_folder_of, study_source
from ipvg_eval.submission import load_submission


@pytest.fixture(scope="module")
def runs(fixtures: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two real runs of two samples each."""
    folder = tmp_path_factory.mktemp("runs")
    scorer = Recipe(protocol="lite", metrics=["lite_motion"]).build()
    made = {}
    for name in ("careful", "careless"):
        out = folder / name
        submission = load_submission(fixtures / "submissions" / name)
        score(submission, testset=fixtures / "testset", recipe=scorer, team=f"{name} & co", out=out, limit=2)
        made[name] = out
    return made


def test_the_runs_teams_with_the_files_that_were_measured(runs, fixtures):
    teams, samples = study_source(list(runs.values()), [str(fixtures / "submissions")], fixtures / "testset")
    assert [team.name for team in teams] == ["careful & co", "careless & co"]
    assert len(samples) == 10
    for team, name in zip(teams, runs, strict=True):
        assert sorted(team.videos) == ["id001/prompt1", "id001/prompt2"]
        with team.videos["id001/prompt2"]() as path:
            assert path.read_bytes() == (fixtures / "submissions" / name / "id001/prompt2.mp4").read_bytes()
    assert samples[0].identity == "id001"
    assert samples[0].references[0].path == fixtures / "testset" / "id001" / "image.png"


def test_a_submission_that_changed_since_it_was_scored_is_refused(runs, fixtures, careful):
    shutil.copy(careful / "id001/prompt2.mp4", careful / "id001/prompt1.mp4")
    given = [f"careful & co={careful}", str(fixtures / "submissions" / "careless")]
    teams, _ = study_source(list(runs.values()), given, fixtures / "testset")
    with pytest.raises(UsageError, match="not the file that was scored"), teams[0].videos["id001/prompt1"]():
        pass


def test_what_does_not_fit_together_is_refused(runs, fixtures, tmp_path):
    submissions, testset = [str(fixtures / "submissions")], fixtures / "testset"
    with pytest.raises(UsageError, match="two runs of team"):
        study_source([runs["careful"], runs["careful"]], submissions, testset)
    with pytest.raises(UsageError, match=r"'careless'.*not found"):
        study_source(list(runs.values()), [str(fixtures / "submissions" / "careful")], testset)
    with pytest.raises(UsageError, match="nothing is given"):
        study_source([], [], testset)
    other = shutil.copytree(testset, tmp_path / "other")
    (other / "id001" / "prompt1.txt").write_text("Something else.")
    with pytest.raises(UsageError, match="another test set"):
        study_source(list(runs.values()), submissions, other)


def test_uploads_lie_in_a_folder_per_team(fixtures, tmp_path):
    """As the guide for organisers has them: uploads/TEAM/facial_results.zip."""
    runs = []
    for team, name in (("alpha", "careful"), ("beta", "careless")):
        upload = tmp_path / "uploads" / team / "facial_results.zip"
        upload.parent.mkdir(parents=True)
        source = fixtures / "submissions" / name
        with zipfile.ZipFile(upload, "w") as archive:
            for path in source.rglob("*.mp4"):
                archive.write(path, path.relative_to(source))
        runs.append(tmp_path / "runs" / team)
        scorer = Recipe(protocol="lite", metrics=["lite_motion"]).build()
        score(
            load_submission(upload),
            testset=fixtures / "testset",
            recipe=scorer,
            team=team,
            out=runs[-1],
            limit=1,
        )
    teams, _ = study_source(runs, [str(tmp_path / "uploads")], fixtures / "testset")
    for team, name in zip(teams, ("careful", "careless"), strict=True):
        with team.videos["id001/prompt1"]() as path:
            assert path.read_bytes() == (fixtures / "submissions" / name / "id001/prompt1.mp4").read_bytes()


@pytest.mark.parametrize("team", ["../uploads/alpha", "/tmp", "..", ".", "", "a/b"])
def test_a_teams_name_leads_nowhere_else(team, tmp_path):
    assert _in_a_folder_of(team, tmp_path, "x.zip") == []
    assert _in_a_folder_of("alpha", tmp_path, "x.zip") == [tmp_path / "alpha" / "x.zip"]


def test_zips_and_missing_videos(fixtures, careful, tmp_path):
    (careful / "id001" / "prompt3.mp4").unlink()
    with zipfile.ZipFile(tmp_path / "zipped.zip", "w") as archive:
        for path in careful.rglob("*.mp4"):
            archive.write(path, path.relative_to(careful))
    given = [str(tmp_path / "zipped.zip"), f"other={fixtures / 'submissions' / 'careless'}"]
    teams, _ = study_source([], given, fixtures / "testset")
    assert [team.name for team in teams] == ["zipped", "other"]
    assert "id001/prompt3" in teams[0].absent
    assert len(teams[0].videos) == 9
    with teams[0].videos["id002/prompt1"]() as path:
        assert path.read_bytes() == (careful / "id002/prompt1.mp4").read_bytes()


def test_timelines_are_one_line_per_event(tmp_path, fixtures):
    picture = tmp_path / "testset" / "a.png"
    picture.parent.mkdir()
    shutil.copy(fixtures / "testset" / "id001" / "image.png", picture)
    events = [
        {"start": 0, "end": 2.5, "description": "She waves."},
        {"start": 2.5, "end": 5, "description": "She laughs."},
    ]
    item = {
        "img_paths": ["a.png"],
        "class_label": ["woman"],
        "global_prompt": "A woman waves, then laughs.",
        "temporal_captions": events,
    }
    (picture.parent / "eval.json").write_text(json.dumps([item]))
    _, samples = study_source([], [str(fixtures / "submissions" / "careful")], picture.parent)
    assert samples[0].timeline == "0 – 2.5 s: She waves.\n2.5 – 5 s: She laughs."
    assert samples[0].references[0].label == "woman"


def test_the_commands_from_runs_to_votes(runs, fixtures, tmp_path):
    def run(*words: object) -> str:
        result = CliRunner().invoke(app, [str(word) for word in words])
        assert result.exit_code == 0, result.output
        return result.stdout

    study = tmp_path / "study"
    places = ["--submissions", fixtures / "submissions", "--testset", fixtures / "testset", "--out", study]
    created = run("create", "--runs", *runs.values(), *places, "--annotators", 1)
    facts = dict(line.split("\t") for line in created.splitlines())
    assert facts["admin page"].startswith("/admin/")
    tokens = run("tokens", study, 1, "--url", "https://study.example/").splitlines()
    name, link = tokens[0].split("\t")
    assert (name, link[:24]) == ("annotator-0001", "https://study.example/a/")
    assert run("export", study) == "sample,team_a,team_b,winner,annotator,question,time\n"

    opened = open_study(study)
    with opened.writing() as writer:  # as the server does, without the waiting
        items = writer.execute("SELECT id, kind FROM item WHERE kind = 'pair'").fetchall()
        assert len(items) == 2
        for row in items:
            query = "INSERT INTO vote (item, question, answer, at, seconds) VALUES (?, 0, 'left', 0, 5)"
            writer.execute(query, (row["id"],))
    run("export", study, "--out", tmp_path / "votes.csv", "--audit", tmp_path / "audit.csv")
    votes: Votes = read_votes(tmp_path / "votes.csv")
    assert votes.teams == ("careful & co", "careless & co")
    assert set(votes.table["winner"]) == {"a"}
    assert (tmp_path / "audit.csv").read_text().count("\n") == 3
    status = run("status", study)
    assert "2 of 2 judgements" in status
    assert "careful & co - careless & co" in status
    assert run("release", study, "annotator-0001") == ""  # who has finished leaves nothing to others
    again = CliRunner().invoke(app, ["export", str(study), "--out", str(tmp_path / "votes.csv")])
    assert isinstance(again.exception, UsageError)
