"""Attention checks in a sheet of comparisons."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ipvg_eval.leaderboard.study.config import Checks
from ipvg_eval.leaderboard.study.plan import Showing

Kind = Literal["pair", "repeat", "corrupted"]

_LEAST = 2
_APART = 5


@dataclass(frozen=True, kw_only=True)
class Clip:
    """A team's video of a sample, or a corrupted copy of it."""

    sample: str
    team: str
    corrupted: bool = False


@dataclass(frozen=True, kw_only=True)
class Item:
    """One step of a sheet.

    Attributes:
        kind: "pair" counts; "repeat" and "corrupted" are checks.
        left: what plays on the left.
        right: what plays on the right.
        origin: for a repeat, the place in the sheet of the step it repeats; else None.
    """

    kind: Kind
    left: Clip
    right: Clip
    origin: int | None = None


def checks_in(comparisons: int, checks: Checks) -> tuple[int, int]:
    """How many corrupted and repeated checks go into a sheet.

    Two at least of each kind that is wanted, but never more than `max_share` of the sheet's steps; where that
    is too little for both, the corrupted copies come first.
    """
    wanted = [
        min(comparisons, max(_LEAST, round(comparisons * per_hundred / 100))) if per_hundred else 0
        for per_hundred in (checks.corrupted_per_hundred, checks.repeats_per_hundred)
    ]
    most = int(comparisons * checks.max_share / (1 - checks.max_share) + 1e-9)
    corrupted = min(wanted[0], max(most - wanted[1], min(most, _LEAST), -(-most // 2)))
    return corrupted, min(wanted[1], most - corrupted)


def with_checks(
    showings: Sequence[Showing], corrupted: Sequence[Clip], checks: Checks, rng: random.Random
) -> list[Item]:
    """A sheet's steps, the checks at random places among the comparisons.

    Args:
        showings: the comparisons, in order.
        corrupted: corrupted copies to draw from.
        checks: how many.
        rng: of places, draws and sides.

    A repeat comes at least five steps after what it repeats, or at the end of a sheet that is too short.
    """
    steps: list[Showing | Clip] = list(showings)
    copies, repeated = checks_in(len(showings), checks)
    shown = {showing.pair.sample for showing in showings}
    # A sample that the sheet does not show otherwise makes the copy no second look at it.
    drawn = sorted(rng.sample(list(corrupted), len(corrupted)), key=lambda clip: clip.sample in shown)
    for clip in drawn[:copies]:
        steps.insert(rng.randint(0, len(steps)), clip)
    repeats = rng.sample(list(showings), repeated)
    again: dict[int, list[Showing]] = {}
    for showing in sorted(repeats, key=showings.index):
        earliest = min(steps.index(showing) + _APART, len(steps))
        again.setdefault(rng.randint(earliest, len(steps)), []).append(showing)
    items: list[Item] = []
    places: dict[int, int] = {}
    for place in range(len(steps) + 1):
        for showing in again.get(place, []):
            left, right = _clips(showing)
            items.append(Item(kind="repeat", left=right, right=left, origin=places[id(showing)]))
        if place < len(steps):
            step = steps[place]
            if isinstance(step, Showing):
                places[id(step)] = len(items)
                left, right = _clips(step)
                items.append(Item(kind="pair", left=left, right=right))
            else:
                items.append(_corrupted(step, rng))
    return items


def _clips(showing: Showing) -> tuple[Clip, Clip]:
    sample = showing.pair.sample
    return Clip(sample=sample, team=showing.left), Clip(sample=sample, team=showing.right)


def _corrupted(copy: Clip, rng: random.Random) -> Item:
    real = Clip(sample=copy.sample, team=copy.team)
    left, right = (real, copy) if rng.random() < 0.5 else (copy, real)
    return Item(kind="corrupted", left=left, right=right)
