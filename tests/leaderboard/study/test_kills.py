"""A server that is killed while people answer: nothing that was confirmed is lost, nothing is there twice."""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter

import httpx
import pytest

from ipvg_eval.leaderboard.study import (
    audit_table,
    new_annotators,
    open_study,
    overview,
    study_opinions,
    votes_table,
)
from ipvg_eval.leaderboard.votes import votes_from_table

KILLS = int(os.environ.get("IPVG_STUDY_KILLS", "5"))
"""How often the server dies while people vote; 20 before a study that decides something."""
NO_CHECKS = {"corrupted_per_hundred": 0, "repeats_per_hundred": 0}


@pytest.fixture
def answered_through_kills(serve_study, walker):
    """Everybody answers everything while the server dies now and then; study and walkers.

    Checks all along that the server has every answer it confirmed. The answer to a request may be lost: such
    ones are counted as `unheard`.
    """

    def run(created, annotators, *, kills, every, done=lambda state: state["position"], **of_walkers):
        study = open_study(created.path)
        server = serve_study(created.path, process=True)
        walkers = [
            walker(server.client(), made.token, random.Random(n))
            for n, made in enumerate(new_annotators(study, annotators))
        ]
        stop_at = time.monotonic() + 1800
        wrong: list[str] = []

        def work(one) -> None:
            while time.monotonic() < stop_at:
                try:
                    state = one.state()
                    lost = done(state) - len(one.acknowledged) - one.unheard
                    if lost not in (0, 1):
                        wrong.append(f"{lost} more answers are in than were confirmed")
                        return
                    one.unheard += lost
                    while not state["done"]:
                        state = one.step(state)
                    return
                except httpx.TransportError:
                    time.sleep(0.02)

        for one in walkers:
            vars(one).update(unheard=0, **of_walkers)
        threads = [threading.Thread(target=work, args=(one,)) for one in walkers]
        for thread in threads:
            thread.start()
        for kill in range(kills):
            while sum(len(one.acknowledged) for one in walkers) < every * (kill + 1):
                assert time.monotonic() < stop_at
                assert not wrong, wrong
                time.sleep(0.002)
            server.kill()
            server.start()
        for thread in threads:
            thread.join()
        assert not wrong, wrong
        with study.reading() as reader:
            assert reader.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        return study, walkers

    return run


def stored_answers(study):
    names = [question.name for question in study.config.questions]
    with study.reading() as reader:
        rows = reader.execute("SELECT item, question, answer FROM vote WHERE undone IS NULL")
        return [(row["item"], names[row["question"]], row["answer"]) for row in rows]


def check_kept(study, walkers, total):
    """Every confirmed answer is stored, none twice, and what else is stored is what nobody heard of."""
    stored = stored_answers(study)
    confirmed = {answer for one in walkers for answer in one.acknowledged}
    assert confirmed <= set(stored)
    assert len(stored) == len(set(stored)) == total
    assert total == len(confirmed) + sum(one.unheard for one in walkers)


def test_eight_annotators_at_once_lose_no_confirmed_vote(make_study, answered_through_kills):
    created = make_study(annotators=8, annotators_per_pair=8, checks=NO_CHECKS)
    study, walkers = answered_through_kills(created, 8, kills=KILLS, every=4)
    total = 12 * 8
    check_kept(study, walkers, total)
    with study.reading() as reader:
        assert reader.execute("SELECT count(*) FROM item").fetchone()[0] == total
    seen = overview(study)
    assert seen.judged == seen.wanted == total
    votes_from_table(votes_table(study), source="study")  # no vote twice


def test_four_annotators_at_once_lose_and_double_no_rating(make_study, answered_through_kills):
    created = make_study(
        kind="rating", annotators=4, annotators_per_pair=4, checks=NO_CHECKS, training=1,
        questions=["quality", "style"],
    )  # fmt: skip

    def done(state):
        return 2 * state["position"] + (0 if state["done"] else state["question"]["number"] - 1)

    study, walkers = answered_through_kills(
        created, 4, kills=10, every=8, done=done, answers=list("12345"), sides=["left"]
    )
    clips = 4 * 3
    check_kept(study, walkers, 4 * 2 * (clips + 1))
    seen = overview(study)
    assert seen.judged == seen.wanted == 4 * clips
    assert len(study_opinions(study.path).table) == 2 * 4 * clips


def test_a_server_that_chooses_the_pairs_loses_and_doubles_none(make_adaptive, answered_through_kills):
    created = make_adaptive(count=3, annotators=4, checks=NO_CHECKS)
    study, walkers = answered_through_kills(created, 4, kills=KILLS, every=8)
    check_kept(study, walkers, created.comparisons)
    pairs = Counter(
        (row.sample, *sorted((row.team_a, row.team_b))) for row in audit_table(study).itertuples()
    )
    assert set(pairs.values()) == {1}
    assert len(pairs) == created.comparisons == 72
