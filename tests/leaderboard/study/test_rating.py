"""Rating studies: one video at a time, from making the study to the leaderboard. All over real sockets."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import itertools
import json
import random
import sqlite3
from collections import Counter
from typing import Any

import av
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from traces import TRACES

from ipvg_eval.cli.leaderboard import read_any_opinions, read_any_votes
from ipvg_eval.core.printable import csv_text
from ipvg_eval.leaderboard import build_leaderboard, parse_challenge, read_opinions, read_runs
from ipvg_eval.leaderboard.mos import mean_opinions
from ipvg_eval.leaderboard.study import (
    StudyError,
    audit_table,
    create_study,
    new_annotators,
    open_study,
    opinions_table,
    overview,
    ratings_audit,
    read_study_config,
    simulated_exclusion,
    study_opinions,
    votes_table,
)
from ipvg_eval.leaderboard.study.checks import Clip, checks_in, training_tasks, with_checks
from ipvg_eval.leaderboard.study.config import Checks
from ipvg_eval.leaderboard.study.plan import all_ratings, deal, overlapping, take_sides
from ipvg_eval.leaderboard.study.store import Study

TEAMS = ("AxolotlWorks", "PangolinLab", "QuokkaVision")
ASPECTS = ("identity", "quality", "lip_sync", "style")
NO_CHECKS = {"corrupted_per_hundred": 0, "repeats_per_hundred": 0}
CLIPS = 4 * len(TEAMS)


@pytest.fixture
def rating(make_study, serve_study, walker):
    """A rating study with `annotators` annotators, its server and a walker for each."""

    def start(annotators: int = 1, *, process: bool = False, points: str = "12345", **settings):
        created = make_study(kind="rating", annotators=annotators, **settings)
        study = open_study(created.path)
        server = serve_study(created.path, process=process)

        def person(n: int = 0):
            walking = walker(server.client(), new_annotators(study, 1)[0].token, random.Random(n))
            walking.answers, walking.sides = list(points), ["left"]
            return walking

        person.server = server
        return created, study, person, [person(n) for n in range(annotators)]

    return start


def shown(study: Study) -> dict[int, Any]:
    """Step -> whose clip it shows, and what it is for. Annotators cannot know this."""
    with study.reading() as reader:
        rows = reader.execute(
            "SELECT i.id, i.sheet, i.position, i.kind, i.origin, c.team, c.sample, c.corrupted "
            "FROM item i JOIN clip c ON c.id = i.left_clip ORDER BY i.sheet, i.position"
        )
        return {row["id"]: row for row in rows}


def test_four_aspects_from_the_first_rating_to_the_board(rating, make_run, tmp_path):
    """The board's mean opinion scores are the means of what was planned."""
    created, study, _, walkers = rating(
        2, questions=list(ASPECTS), annotators_per_pair=2, checks=NO_CHECKS, sound="keep"
    )
    assert (created.comparisons, created.showings, created.sheets) == (CLIPS, 2 * CLIPS, 2)
    rng = random.Random(5)
    plan = {
        key: rng.randint(1, 5)
        for key in itertools.product(TEAMS, sorted(study_samples(study)), (1, 2), ASPECTS)
    }
    steps = shown(study)

    def planned(state: dict[str, Any]) -> str:
        step = steps[state["item"]]
        if step["kind"] == "training":
            return "1"
        return str(plan[step["team"], step["sample"], step["sheet"], state["question"]["name"]])

    for walker in walkers:
        assert walker.walk(planned)["code"]
    table = opinions_table(study)
    assert list(table) == ["team", "sample", "annotator", "aspect", "score", "scale", "time"]
    exported_scores = {
        (row.team, row.sample, int(row.annotator[-1]), row.aspect): row.score for row in table.itertuples()
    }
    assert exported_scores == plan
    assert len(table) == len(plan)
    (tmp_path / "opinions.csv").write_text(csv_text(table))
    exported, direct = read_opinions(tmp_path / "opinions.csv"), read_any_opinions(created.path)
    pd.testing.assert_frame_equal(exported.table, direct.table, check_dtype=False)
    assert exported.aspects == direct.aspects == ASPECTS
    closed = {
        team: sum(score for key, score in plan.items() if key[0] == team) / (4 * 2 * 4) for team in TEAMS
    }
    runs = read_runs([make_run(team, {"cur": [float(n)] * 10}) for n, team in enumerate(TEAMS)])
    rules = parse_challenge("finalists: 3\nfinal: {subjective: mos}")
    for sheet in (exported, direct):
        board = build_leaderboard(runs, rules, opinions=sheet).track("facial")
        final = board.final.table.set_index("team")["judgement"]
        assert {team: final[team] for team in TEAMS} == pytest.approx(closed, abs=1e-12)
        assert list(final.index) == sorted(TEAMS, key=closed.__getitem__, reverse=True)
        means = board.opinions.table.set_index(["team", "aspect"])["mean"]
        for team, aspect in itertools.product(TEAMS, ASPECTS):
            scores = [score for key, score in plan.items() if (key[0], key[3]) == (team, aspect)]
            assert means[team, aspect] == pytest.approx(sum(scores) / len(scores), abs=1e-12)


def study_samples(study: Study) -> set[str]:
    return {row["sample"] for row in shown(study).values()}


def test_a_scale_from_zero_with_names_of_its_own(rating, tmp_path):
    questions = ["quality", {"name": "smile", "text": "How much does she smile?", "anchors": list("abcd")}]
    scale = {"lowest": 0, "highest": 3, "anchors": ["none", "", "", "all"]}
    _, study, _, (walker,) = rating(questions=questions, scale=scale, checks=NO_CHECKS, points="0123")
    state = walker.state()
    assert state["question"]["anchors"] == ["none", "", "", "all"]
    state = walker.step(state, "0")
    assert state["question"]["anchors"] == list("abcd")
    assert walker.post("vote", item=state["item"], question="smile", answer="4").status_code == 400
    walker.walk(lambda _: "0")
    sheet = study_opinions(study.path)
    assert (sheet.scale.lowest, sheet.scale.highest, set(sheet.table["score"])) == (0, 3, {0})
    assert set(mean_opinions(sheet).overall.values()) == {0.0}
    (tmp_path / "sheet.csv").write_text(csv_text(opinions_table(study)))
    assert read_opinions(tmp_path / "sheet.csv").scale == sheet.scale


def test_training_comes_first_says_so_and_does_not_count(rating):
    _, study, _, (walker,) = rating(training=3)
    steps = shown(study)
    seen = []

    def note(state: dict[str, Any]) -> str:
        if state["question"]["number"] == 1:
            seen.append((steps[state["item"]]["kind"], state["training"]))
        return "3"

    walker.walk(note)
    assert seen[:3] == [("training", 3)] * 3
    assert ("training", 0) not in seen
    assert {training for _, training in seen[3:]} == {0}
    counting = opinions_table(study)
    assert len(counting) == 2 * CLIPS  # two questions
    assert (ratings_audit(study)["kind"] == "training").sum() == 2 * 3


def test_pairs_can_begin_with_training_too(make_study, serve_study, walker):
    study = open_study(make_study(annotators=1, training=2, checks=NO_CHECKS).path)
    walking = walker(serve_study(study.path).client(), new_annotators(study, 1)[0].token)
    state = walking.state()
    assert (state["training"], state["total"]) == (2, CLIPS + 2)
    walking.walk()
    assert (len(votes_table(study)), len(audit_table(study))) == (CLIPS, CLIPS + 2)


def test_a_rating_waits_for_its_clip_and_can_be_taken_back(rating):
    _, study, _, (walker,) = rating(training=0, questions=["quality"])
    state = walker.state()
    assert state["right"] is None
    vote = {"item": state["item"], "question": "quality", "answer": "4"}
    refused = walker.post("vote", **vote)
    assert (refused.status_code, refused.json()["error"]) == (409, "watch everything to the end first")
    walker.watch(state["item"])
    second = walker.post("vote", **vote).raise_for_status().json()
    assert walker.post("vote", **vote).status_code == 409  # sent twice
    back = walker.post("undo", **second["undo"]).raise_for_status().json()
    assert (back["item"], back["watched"]) == (state["item"], ["left"])
    walker.step(back, "2")
    audit = ratings_audit(study)
    assert list(zip(audit["score"], audit["undone"], strict=True)) == [(4, True), (2, False)]


MALFORMED = (
    b'{"item":%d,"question":"quality","answer":"6"}',
    b'{"item":%d,"question":"quality","answer":"0"}',
    b'{"item":%d,"question":"quality","answer":"-1"}',
    b'{"item":%d,"question":"quality","answer":"3.5"}',
    b'{"item":%d,"question":"quality","answer":""}',
    b'{"item":%d,"question":"quality","answer":"left"}',
    b'{"item":%d,"question":"quality","answer":"NaN"}',
    b'{"item":%d,"question":"quality","answer":"\xd9\xa3"}',  # a digit, but not of ours
    b'{"item":%d,"question":"quality","answer":3}',
    b'{"item":%d,"question":"quality","answer":NaN}',
    b'{"item":%d,"question":"quality","answer":1e400}',
    b'{"item":%d,"question":"quality","answer":true}',
    b'{"item":%d,"question":"quality","answer":null}',
    b'{"item":%d,"question":"quality","answer":["3"]}',
    b'{"item":%d,"question":"beauty","answer":"3"}',
    b'{"item":%d,"question":"quality"}',
    b'{"item":%d,"question":"quality","answer":"3","team":"x"}',
    b'{"item":%d,"question":"quality","answer":"3"',
)


def test_what_is_no_rating_is_refused_without_a_traceback(rating, caplog):
    _, study, _, (walker,) = rating(questions=["quality"])
    item = walker.state()["item"]
    walker.watch(item)
    headers = {"content-type": "application/json"}
    for body in MALFORMED:
        answer = walker.client.post(f"{walker.base}/vote", content=body % item, headers=headers)
        assert (answer.status_code, answer.json()) == (400, {"error": "not understood"}), body
    for side in ("right", "middle", 1):
        assert walker.post("watched", item=item, side=side).status_code == 400
    assert walker.post("undo", item=item, question="beauty").status_code == 400
    assert ratings_audit(study).empty
    assert not [record for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")]
    walker.post("vote", item=item, question="quality", answer="3").raise_for_status()
    assert len(ratings_audit(study)) == 1


def test_who_rates_without_looking_is_excluded_and_others_get_the_clips(rating):
    checks = {"corrupted_per_hundred": 25, "repeats_per_hundred": 25, "max_share": 0.5}
    _, study, person, (good, same, other) = rating(3, annotators_per_pair=3, checks=checks, training=1)

    def careful(state: dict[str, Any]) -> str:
        step = shown(study)[state["item"]]
        return "1" if step["corrupted"] else str(3 + TEAMS.index(step["team"]))

    turns = itertools.cycle("5511")

    def fickle(state: dict[str, Any]) -> str:
        step = shown(study)[state["item"]]
        if step["kind"] == "repeat":
            earlier = {row.item: row.answer for row in votes(study) if row.question == 0}
            return "1" if earlier[step["origin"]] == "5" else "5"
        return "1" if step["corrupted"] else next(turns)

    good.walk(careful)
    same.walk(lambda _: "3")
    other.walk(fickle)
    seen = overview(study)
    first, second, third = seen.annotators
    assert [person.excluded for person in seen.annotators] == [False, True, True]
    assert (first.corrupted.failed, first.repeated.failed) == (0, 0)
    assert second.corrupted.failed == second.corrupted.answered == 3  # nothing lies below a mean of equals
    assert (second.repeated.failed, second.mean, second.spread) == (0, 3.0, 0.0)
    assert (third.corrupted.failed, third.repeated.failed) == (0, 3)
    assert set(opinions_table(study)["annotator"]) == {"annotator-0001"}
    audit = ratings_audit(study)
    assert set(audit.loc[audit["excluded"], "annotator"]) == {"annotator-0002", "annotator-0003"}
    assert seen.open == CLIPS
    later = person()
    later.walk(careful)
    after = overview(study)
    assert (after.judged, after.wanted) == (2 * CLIPS, 3 * CLIPS)
    assert after.agreement["quality"].alpha == 1.0


def votes(study: Study) -> list[Any]:
    with study.reading() as reader:
        table = pd.DataFrame(
            [dict(row) for row in reader.execute("SELECT * FROM vote WHERE undone IS NULL")],
            columns=["id", "item", "question", "answer", "at", "seconds", "undone"],
        )
    return list(table.itertuples())


def test_a_missing_video_gets_the_lowest_point_if_the_study_says_so(teams, samples, tmp_path):
    without = dataclasses.replace(teams[0], videos={s.id: teams[0].videos[s.id] for s in samples[1:]})
    for missing, expected in (("loss", [0, 0]), ("leave_out", [])):
        config = read_study_config(None, kind="rating", missing=missing, annotators=1, scale={"lowest": 0})
        created = create_study([without, *teams[1:]], samples, config, tmp_path / missing)
        assert [(x.task.sample, x.task.teams) for x in created.left_out] == [
            (samples[0].id, ("QuokkaVision",))
        ]
        table = opinions_table(open_study(created.path))
        assert list(table["score"]) == expected
        assert list(table["annotator"]) == ["no-video"] * len(expected)


def test_one_team_can_be_rated_and_none_cannot(teams, samples, tmp_path):
    config = read_study_config(None, kind="rating")
    assert create_study(teams[:1], samples, config, tmp_path / "one").comparisons == len(samples)
    with pytest.raises(StudyError, match="no team to rate"):
        create_study([], samples, config, tmp_path / "none")
    broken = dataclasses.replace(teams[0], videos={}, absent={})
    with pytest.raises(StudyError, match="no video plays"):
        create_study([broken], samples, config, tmp_path / "broken")


def test_votes_and_opinions_are_not_mixed_up(rating):
    _, study, _, _ = rating()
    with pytest.raises(StudyError, match="rates single videos") as error:
        read_any_votes(study.path)
    assert "--opinions" in str(error.value.hint)
    with pytest.raises(StudyError, match="no rating counts yet"):
        read_any_opinions(study.path / "study.db")


def test_a_study_of_pairs_has_no_opinions(make_study):
    study = open_study(make_study().path)
    with pytest.raises(StudyError, match="compares pairs") as error:
        study_opinions(study.path)
    assert "--votes" in str(error.value.hint)
    assert votes_table(study).empty


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind: ratings", "kind"),
        ("kind: [rating]", "kind"),
        ("kind: rating\nquestions: [beauty]", "'beauty' has no built-in text"),
        ("questions: [lip_sync]", "'lip_sync' has no built-in text"),
        ("kind: rating\nquestions: [{name: mean, text: x}]", "'mean', which is computed"),
        ("kind: rating\nscale: {lowest: 2}", "scale.lowest"),
        ("kind: rating\nscale: {highest: 10}", "scale.highest"),
        ("kind: rating\nscale: {highst: 7}", "Did you mean 'highest'"),
        (
            "kind: rating\nscale: {lowest: 0, anchors: [a, b, c, d, e]}",
            "5 anchors for the 6 points from 0 to 5",
        ),
        ("kind: rating\nquestions: [{name: a, text: b, anchors: [c]}]", "1 anchors for the 5 points"),
        ("questions: [{name: a, text: b, anchors: [c]}]", "only ratings have"),
        ("kind: rating\ntraining: -1", "training"),
    ],
)
def test_settings_that_are_not_understood(tmp_path, text, said):
    (tmp_path / "study.yaml").write_text(text)
    with pytest.raises(StudyError) as error:
        read_study_config(tmp_path / "study.yaml")
    assert said in f"{error.value} {error.value.hint}"
    assert error.value.exit_code == 2


def test_what_the_points_mean():
    usual = read_study_config(None, kind="rating")
    assert usual.anchors(usual.questions[0]) == ("Bad", "Poor", "Fair", "Good", "Excellent")
    assert usual.answers == ("1", "2", "3", "4", "5")
    six = read_study_config(None, kind="rating", scale={"lowest": 0})
    assert six.anchors(six.questions[0]) == ("Bad", "", "", "", "", "Excellent")


limited = settings(deadline=None, max_examples=40)


@limited
@given(st.integers(1, 12), st.integers(1, 4), st.integers(1, 5), st.integers(0, 3), st.integers(0, 999))
def test_sheets_hold_every_clip_once_and_their_checks_and_training(samples, teams, sheets, training, seed):
    rng = random.Random(seed)
    tasks = all_ratings([f"s{n}" for n in range(samples)], [f"t{n}" for n in range(teams)])
    assert len(set(tasks)) == samples * teams
    identities = {f"s{n}": f"i{n % 3}" for n in range(samples)}
    assert len(overlapping(tasks, identities, 0.5, rng)) == round(len(tasks) / 2)
    dealt = deal(dict.fromkeys(tasks, 1), sheets, rng)
    assert Counter(task for sheet in dealt for task in sheet) == Counter(tasks)
    checks = Checks(corrupted_per_hundred=10, repeats_per_hundred=10, max_share=0.5)
    copies = [Clip(sample=task.sample, team=task.team, corrupted=True) for task in tasks]
    for sheet, showings in zip(dealt, take_sides(dealt, rng), strict=True):
        first = training_tasks(sheet, tasks, training, rng)
        others = set(tasks) - set(sheet)
        assert len(set(first) & others) == min(len(first), len(others))  # new ones as far as there are any
        items = with_checks(showings, copies, checks, rng, take_sides([first], rng)[0])
        assert all(item.right is None for item in items)
        assert [item.kind for item in items[: len(first)]] == ["training"] * min(training, len(tasks))
        corrupted, repeats = checks_in(len(sheet), checks)
        kinds = Counter(item.kind for item in items[len(first) :])
        assert kinds == Counter({"rating": len(sheet), "repeat": repeats, "corrupted": corrupted})
        for place, item in enumerate(items):
            if item.kind == "repeat":
                assert item.origin is not None
                assert item.origin < place
                assert (items[item.origin].kind, items[item.origin].left) == ("rating", item.left)
            assert item.left.corrupted == (item.kind == "corrupted")


@pytest.mark.parametrize("checks", [(2, 2), (12, 12)])
def test_the_simulated_rates_are_the_rules(checks):
    """Against the exact probabilities that follow from the rule; 4,000 draws, so five standard errors."""
    config = read_study_config(None, kind="rating")
    limit = {"corrupted": 0.05, "repeat": 0.2}
    apart = sum(abs(a - b) > 1 for a in range(1, 6) for b in range(1, 6)) / 25
    assert apart == 0.48

    def excluded(fails: dict[str, float]) -> float:
        kept = 1.0
        for kind, count in zip(("corrupted", "repeat"), checks, strict=True):
            bad = [k for k in range(count + 1) if binom.sf(k - 1, count, limit[kind]) < 0.01]
            kept *= 1 - sum(binom.pmf(k, count, fails[kind]) for k in bad)
        return 1 - kept

    seen = simulated_exclusion(config, *checks)
    for rate, fails in (
        (seen.honest, limit),
        (seen.random, {"corrupted": 0.5, "repeat": apart}),
        (seen.one_sided, {"corrupted": 1.0, "repeat": 0.0}),
    ):
        exact = excluded(fails)
        assert abs(rate - exact) <= 5 * (exact * (1 - exact) / 4000) ** 0.5 + 1e-9
    assert seen.honest <= 0.02
    if checks == (12, 12):
        assert seen.random > 0.9
        assert seen.one_sided == 1.0


@pytest.mark.parametrize("kept", [True, False])
def test_sound_is_kept_or_dropped_and_says_nothing(
    teams, samples, write_clip, serve_study, walker, tmp_path, kept
):
    """One team speaks, one is silent: both have a track of the same size, or none has."""
    speaking = write_clip(tmp_path / "speaking.mp4", frames=16, tone=440, team="QuokkaVision")
    silent = write_clip(tmp_path / "silent.mp4", frames=16, shade=9)
    pair = [
        dataclasses.replace(team, videos={samples[0].id: lambda p=path: contextlib.nullcontext(p)})
        for team, path in zip(teams, (speaking, silent), strict=False)
    ]
    config = read_study_config(
        None, kind="rating", sound="keep" if kept else "drop", annotators=1, checks=NO_CHECKS, training=0
    )
    study = open_study(create_study(pair, samples[:1], config, tmp_path / "study").path)
    with study.writing() as writer:
        writer.execute("UPDATE clip SET duration = 0.01")  # nobody waits here
    client = serve_study(study.path).client()
    walking = walker(client, new_annotators(study, 1)[0].token)
    walking.answers, walking.sides = list("12345"), ["left"]
    steps, clips = shown(study), {}

    def fetch(state: dict[str, Any]) -> str:
        content = client.get(f"{walking.base}/media/{state['left']}").content
        clips[steps[state["item"]]["team"]] = content
        return "3"

    walking.walk(fetch)
    contents = [clips["QuokkaVision"], clips["PangolinLab"]]
    assert len({len(content) for content in contents}) == 1
    assert len({content[: content.index(b"mdat")] for content in contents}) == 1
    assert not any(trace in content for content in contents for trace in (b"Quokka", *TRACES))
    heard = []
    for content in contents:
        with av.open(io.BytesIO(content)) as container:
            kinds = [stream.codec_context.name for stream in container.streams]
            assert kinds == (["h264", "opus"] if kept else ["h264"])
            if kept:
                frames = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
                heard.append(np.concatenate(frames)[12_000:36_000])
    if kept:
        spectrum = np.abs(np.fft.rfft(heard[0]))
        assert np.argmax(spectrum) * 48_000 / len(heard[0]) == pytest.approx(440, abs=2)
        assert np.abs(heard[1]).max() < 1e-3


def test_a_study_of_pairs_made_before_ratings_is_still_read(make_study, serve_study, walker):
    """Version 2 had narrower tables for the same pairs."""
    created = make_study(annotators=1)
    with contextlib.closing(sqlite3.connect(created.path / "study.db")) as connection:
        sheet = connection.execute("SELECT sheet, position, left_media FROM item ORDER BY id").fetchall()
        config = json.loads(connection.execute("SELECT config FROM study").fetchone()[0])
        for key in ("kind", "scale", "training"):
            del config[key]
        del config["checks"]["tolerance"]
        for question in config["questions"]:
            del question["anchors"]
        connection.execute("UPDATE study SET config = ?", (json.dumps(config),))
        for table, narrow in VERSION_2.items():
            connection.execute(f"ALTER TABLE {table} RENAME TO newer")
            connection.execute(narrow)
            connection.execute(f"INSERT INTO {table} SELECT * FROM newer")
            connection.execute("DROP TABLE newer")
        connection.execute("PRAGMA user_version = 2")
        connection.commit()
    study = open_study(created.path)
    assert study.config == read_study_config(None, annotators=1)
    walker(serve_study(created.path).client(), new_annotators(study, 1)[0].token).walk()
    assert len(votes_table(study)) == CLIPS
    assert overview(study).judged == CLIPS
    with study.reading() as reader:
        query = "SELECT sheet, position, left_media FROM item ORDER BY id"
        assert [tuple(row) for row in reader.execute(query)] == sheet


VERSION_2 = {
    "comparison": """CREATE TABLE comparison (
        sample TEXT NOT NULL REFERENCES sample, one TEXT NOT NULL REFERENCES team,
        other TEXT NOT NULL REFERENCES team, wanted INTEGER NOT NULL CHECK (wanted > 0),
        PRIMARY KEY (sample, one, other), CHECK (one < other)) STRICT, WITHOUT ROWID""",
    "left_out": """CREATE TABLE left_out (
        sample TEXT NOT NULL REFERENCES sample, one TEXT NOT NULL REFERENCES team,
        other TEXT NOT NULL REFERENCES team, without TEXT NOT NULL, winner TEXT, reason TEXT NOT NULL,
        PRIMARY KEY (sample, one, other)) STRICT, WITHOUT ROWID""",
}
