"""`leaderboard` and `elo` on the fixtures' real runs: what they write, print and refuse."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ipvg_eval.cli import main

LITE = ("--protocol", "lite", "--metrics", "lite_sharpness")


@pytest.fixture(scope="module")
def scored(fixtures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both submissions, really scored; never written to."""
    root = tmp_path_factory.mktemp("scored")
    both = [fixtures / "submissions" / name for name in ("careful", "careless")]
    words = [sys.executable, "-m", "ipvg_eval", "score", *both, "--testset", fixtures / "testset", *LITE]
    subprocess.run([*map(str, words), "--out", str(root)], check=True, capture_output=True)
    return root


@pytest.fixture
def runs(scored: Path, tmp_path: Path) -> Path:
    """Copies of the runs that a test may break."""
    return Path(shutil.copytree(scored, tmp_path / "runs"))


@pytest.fixture
def votes(fixtures: Path) -> Path:
    return fixtures / "votes.csv"


Call = Callable[..., tuple[int, str, str]]


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


def both(runs: Path) -> list[Path]:
    return [runs / "careful", runs / "careless"]


def edit(run: Path, change: Callable[[dict[str, Any]], None]) -> None:
    info = json.loads((run / "run.json").read_text("utf-8"))
    change(info)
    (run / "run.json").write_text(json.dumps(info), "utf-8")


def content(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_fresh_process_makes_the_site_of_the_demo(command, runs, votes, tmp_path):
    done = command("leaderboard", *both(runs), "--votes", votes, "--unofficial", "--out", tmp_path / "site")
    assert done.returncode == 0, done.stderr
    assert "careful" in done.stdout
    assert str(tmp_path / "site/index.html") in done.stdout.replace("\n", "")
    assert "These numbers rank nobody." in done.stderr
    pages = sorted(path.name for path in (tmp_path / "site/teams").iterdir())
    assert pages == ["facial_careful.html", "facial_careless.html"]
    page = (tmp_path / "site/teams/facial_careful.html").read_text("utf-8")
    assert page.count("data:image/webp;base64,") >= 6, "frames of the best and worst samples"
    assert any(f"id001/prompt{number}" in page for number in range(1, 6))


def test_the_rules_of_the_demo_fit_its_protocol(fixtures):
    from ipvg_eval.leaderboard import read_challenge
    from ipvg_eval.metrics.protocols.loading import load_protocol

    rules = read_challenge(fixtures / "challenge.yaml")
    assert {metric.name for metric in rules.metrics} <= {spec.name for spec in load_protocol("lite").specs}


def test_json_is_the_only_thing_on_stdout(call, runs, votes):
    code, out, _ = call("leaderboard", *both(runs), "--votes", votes, "--unofficial", "--json")
    assert code == 0
    content = json.loads(out)
    assert content["page"] == "site/index.html"
    track = content["tracks"][0]
    assert [row["team"] for row in track["final"]["table"]] == ["careful", "careless"]
    # 19 of 30 votes for careful, 3 against, 8 draws; the three votes on a sample share its point.
    points = {row["team"]: row["points"] for row in track["ratings"]["overall"]["table"]}
    assert points["careful"] == pytest.approx((19 + 8 / 2) / 3)
    assert sum(points.values()) == pytest.approx(10)


def test_a_public_site_holds_no_sample_prompt_or_picture(call, runs, votes, fixtures, tmp_path):
    code, out, _ = call(
        "leaderboard", *both(runs), "--votes", votes, "--unofficial", "--public", "--json", "--out", "public"
    )
    assert code == 0
    prompts = [path.read_text("utf-8").strip() for path in (fixtures / "testset").rglob("*.txt")]
    words = [*prompts, "id001", "id002", "prompt1", "data:image", "annotator1", str(tmp_path)]
    for name, data in {**content(tmp_path / "public"), "stdout": out.encode()}.items():
        for word in words:
            assert word not in data.decode("utf-8"), (name, word)


def test_a_rating_study_from_its_making_to_the_board(call, runs, fixtures, tmp_path):
    from ipvg_eval.leaderboard.study import open_study

    places = [
        "--submissions",
        fixtures / "submissions",
        "--testset",
        fixtures / "testset",
        "--out",
        "ratings",
    ]
    few = ["--kind", "rating", "--share", "0.2", "--annotators", "1"]
    code, out, err = call("study", "create", *both(runs), *places, *few)
    assert code == 0
    assert "4 videos, 4 showings on 1 sheets" in err
    assert "admin page\t/admin/" in out
    assert call("study", "tokens", "ratings", "1")[0] == 0
    code, _, err = call("leaderboard", *both(runs), "--unofficial", "--opinions", "ratings")
    assert code == 1
    assert "no rating counts yet" in err
    with open_study("ratings").writing() as writer:  # as the server does, without the waiting
        given = {"careful": (5, 4), "careless": (2, 1)}
        query = "SELECT i.id, c.team FROM item i JOIN clip c ON c.id = i.left_clip WHERE i.kind = 'rating'"
        for row in writer.execute(query).fetchall():
            for question, score in enumerate(given[row["team"]]):
                values = (row["id"], question, str(score))
                writer.execute(
                    "INSERT INTO vote (item, question, answer, at, seconds) VALUES (?, ?, ?, 0, 5)", values
                )
    code, out, _ = call("study", "status", "ratings")
    assert "4 of 4 judgements" in out
    assert call("study", "export", "ratings", "--out", "opinions.csv", "--audit", "audit.csv")[0] == 0
    lines = (tmp_path / "opinions.csv").read_text().splitlines()
    assert lines[0] == "team,sample,annotator,aspect,score,scale,time"
    assert len(lines) == 1 + 4 * 2
    (tmp_path / "rules.yaml").write_text("metrics: [{name: lite_sharpness}]\nfinal: {subjective: mos}\n")
    for sheet in ("opinions.csv", "ratings", "ratings/study.db"):
        words = ("--opinions", sheet, "--config", "rules.yaml", "--unofficial", "--json")
        code, out, _ = call("leaderboard", *both(runs), *words)
        assert code == 0
        track = json.loads(out)["tracks"][0]
        judged = {row["team"]: row["judgement"] for row in track["final"]["table"]}
        assert judged == {"careful": 4.5, "careless": 1.5}
        assert track["opinions"]["scale"] == {"lowest": 1, "highest": 5}
    code, _, err = call("leaderboard", *both(runs), "--unofficial", "--votes", "ratings")
    assert code == 1
    assert "--opinions" in err


def test_votes_may_name_their_track(call, runs, votes):
    code, _, err = call("leaderboard", *both(runs), "--unofficial", "--votes", f"sequential={votes}")
    assert code == 1
    assert "track 'sequential'" in err
    code, out, _ = call("leaderboard", *both(runs), "--unofficial", "--votes", f"facial={votes}")
    assert code == 0
    assert "points" in out
    words = ("--votes", str(votes), "--votes", f"facial={votes}")
    code, _, err = call("leaderboard", *both(runs), "--unofficial", *words)
    assert code == 2
    assert "--votes facial=FILE" in err


def test_votes_of_a_study_are_read_from_its_database(call, runs, fixtures, tmp_path):
    from ipvg_eval.leaderboard.study import create_study, new_annotators, open_study, read_study_config
    from ipvg_eval.study_source import study_source

    submissions = [str(fixtures / "submissions" / team) for team in ("careful", "careless")]
    teams, samples = study_source(both(runs), submissions, fixtures / "testset")
    create_study(teams, samples, read_study_config(None, share=0.4, annotators=1), tmp_path / "study")
    study = open_study(tmp_path / "study")
    new_annotators(study, 1)
    with study.writing() as writer:
        writer.execute(
            """INSERT INTO vote (item, question, answer, at, seconds)
            SELECT item.id, 0, CASE clip.team WHEN 'careful' THEN 'left' ELSE 'right' END, 0, 1
            FROM item JOIN clip ON clip.id = item.left_clip
            JOIN annotator ON annotator.sheet = item.sheet WHERE item.kind = 'pair'"""
        )
    for name in ("study/study.db", "study"):
        code, out, err = call("leaderboard", *both(runs), "--unofficial", "--votes", name, "--json")
        assert code == 0, err
        track = json.loads(out)["tracks"][0]
        (ratings,) = track["ratings"].values()
        assert [(row["team"], row["points"]) for row in ratings["table"]] == [("careful", 4), ("careless", 0)]
        assert set(track["sources"]) == {"study.db"}


LINES = "sample,team_a,team_b,winner\n"
VOTE = "id001/prompt1,careful,careless,a\n"

BAD_VOTES = {
    "unknown team": (
        LINES + "id001/prompt1,careful,carelss,a\n",
        "line 2: unknown team 'carelss'",
        "careless",
    ),
    "unknown sample": (
        LINES + "id009/prompt1,careful,careless,a\n",
        "unknown sample 'id009/prompt1'",
        "id001",
    ),
    "duplicate vote": (LINES + VOTE + VOTE, "line 3: the same vote as line 2", "annotator"),
    "malformed line": (
        LINES + VOTE + "id001/prompt2,careful\n",
        "line 3: 2 fields, the header has 4",
        "Mend",
    ),
    "unknown winner": (LINES + "id001/prompt1,careful,careless,left\n", "winner 'left' is not a, b", "Mend"),
    "no header": (VOTE, "line 1: unknown column", "Known"),
}


@pytest.mark.parametrize("kind", BAD_VOTES)
def test_bad_votes_are_explained_and_the_old_site_stays(call, runs, tmp_path, kind):
    text, message, hint = BAD_VOTES[kind]
    assert call("leaderboard", *both(runs), "--unofficial", "--out", "site")[0] == 0
    before = content(tmp_path / "site")
    (tmp_path / "bad.csv").write_text(text, "utf-8")
    code, out, err = call("leaderboard", *both(runs), "--unofficial", "--votes", "bad.csv", "--out", "site")
    assert code == 1
    assert out == ""
    assert message in err
    assert hint in err
    assert "Traceback" not in err
    assert content(tmp_path / "site") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.csv", "runs", "site"]


def other_decoder(runs: Path) -> None:
    edit(runs / "careless", lambda info: info.update(decoder="another decoder"))


def other_protocol(runs: Path) -> None:
    edit(runs / "careless", lambda info: info["protocol"].update(sha256="0" * 64))


def truncated_table(runs: Path) -> None:
    path = runs / "careless/samples.parquet"
    path.write_bytes(path.read_bytes()[:-100])


def no_summary(runs: Path) -> None:
    (runs / "careless/summary.json").unlink()


def damaged_json(runs: Path) -> None:
    (runs / "careless/run.json").write_text('{"team": "careless"', "utf-8")


def unfinished(runs: Path) -> None:
    edit(runs / "careless", lambda info: info.update(finished=None))


def no_run(runs: Path) -> None:
    (runs / "careless/run.json").unlink()


@pytest.mark.parametrize(
    ("harm", "message"), [(other_decoder, "decoder differs"), (other_protocol, "protocol differs")]
)
def test_runs_that_do_not_compare_are_explained_and_the_old_site_stays(call, runs, tmp_path, harm, message):
    assert call("leaderboard", *both(runs), "--unofficial", "--out", "site")[0] == 0
    before = content(tmp_path / "site")
    harm(runs)
    code, out, err = call("leaderboard", *both(runs), "--unofficial", "--out", "site")
    assert code == 1
    assert out == ""
    assert message in err
    assert "Traceback" not in err
    assert content(tmp_path / "site") == before


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (truncated_table, "samples.parquet: this file of a run cannot be read"),
        (no_summary, "summary.json: this file of a run cannot be read"),
        (damaged_json, "run.json: this file of a run cannot be read"),
        (unfinished, "is not finished"),
    ],
)
def test_a_bad_run_costs_itself(call, runs, tmp_path, harm, message):
    harm(runs)
    code, out, err = call("leaderboard", *both(runs), "--unofficial", "--out", "site")
    assert code == 4
    assert "careful" in out
    assert message in err
    assert "Traceback" not in err
    code, out, err = call("leaderboard", runs / "careless", "--unofficial", "--out", "alone")
    assert (code, out) == (1, "")
    assert message in err
    assert not (tmp_path / "alone").exists()


def test_a_folder_that_is_no_run_is_a_wrong_word(call, runs):
    no_run(runs)
    code, out, err = call("leaderboard", *both(runs), "--unofficial", "--out", "site")
    assert (code, out) == (2, "")
    assert "this is not a run folder" in err


def test_what_an_audit_found_stands_beside_the_team(call, runs, tmp_path):
    finding = {
        "kind": "still",
        "team": "careless",
        "videos": ["id001/prompt1.mp4"],
        "message": "It <b>rests</b>.",
    }
    record = {"teams": {"careless": 10}, "unchecked": [], "thresholds": {}}
    findings = [finding | {"numbers": {}, "thresholds": {}}] * 2
    (runs / "careless/audit.json").write_text(json.dumps(record | {"findings": findings}))
    (runs / "careful/audit.json").write_text(json.dumps(record | {"findings": []}))
    for words, shown in (([], True), (["--public"], False)):
        assert call("leaderboard", *both(runs), "--unofficial", "--out", "site", *words)[0] == 0
        index = (tmp_path / "site/index.html").read_text()
        assert index.count("audit: 2 to look at") == 1
        everything = "".join(text.decode() for text in content(tmp_path / "site").values())
        assert ("It &lt;b&gt;rests&lt;/b&gt;." in everything) is shown
        assert "Nothing was found." in everything


def test_unofficial_runs_need_the_word(call, runs, tmp_path):
    code, _, err = call("leaderboard", *both(runs), "--out", "site")
    assert code == 1
    assert "protocol 'lite' is not official" in err
    assert "--unofficial" in err
    assert not (tmp_path / "site").exists()


def test_random_weights_need_the_word(call, runs):
    for run in both(runs):
        edit(run, lambda info: info["protocol"].update(official=True))
        edit(run, lambda info: info.update(random_weights=0))
    code, _, err = call("leaderboard", *both(runs))
    assert code == 1
    assert "random weights" in err


def test_unknown_rules_suggest_the_nearest(call, runs, tmp_path):
    (tmp_path / "challenge.yaml").write_text("finalist: 2\n")
    code, _, err = call("leaderboard", *both(runs), "--unofficial", "--config", "challenge.yaml")
    assert code == 2
    assert "unknown key 'finalist'" in err
    assert "'finalists'" in err


def test_a_folder_of_others_is_not_replaced(call, runs, tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis/chapter1.txt").write_text("years of work")
    code, _, err = call("leaderboard", *both(runs), "--unofficial", "--out", "thesis")
    assert code == 2
    assert "chapter1.txt" in err
    assert [path.name for path in (tmp_path / "thesis").iterdir()] == ["chapter1.txt"]
    code, _, err = call("leaderboard", *both(runs), "--unofficial", "--out", runs / "careful")
    assert code == 2, "nor is a run"
    assert (runs / "careful/run.json").exists()


def test_elo_rates_votes_alone(call, votes):
    code, out, err = call("elo", votes)
    assert code == 0
    words = " ".join(out.split())
    assert "30 votes, 10 comparisons" in words
    assert "7.67 of 10" in words
    assert "95 % interval over 10 samples and 3 annotators" in words
    assert "--identities" in err
    assert "Too few votes" in err


def test_elo_resamples_identities(call, votes, tmp_path):
    lines = [f"id00{i}/prompt{p},id00{i}" for i in (1, 2) for p in range(1, 6)]
    (tmp_path / "map.csv").write_text("sample,identity\n" + "\n".join(lines) + "\n")
    code, out, err = call("elo", votes, "--identities", "map.csv", "--json")
    assert code == 0
    ratings = json.loads(out)
    assert ratings["clusters"] == 2
    assert ratings["comparisons"] == 10
    assert [row["team"] for row in ratings["table"]] == ["careful", "careless"]
    assert err == ""


@pytest.mark.parametrize(
    ("words", "message", "expected"),
    [
        (("missing.csv",), "missing.csv", 2),
        (("{votes}", "--question", "identity"), "there is no vote on question 'identity'", 1),
        (("{votes}", "--identities", "{votes}"), "line 1: the columns are", 1),
    ],
)
def test_elo_explains_bad_input(call, votes, words, message, expected):
    code, out, err = call("elo", *(word.format(votes=votes) for word in words))
    assert code == expected
    assert out == ""
    assert message in err


def test_help_does_not_load_the_leaderboard():
    code = (
        "import sys\n"
        "from ipvg_eval.cli import main\n"
        "try:\n"
        "    main(['leaderboard', '--help'])\n"
        "except SystemExit:\n"
        "    pass\n"
        "assert not {'torch', 'pandas', 'ipvg_eval.leaderboard'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
