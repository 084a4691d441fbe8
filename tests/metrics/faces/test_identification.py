"""Identification against everybody: closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from ipvg_eval.metrics.faces.identification import identify


def identified(videos, owners, references, names):
    return identify(videos, owners, references, names, metric="cur_score", samples=owners)


def everybody(people, videos=2):
    names = [f"id{n:03d}" for n in range(people)]
    return names, [name for name in names for _ in range(videos)]


def test_orthogonal_people_are_all_found():
    names, owners = everybody(40)
    faces = np.eye(40)
    found = identified([np.stack([faces[int(o[2:])]] * 3) * 7 for o in owners], owners, list(faces), names)
    assert (found.rank_1.value, found.rank_5.value, found.auc.value) == (1.0, 1.0, 1.0)
    assert (found.rank_1.low, found.rank_1.high) == (1.0, 1.0)
    assert (found.threshold, found.matched.value) == (0.0, 1.0)
    assert (found.confusions, found.alike, found.hints) == ((), (), ())
    assert (sum(found.own), sum(found.others)) == (80, 80 * 39)


def test_references_of_other_people_are_found_by_chance():
    """Every video is one person's, its owner drawn at random: rank-1 is 1/n and AUC 1/2."""
    rng = np.random.default_rng(0)
    people, videos = 50, 40
    names, owners = everybody(people, videos)
    faces = rng.standard_normal((people, 64))
    shown = rng.integers(0, people, people * videos)
    found = identified([faces[n][None] for n in shown], owners, list(faces), names)
    size = people * videos
    assert found.rank_1.value == pytest.approx(1 / people, abs=5 * np.sqrt(1 / people / size))
    assert found.rank_5.value == pytest.approx(5 / people, abs=5 * np.sqrt(5 / people / size))
    assert found.auc.value == pytest.approx(0.5, abs=5 * np.sqrt(1 / 12 / size))
    assert any("weights, the alignment or the pairing" in hint for hint in found.hints) == (
        found.auc.low <= 0.5
    )
    assert found.confusions[0].with_other > found.confusions[0].own


def test_numbers_are_those_of_the_definitions():
    rng = np.random.default_rng(1)
    names, owners = everybody(30, 3)
    faces = rng.standard_normal((30, 16))
    videos = [faces[int(o[2:])] + 1.5 * rng.standard_normal((4, 16)) for o in owners]
    found = identified(videos, owners, list(faces), names)
    unit = faces / np.linalg.norm(faces, axis=1, keepdims=True)
    cosines = np.array([(v / np.linalg.norm(v, axis=1, keepdims=True) @ unit.T).mean(axis=0) for v in videos])
    truth = np.array([[o == n for n in names] for o in owners])
    own, rest = cosines[truth], cosines[~truth]
    per_video = [
        mannwhitneyu(c[t], c[~t]).statistic / (len(names) - 1) for t, c in zip(truth, cosines, strict=True)
    ]
    assert found.auc.value == pytest.approx(np.mean(per_video))
    assert found.rank_1.value == pytest.approx((cosines.argmax(axis=1) == truth.argmax(axis=1)).mean())
    pooled = np.sqrt((own.var() + rest.var()) / 2)
    assert found.d_prime.value == pytest.approx((own.mean() - rest.mean()) / pooled)
    assert found.d_prime.low < found.d_prime.value < found.d_prime.high
    assert (rest > found.threshold).mean() <= 1e-3
    assert found.matched.value == pytest.approx((own > found.threshold).mean())


def test_one_person_under_two_names_is_named():
    names, owners = everybody(20)
    faces = np.eye(20)
    faces[7] = faces[3]
    found = identified([faces[int(o[2:])][None] for o in owners], owners, list(faces), names)
    assert found.alike == (("id003", "id007", pytest.approx(1.0)),)
    assert found.hints[0] == "The references of id003 and id007 look like one person (cosine 1.00)."
    # The four videos of these two are a tie between them, which is half a hit.
    assert found.rank_1.value == pytest.approx((36 + 4 / 2) / 40)


def test_embeddings_that_tell_nobody_apart_are_blamed_on_the_installation():
    rng = np.random.default_rng(3)
    names, owners = everybody(20)
    faces = 10 + rng.standard_normal((20, 32))
    found = identified([faces[int(o[2:])][None] for o in owners], owners, list(faces), names)
    assert found.alike == ()
    assert len(found.hints) == 1
    assert "The weights or the alignment are wrong." in found.hints[0]


def test_too_little_to_compare_is_nothing():
    face = np.ones(4)
    assert identified([face[None]], ["a"], [face], ["a"]) is None
    assert identified([], [], [face, face], ["a", "b"]) is None
    assert identified([face[None]], ["c"], [face, face], ["a", "b"]) is None
    few = identified([face[None]], ["a"], [face, -face], ["a", "b"])
    assert (few.rank_1.value, few.rank_1.low, few.threshold, few.matched.value) == (1.0, None, None, None)
