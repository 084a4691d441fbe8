"""Who compares what, and on which side."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvg_eval.leaderboard.study.checks import Clip, checks_in, with_checks
from ipvg_eval.leaderboard.study.config import Checks
from ipvg_eval.leaderboard.study.plan import all_pairs, deal, overlapping, stratified_share, take_sides

limited = settings(deadline=None, max_examples=60)
NAMES = ["b", "a", "ä", "Zed", "team five"]


def plan(samples: int, teams: int, sheets: int, wanted: int, seed: int):
    pairs = all_pairs([f"s{n}" for n in range(samples)], NAMES[:teams])
    rng = random.Random(seed)
    dealt = deal(dict.fromkeys(pairs, wanted), sheets, rng)
    return pairs, dealt, take_sides(dealt, rng)


sizes = {
    "samples": st.integers(1, 12),
    "teams": st.integers(2, 5),
    "sheets": st.integers(1, 7),
    "wanted": st.integers(1, 4),
    "seed": st.integers(0, 10_000),
}


@limited
@given(**sizes)
def test_every_comparison_goes_to_as_many_different_people_as_wanted(samples, teams, sheets, wanted, seed):
    pairs, dealt, _ = plan(samples, teams, sheets, wanted, seed)
    times = Counter(pair for sheet in dealt for pair in sheet)
    assert times == dict.fromkeys(pairs, min(wanted, sheets))
    assert all(len(set(sheet)) == len(sheet) for sheet in dealt)
    lengths = [len(sheet) for sheet in dealt]
    assert max(lengths) - min(lengths) <= 1


@limited
@given(**sizes)
def test_sides_are_balanced_per_pair_of_teams_overall_and_for_every_annotator(
    samples, teams, sheets, wanted, seed
):
    _, dealt, shown = plan(samples, teams, sheets, wanted, seed)
    for showings in [*shown, [showing for sheet in shown for showing in sheet]]:
        left = Counter((s.task.one, s.task.other) for s in showings if s.left == s.task.one)
        right = Counter((s.task.one, s.task.other) for s in showings if s.left == s.task.other)
        assert all(abs(left[teams] - right[teams]) <= 1 for teams in {*left, *right})
    for sheet, showings in zip(dealt, shown, strict=True):
        assert sorted(sheet) == sorted(showing.task for showing in showings)
        assert all({s.left, s.right} == {s.task.one, s.task.other} for s in showings)


@limited
@given(**sizes)
def test_the_same_seed_makes_the_same_plan(samples, teams, sheets, wanted, seed):
    assert plan(samples, teams, sheets, wanted, seed) == plan(samples, teams, sheets, wanted, seed)


def test_another_seed_makes_another_plan():
    assert plan(10, 3, 3, 1, 1)[2] != plan(10, 3, 3, 1, 2)[2]


@limited
@given(
    st.dictionaries(st.integers(0, 10**6).map(str), st.sampled_from("ABCDE"), min_size=1, max_size=60),
    st.floats(0.01, 1.0),
    st.integers(0, 999),
)
def test_a_share_is_drawn_alike_from_every_identity(identities, share, seed):
    chosen = stratified_share(identities, share, random.Random(seed))
    assert len(set(chosen)) == len(chosen) == max(1, round(share * len(identities)))
    drawn, sizes = Counter(identities[sample] for sample in chosen), Counter(identities.values())
    part = len(chosen) / len(identities)
    assert all(abs(drawn[name] - part * size) < 1 + 1e-9 for name, size in sizes.items())


def test_the_whole_share_is_every_sample_in_order():
    identities = {"s2": "A", "s1": "B", "s0": "A"}
    assert stratified_share(identities, 1.0, random.Random(5)) == ["s2", "s1", "s0"]


def test_the_overlap_has_its_share_of_every_pair_of_teams():
    samples = [f"s{n}" for n in range(100)]
    identities = {sample: sample[-1] for sample in samples}
    pairs = all_pairs(samples, ["a", "b", "c"])
    chosen = overlapping(pairs, identities, 0.08, random.Random(3))
    assert len(chosen) == 24
    assert Counter((pair.one, pair.other) for pair in chosen) == {("a", "b"): 8, ("a", "c"): 8, ("b", "c"): 8}
    assert overlapping(pairs, identities, 0.0, random.Random(3)) == set()


@pytest.mark.parametrize(
    ("comparisons", "settings", "expected"),
    [
        (0, {}, (0, 0)),
        (8, {}, (0, 0)),  # one check would be one step in nine
        (9, {}, (1, 0)),
        (18, {}, (2, 0)),  # two of one kind tell more than one of each
        (36, {}, (2, 2)),
        (300, {}, (12, 12)),
        (300, {"corrupted_per_hundred": 40, "repeats_per_hundred": 40}, (17, 16)),
        (300, {"corrupted_per_hundred": 0, "repeats_per_hundred": 40}, (0, 33)),
        (10, {"max_share": 0.5}, (2, 2)),
        (10, {"max_share": 0}, (0, 0)),
    ],
)
def test_the_number_of_checks(comparisons, settings, expected):
    assert checks_in(comparisons, Checks(**settings)) == expected


@limited
@given(st.integers(0, 400), st.floats(0, 100), st.floats(0, 100), st.floats(0, 0.5))
def test_the_share_of_checks_is_bounded(comparisons, corrupted, repeats, most):
    checks = Checks(corrupted_per_hundred=corrupted, repeats_per_hundred=repeats, max_share=most)
    counts = checks_in(comparisons, checks)
    assert min(counts) >= 0
    assert sum(counts) <= most * (comparisons + sum(counts)) + 1e-6


def test_corrupted_copies_come_of_samples_the_sheet_does_not_show_otherwise():
    pairs = all_pairs([f"s{n}" for n in range(10)], ["a", "b"])
    showings = take_sides([pairs[:8]], random.Random(0))[0]
    copies = [Clip(sample=f"s{n}", team="a", corrupted=True) for n in range(10)]
    for seed in range(20):
        items = with_checks(showings, copies, Checks(max_share=0.5), random.Random(seed))
        assert {item.left.sample for item in items if item.kind == "corrupted"} == {"s8", "s9"}


@limited
@given(st.integers(1, 40), st.integers(0, 999))
def test_checks_are_among_the_comparisons(samples, seed):
    rng = random.Random(seed)
    pairs = all_pairs([f"s{n}" for n in range(samples)], ["a", "b"])
    showings = take_sides(deal(dict.fromkeys(pairs, 1), 1, rng), rng)[0]
    copies = [Clip(sample=f"s{n}", team="a", corrupted=True) for n in range(samples)]
    checks = Checks(corrupted_per_hundred=10, repeats_per_hundred=10, max_share=0.5)
    items = with_checks(showings, copies, checks, rng)
    kinds = Counter(item.kind for item in items)
    corrupted, repeats = checks_in(samples, checks)
    assert kinds == Counter({"pair": samples, "repeat": repeats, "corrupted": corrupted})
    assert [(i.left.team, i.right.team) for i in items if i.kind == "pair"] == [
        (s.left, s.right) for s in showings
    ]
    for place, item in enumerate(items):
        if item.kind == "repeat":
            assert item.origin is not None
            first = items[item.origin]
            assert item.origin < place
            assert first.kind == "pair"
            assert (item.left, item.right) == (first.right, first.left)
            later = [i.kind for i in items[item.origin + 1 : place]]
            assert len(later) >= 4 or "pair" not in [i.kind for i in items[place:]]
        if item.kind == "corrupted":
            real, copy = sorted((item.left, item.right), key=lambda clip: clip.corrupted)
            assert (real.corrupted, copy.corrupted) == (False, True)
            assert (real.sample, real.team) == (copy.sample, copy.team)
