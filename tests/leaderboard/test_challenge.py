from __future__ import annotations

from pathlib import Path

import pytest

from ipvg_eval.leaderboard.challenge import Challenge, parse_challenge, read_challenge
from ipvg_eval.leaderboard.errors import ChallengeError

FULL = """
title: IPVG
dates: {results: 2026-05-22, papers: May 28}
tracks:
  - {name: facial, title: Facial, finalists: 4}
  - name: sequential
    metrics: [{name: timeline, weight: 2}]
metrics: [{name: cur}, {name: fid, weight: 0.5}]
tie_rule: first_metric
ranking: average
finalists: 5
coverage: 1
baselines: [phantom]
counting: first
final: {method: weighted_sum, objective_weight: 0.3, subjective_weight: 0.7, subjective: mos}
study: {question: identity, weighting: vote, ridge: 0.5, few: 9}
elo: {k: 16, initial: 1500, permutations: 7, seed: 3}
bootstrap: {resamples: 50, seed: 4, level: 0.9}
"""


def test_every_key_is_read(tmp_path: Path) -> None:
    path = tmp_path / "challenge.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + FULL.encode())
    challenge = read_challenge(path)
    assert challenge.dates == {"results": "2026-05-22", "papers": "May 28"}
    assert [metric.weight for metric in challenge.metrics] == [1.0, 0.5]
    assert (challenge.tie_rule, challenge.ranking, challenge.counting) == ("first_metric", "average", "first")
    assert (challenge.coverage, challenge.baselines) == (1.0, ("phantom",))
    assert (challenge.final.objective_weight, challenge.final.subjective) == (0.3, "mos")
    assert (challenge.study.question, challenge.study.few) == ("identity", 9)
    assert (challenge.elo.k, challenge.elo.initial, challenge.elo.permutations) == (16, 1500, 7)
    assert (challenge.bootstrap.resamples, challenge.bootstrap.level) == (50, 0.9)


def test_a_track_takes_what_it_leaves_out_from_the_challenge() -> None:
    challenge = parse_challenge(FULL)
    facial, sequential = challenge.track("facial"), challenge.track("sequential")
    assert (facial.title, facial.finalists) == ("Facial", 4)
    assert [metric.name for metric in facial.metrics or ()] == ["cur", "fid"]
    assert (sequential.title, sequential.finalists) == ("sequential", 5)
    assert [metric.name for metric in sequential.metrics or ()] == ["timeline"]
    with pytest.raises(ChallengeError, match="track 'facail'") as caught:
        challenge.track("facail")
    assert caught.value.hint == "Did you mean 'facial'?"


def test_no_file_is_needed() -> None:
    challenge = Challenge()
    assert (challenge.finalists, challenge.tie_rule, challenge.counting) == (3, "shared", "latest")
    assert challenge.final.method == "lexicographic"
    assert challenge.track("anything").title == "anything"
    assert parse_challenge("") == challenge


@pytest.mark.parametrize(
    ("text", "key", "near"),
    [
        ("finalist: 3", "finalist", "finalists"),
        ("tracks: [{name: a, titel: b}]", "tracks.0.titel", "title"),
        ("tracks: [{name: a, metrics: [{name: b, wieght: 1}]}]", "tracks.0.metrics.0.wieght", "weight"),
        ("metrics: [{name: a, directon: lower}]", "metrics.0.directon", "direction"),
        ("elo: {permutation: 1}", "elo.permutation", "permutations"),
        ("final: {subjectiv: mos}", "final.subjectiv", "subjective"),
    ],
)
def test_an_unknown_key_suggests_the_nearest(text: str, key: str, near: str) -> None:
    with pytest.raises(ChallengeError, match=f"unknown key '{key}'") as caught:
        parse_challenge(text)
    assert caught.value.hint == f"Did you mean {near!r}?"
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("metrics: [{name: a, weight: 0}]", "metrics.0.weight"),
        ("metrics: [{name: a, weight: .nan}]", "metrics.0.weight"),
        ("metrics: [{name: a}, {name: a}]", "metric 'a' is listed twice"),
        ("baselines: [a, a]", "baseline 'a' is listed twice"),
        ("tracks: [{name: a}, {name: a}]", "track 'a' is listed twice"),
        ("final: {objective_weight: 0, subjective_weight: 0}", "both 0"),
        ("tie_rule: coin", "tie_rule"),
        ("finalists: 0", "finalists"),
        ("- a", "mapping"),
        ("title: [", "not valid YAML"),
    ],
)
def test_a_bad_value_is_named(text: str, message: str) -> None:
    with pytest.raises(ChallengeError, match=message) as caught:
        parse_challenge(text, where="challenge.yaml")
    assert str(caught.value).startswith("challenge.yaml: ")
    assert caught.value.hint


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ChallengeError, match=r"none\.yaml"):
        read_challenge(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"title: caf\xe9")
    with pytest.raises(ChallengeError, match=r"latin\.yaml"):
        read_challenge(tmp_path / "latin.yaml")


@pytest.mark.parametrize("text", ["dates: {start: 2026-13-45}", "[" * 5000])
def test_yaml_that_only_seems_valid_is_refused_readably(text: str) -> None:
    with pytest.raises(ChallengeError, match="not valid YAML"):
        parse_challenge(text)
