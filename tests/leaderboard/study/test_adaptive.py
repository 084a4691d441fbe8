"""Studies whose server chooses the next pair, over real sockets."""

from __future__ import annotations

import random
import threading
from collections import Counter

import pytest

from ipvg_eval.leaderboard.study import (
    StudyError,
    audit_table,
    new_annotators,
    open_study,
    overview,
    read_study_config,
    release,
    votes_table,
)

NO_CHECKS = {"corrupted_per_hundred": 0, "repeats_per_hundred": 0}


@pytest.fixture
def running(make_adaptive, serve_study, walker):
    def start(annotators, **settings):
        created = make_adaptive(annotators=annotators, **settings)
        study, server = open_study(created.path), serve_study(created.path)
        made = new_annotators(study, annotators)
        walkers = [walker(server.client(), one.token, random.Random(n)) for n, one in enumerate(made)]
        return created, study, walkers

    return start


def sides(study):
    """Item -> kind, left and right team, sample; annotators cannot know this."""
    with study.reading() as reader:
        rows = reader.execute(
            "SELECT i.id, i.kind, i.sheet, l.team AS one, r.team AS other, l.sample FROM item i "
            "JOIN clip l ON l.id = i.left_clip JOIN clip r ON r.id = i.right_clip ORDER BY i.id"
        )
        return {row["id"]: dict(row) for row in rows}


def answer_for(study, better):
    """Answers by which a team wins, whoever it meets."""

    def answer(state):
        row = sides(study)[state["item"]]
        return "left" if row["one"] == better else "right" if row["other"] == better else "draw"

    return answer


def test_people_who_answer_at_once_lose_and_double_no_vote(running):
    created, study, walkers = running(
        4, count=3, checks={"corrupted_per_hundred": 0, "repeats_per_hundred": 10}
    )
    failures: list[BaseException] = []

    def walk(one):
        try:
            one.walk()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=walk, args=(one,)) for one in walkers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    acknowledged = Counter(vote for one in walkers for vote in one.acknowledged)
    assert set(acknowledged.values()) == {1}
    audit = audit_table(study)
    assert len(audit) == len(acknowledged)
    pairs = Counter(
        (row.sample, *sorted((row.team_a, row.team_b))) for row in audit[audit["kind"] == "pair"].itertuples()
    )
    # One annotator a comparison is wanted, of all pairs of three teams on 24 samples.
    assert set(pairs.values()) == {1}
    assert len(pairs) == created.comparisons == 72
    assert (audit["kind"] == "repeat").any()


def test_nobody_meets_a_comparison_twice_and_sides_are_balanced(running):
    _, study, walkers = running(2, count=3, annotators_per_pair=2, checks=NO_CHECKS)
    for one in walkers:
        one.walk()
    by_sheet: dict[int, list[dict]] = {}
    for row in sides(study).values():
        by_sheet.setdefault(row["sheet"], []).append(row)
    for rows in by_sheet.values():
        seen = Counter((row["sample"], *sorted((row["one"], row["other"]))) for row in rows)
        assert set(seen.values()) == {1}
        lefts = Counter((row["one"], row["other"]) for row in rows)
        assert all(abs(count - lefts[other, one]) <= 1 for (one, other), count in lefts.items())


def test_what_browsers_are_told_does_not_tell_a_study_that_chooses(running):
    _, _, (walker,) = running(1, checks=NO_CHECKS)
    state = walker.state()
    assert set(state) == {
        "done", "item", "position", "total", "question", "watched", "undo", "prompt", "timeline",
        "references", "left", "right", "next", "training",
    }  # fmt: skip
    assert (state["position"], state["total"], len(state["next"])) == (0, 24, 2)
    assert walker.step(state)["left"] == state["next"][0]
    told = walker.client.get(f"{walker.base}/state").text
    assert not any(team in told for team in ("Quokka", "Pangolin", "face1"))


def test_a_study_ends_by_the_rule_that_was_stored_with_it(running):
    rule = {"decide": "first", "error": 0.05, "looks": 2}
    _, study, walkers = running(2, annotators_per_pair=2, checks=NO_CHECKS, adaptive=rule)
    assert study.config.adaptive is not None
    assert study.config.adaptive.error == 0.05
    better = "PangolinLab"
    # Both in turn, as one alone is no crowd. 2 x 24 judgements: looks after 24 and 48.
    states = [one.state() for one in walkers]
    answer = answer_for(study, better)
    while not all(state["done"] for state in states):
        for place, one in enumerate(walkers):
            if not states[place]["done"]:
                states[place] = one.step(states[place], answer(states[place]))
    seen = overview(study).adaptive
    assert seen is not None
    # Two people saw it win: a quarter is no proof, however often they did.
    assert seen.looks == ((24, ()), (48, ()))
    assert len(votes_table(study)) == 48


def test_a_decided_study_takes_no_more_answers(running):
    rule = {"decide": "first", "error": 0.05, "looks": 2}
    _, study, walkers = running(8, annotators_per_pair=4, checks=NO_CHECKS, adaptive=rule)
    states = [one.state() for one in walkers]
    answer = answer_for(study, "PangolinLab")
    while not all(state["done"] for state in states):
        for place, one in enumerate(walkers):
            if not states[place]["done"]:
                states[place] = one.step(states[place], answer(states[place]))
    # 1/2^8 is less than 0.05 x 1/4 at the first look, after half of 96 judgements; each of eight people
    # answers what was at hand by then.
    seen = overview(study).adaptive
    assert seen is not None
    assert seen.looks == ((48, ("PangolinLab",)),)
    assert (seen.next_look, seen.answer) == (None, ("PangolinLab",))
    assert 48 <= len(votes_table(study)) <= 48 + 2 * 8
    assert all(state["position"] == state["total"] < 12 for state in states)
    with pytest.raises(StudyError, match="has ended"):
        new_annotators(study, 1)


def test_what_somebody_leaves_goes_to_others(running, serve_study, walker):
    created, study, (quitter, other) = running(2, checks=NO_CHECKS)
    state = quitter.step(quitter.state())
    release(study, names=("annotator-0001",))
    assert quitter.client.get(f"{quitter.base}/state").status_code == 409
    other.walk()
    server = serve_study(created.path)
    last = walker(server.client(), new_annotators(study, 1)[0].token)
    last.walk()
    table = votes_table(study)
    assert len(table) == created.comparisons == 24
    assert table.groupby(["sample"]).size().eq(1).all()
    assert state["item"] not in {item for item, _, _ in [*other.acknowledged, *last.acknowledged]}


def test_undo_keeps_what_was_chosen(running):
    _, study, (walker,) = running(1, checks=NO_CHECKS)
    first = walker.state()
    second = walker.step(first)
    back = walker.post("undo", **second["undo"]).raise_for_status().json()
    assert back["item"] == first["item"]
    assert walker.step(back)["item"] == second["item"]
    assert len(sides(study)) == 3  # the current step and the one at hand


def test_attention_checks_stand_in_sheets_that_grow(running):
    checks = {"corrupted_per_hundred": 10, "repeats_per_hundred": 10, "max_share": 0.3}
    _, study, (walker,) = running(1, checks=checks)
    done = walker.walk()
    rows = sides(study)
    kinds = Counter(row["kind"] for row in rows.values())
    assert kinds == {"pair": 24, "corrupted": 2, "repeat": 2}
    assert done["total"] == 28
    with study.reading() as reader:
        origins = reader.execute("SELECT id, origin FROM item WHERE kind = 'repeat'").fetchall()
    for row in origins:
        shown, again = rows[row["origin"]], rows[row["id"]]
        assert (again["sample"], again["one"], again["other"]) == (
            shown["sample"], shown["other"], shown["one"],
        )  # fmt: skip


def test_settings_name_the_rule_and_their_mistakes(tmp_path):
    from ipvg_eval.leaderboard.study.errors import StudyConfigError

    file = tmp_path / "study.yaml"
    file.write_text("adaptive: {decide: first, error: 0.1}\n")
    rule = read_study_config(file).adaptive
    assert rule is not None
    assert (rule.decide, rule.error, rule.looks) == ("first", 0.1, 5)
    file.write_text("adaptive: true\n")
    assert read_study_config(file).adaptive is not None
    file.write_text("adaptive: false\n")
    assert read_study_config(file).adaptive is None
    file.write_text("adaptive: {eror: 0.1}\n")
    with pytest.raises(StudyConfigError, match=r"'adaptive\.eror'") as mistake:
        read_study_config(file)
    assert mistake.value.hint == "Did you mean 'error'?"
    file.write_text("adaptive: {error: 0.7}\n")
    with pytest.raises(StudyConfigError, match=r"adaptive\.error"):
        read_study_config(file)


def test_a_budget_ends_a_study_without_an_answer(running):
    rule = {"looks": 2, "most": 10}
    _, study, (one, other) = running(2, annotators_per_pair=2, checks=NO_CHECKS, adaptive=rule)
    assert one.walk()["total"] == 5
    other.walk()
    seen = overview(study).adaptive
    assert seen is not None
    assert [judgements for judgements, _ in seen.looks] == [5, 10]
    assert (seen.judgements, seen.answer, seen.next_look) == (10, (), None)
