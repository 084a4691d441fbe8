"""Which references are one subject."""

from __future__ import annotations

from pathlib import Path

from ipvg_eval.metrics.subject.subjects import labels_of, subjects_of
from ipvg_eval.metrics.target import Reference


def subjects(*references):
    made = [
        Reference(path=Path(f"{k}.png"), label=label, subject=subject)
        for k, (label, subject) in enumerate(references)
    ]
    return subjects_of(made, unlabelled="object")


def test_pictures_of_one_subject_are_grouped_and_two_men_are_not():
    one = subjects(("man", 0), ("man", 0))
    assert [(s.name, s.pictures) for s in one] == [("man", (0, 1))]
    two = subjects(("man", None), ("ball", None), ("man", None))
    assert [(s.name, s.label, s.pictures) for s in two] == [
        ("man 1", "man", (0,)),
        ("ball", "ball", (1,)),
        ("man 2", "man", (2,)),
    ]
    assert labels_of(two) == ("man", "ball")


def test_labels_that_are_missing_empty_odd_or_endless():
    found = subjects((None, None), ("  ", None), (" Big\n BALL ", None), ("x" * 1000, None))
    assert [s.label for s in found] == ["object", "object", "big ball", "x" * 200]
    assert [s.name for s in found] == ["reference 1", "reference 2", "big ball", "x" * 39 + "…"]
