"""Choosing per sample the best of several scored submissions."""

from __future__ import annotations

import io
import json
import re
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from ipvg_eval.cli.select import select as command
from ipvg_eval.core.errors import UsageError
from ipvg_eval.errors import RunError
from ipvg_eval.reference_generator.errors import OutputInUse, SettingsError
from ipvg_eval.reference_generator.record import records_folder
from ipvg_eval.reference_generator.selection import Candidate, choose, write_selection
from ipvg_eval.scoring import Recipe, score


def candidate(name, scores, without=()):
    return Candidate(
        name=name,
        scores=scores,
        videos={sample: f"{sample}.mp4" for sample in scores if sample not in without},
        open=lambda path: closing(io.BytesIO(f"{name} {path}".encode())),
    )


VIDEOS = {sample: f"new/{sample}.mp4" for sample in "abcd"}


def test_the_best_score_wins_and_ties_go_to_the_first():
    one = candidate("one", {"a": 0.5, "b": 0.1, "c": 0.3, "d": None})
    two = candidate("two", {"a": 0.4, "b": 0.2, "c": 0.3, "d": 0.1})
    chosen = choose([one, two], VIDEOS, by="m", higher_is_better=True)
    assert [choice.winner for choice in chosen.choices] == ["one", "two", "one", "two"]
    assert chosen.wins == {"one": 2, "two": 2}
    assert chosen.mean == pytest.approx((0.5 + 0.2 + 0.3 + 0.1) / 4)
    assert chosen.means == {"one": pytest.approx(0.3), "two": pytest.approx(0.25)}
    lower = choose([one, two], VIDEOS, by="m", higher_is_better=False)
    assert [choice.winner for choice in lower.choices] == ["two", "one", "one", "two"]


def test_without_a_score_the_first_video_serves_and_without_a_video_nobody():
    one = candidate("one", {"a": None, "b": 0.9, "c": None}, without=("a", "b", "c"))
    two = candidate("two", {"a": None, "b": 0.1, "c": None}, without=("c",))
    chosen = choose([one, two], {sample: VIDEOS[sample] for sample in "abc"}, by="m", higher_is_better=True)
    assert [choice.winner for choice in chosen.choices] == ["two", "two", None]
    assert "nobody has a score" in chosen.choices[0].note
    assert chosen.choices[1].note is None
    assert chosen.missing == ("c",)


def test_candidates_need_names_of_their_own():
    with pytest.raises(SettingsError, match="different names"):
        choose([candidate("x", {}), candidate("x", {})], {}, by="m", higher_is_better=True)
    with pytest.raises(SettingsError):
        choose([], {}, by="m", higher_is_better=True)


@given(
    table=st.lists(
        st.lists(st.one_of(st.none(), st.floats(-1, 1)), min_size=3, max_size=3), min_size=1, max_size=8
    )
)
@settings(deadline=None, max_examples=100)
def test_the_mixture_is_never_worse_than_any_candidate(table):
    samples = [str(n) for n in range(len(table))]
    candidates = [
        candidate(str(column), {s: row[column] for s, row in zip(samples, table, strict=True)})
        for column in range(3)
    ]
    chosen = choose(candidates, {s: f"{s}.mp4" for s in samples}, by="m", higher_is_better=True)
    assert sum(chosen.wins.values()) == len(table)
    for choice, row in zip(chosen.choices, table, strict=True):
        known = [value for value in row if value is not None]
        assert choice.scores[choice.winner] == (max(known) if known else None)


def test_the_chosen_videos_are_copied_and_the_choice_recorded(tmp_path):
    one, two = candidate("one", {"a": 1.0, "b": 0.0}), candidate("two", {"a": 0.0, "b": 1.0})
    videos = {sample: VIDEOS[sample] for sample in "ab"}
    chosen = choose([one, two], videos, by="m", higher_is_better=True)
    out = tmp_path / "out"
    write_selection(chosen, [one, two], out)
    assert {p.name: p.read_text() for p in (out / "new").iterdir()} == {
        "a.mp4": "one a.mp4",
        "b.mp4": "two b.mp4",
    }
    record = json.loads((records_folder(out) / "selection.json").read_text())
    assert (record["by"], record["wins"]) == ("m", {"one": 1, "two": 1})
    assert record["choices"]["a"] == {"winner": "one", "scores": {"one": 1.0, "two": 0.0}, "note": None}
    with pytest.raises(OutputInUse):
        write_selection(chosen, [one, two], out)


FIXTURES = "fixtures"


@pytest.fixture(scope="module")
def scored(pytestconfig, tmp_path_factory):
    """Two real submissions, scored on two samples."""
    root, folder = pytestconfig.rootpath / FIXTURES, tmp_path_factory.mktemp("runs")
    for team in ("careful", "careless"):
        score(
            root / "submissions" / team,
            testset=root / "testset",
            recipe=Recipe(protocol="lite", metrics=["lite_sharpness", "dynamic_degree_lite"]),
            limit=3,
            out=folder / team,
        )
    return root, folder


@pytest.fixture
def run_command():
    import typer

    app = typer.Typer()
    app.command()(command)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


def words_for(scored, *teams):
    root, folder = scored
    words = [folder / team for team in teams]
    for team in teams:
        words += ["--submission", root / "submissions" / team]
    return words


def test_the_command_builds_a_submission_from_real_runs(scored, run_command, tmp_path, files):
    import pandas as pd

    root, folder = scored
    out = tmp_path / "best"
    words = words_for(scored, "careful", "careless")
    done = run_command(*words, "--by", "lite_sharpness", "--out", out)
    assert done.exit_code in (0, 4), done.output
    tables = {
        team: pd.read_parquet(folder / team / "samples.parquet").set_index("sample")
        for team in ("careful", "careless")
    }
    made = files(out)
    for sample, row in tables["careful"].head(3).iterrows():
        other = tables["careless"].loc[sample]
        winner = "careless" if other["lite_sharpness"] > row["lite_sharpness"] else "careful"
        assert made[row["video"]] == (root / "submissions" / winner / row["video"]).read_bytes()
    assert re.search(r"careful +\S? *\d+", done.output)


@pytest.mark.parametrize(("by", "hint"), [("lite_sharpnes", "'lite_sharpness'"), ("overall", "Known: ")])
def test_an_unknown_metric_suggests_the_nearest(scored, run_command, tmp_path, by, hint):
    done = run_command(*words_for(scored, "careful"), "--by", by, "--out", tmp_path / "out")
    assert isinstance(done.exception, UsageError)
    assert hint in done.exception.hint


def test_every_run_needs_its_own_submission(scored, run_command, tmp_path):
    root, folder = scored
    done = run_command(
        folder / "careful",
        folder / "careless",
        "--submission",
        root / "submissions/careful",
        "--by",
        "lite_sharpness",
        "--out",
        tmp_path / "out",
    )
    assert isinstance(done.exception, UsageError)
    assert "2 runs, but 1 submissions" in str(done.exception)
    swapped = run_command(
        folder / "careful",
        "--submission",
        root / "submissions/careless",
        "--by",
        "lite_sharpness",
        "--out",
        tmp_path / "out",
    )
    assert isinstance(swapped.exception, RunError)
    assert "is not the one in" in str(swapped.exception)
