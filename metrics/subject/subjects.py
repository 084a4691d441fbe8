"""Which references show one subject, and by what words it is looked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ipvg_eval.metrics.target import Reference

LONGEST_LABEL = 200
"""Characters of a label that are looked at; text towers read far less."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One thing a video must show.

    Attributes:
        name: how notes call it.
        label: what is looked for in pictures.
        pictures: positions of its references in the sample.
    """

    name: str
    label: str
    pictures: tuple[int, ...]


def subjects_of(references: Sequence[Reference], *, unlabelled: str) -> tuple[Subject, ...]:
    """The subjects of a sample, in the order of their first reference.

    References that the test set groups under one subject (one label given for several pictures) are pictures
    of it; every other reference is a subject of its own, two references of one label too.

    Args:
        references: the sample's, at least one.
        unlabelled: the label of references that have none, or an empty one.
    """
    groups: dict[object, list[int]] = {}
    for position, reference in enumerate(references):
        key = ("alone", position) if reference.subject is None else ("group", reference.subject)
        groups.setdefault(key, []).append(position)
    labels = [_label(references[members[0]], unlabelled) for members in groups.values()]
    return tuple(
        Subject(name=_name(labels, place, members, references), label=labels[place], pictures=tuple(members))
        for place, members in enumerate(groups.values())
    )


def labels_of(subjects: Sequence[Subject]) -> tuple[str, ...]:
    """Every label once, in the order of the subjects."""
    return tuple(dict.fromkeys(subject.label for subject in subjects))


def _label(reference: Reference, unlabelled: str) -> str:
    # Equal words in other case or spacing name the same class.
    words = " ".join((reference.label or "").lower().split())
    return words[:LONGEST_LABEL].strip() or unlabelled


def _name(labels: Sequence[str], place: int, members: Sequence[int], references: Sequence[Reference]) -> str:
    if not (references[members[0]].label or "").strip():
        return f"reference {members[0] + 1}"
    label = labels[place] if len(labels[place]) <= 40 else labels[place][:39] + "…"
    if labels.count(labels[place]) == 1:
        return label
    return f"{label} {labels[: place + 1].count(labels[place])}"
