"""The steps of a sheet: training first, then what counts with attention checks among it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ipvg_eval.leaderboard.study.config import Checks
from ipvg_eval.leaderboard.study.plan import Showing, Task

Kind = Literal["pair", "rating", "repeat", "corrupted", "training"]

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
        kind: "pair" and "rating" count; "repeat" and "corrupted" are checks, "training" is neither.
        left: what plays on the left, or alone.
        right: what plays on the right; None where one video is rated.
        origin: for a repeat, the place in the sheet of the step it repeats; else None.
    """

    kind: Kind
    left: Clip
    right: Clip | None
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


def training_tasks(
    sheet: Sequence[Task], tasks: Sequence[Task], count: int, rng: random.Random
) -> list[Task]:
    """What a sheet begins with: tasks that it does not hold, and of other samples, where there are any."""
    if not count:
        return []
    held, samples = set(sheet), {task.sample for task in sheet}
    drawn = rng.sample(list(tasks), len(tasks))
    return sorted(drawn, key=lambda task: (task in held, task.sample in samples))[:count]


def with_checks(
    showings: Sequence[Showing],
    corrupted: Sequence[Clip],
    checks: Checks,
    rng: random.Random,
    training: Sequence[Showing] = (),
) -> list[Item]:
    """A sheet's steps, the checks at random places among the comparisons or ratings.

    Args:
        showings: what counts, in order.
        corrupted: corrupted copies to draw from.
        checks: how many.
        rng: of places, draws and sides.
        training: what comes before everything and does not count.

    A repeat comes at least five steps after what it repeats, or at the end of a sheet that is too short.
    """
    steps: list[Showing | Clip] = list(showings)
    copies, repeated = checks_in(len(showings), checks)
    shown = {showing.task.sample for showing in showings}
    # A sample that the sheet does not show otherwise makes the copy no second look at it.
    drawn = sorted(rng.sample(list(corrupted), len(corrupted)), key=lambda clip: clip.sample in shown)
    for clip in drawn[:copies]:
        steps.insert(rng.randint(0, len(steps)), clip)
    repeats = rng.sample(list(showings), repeated)
    again: dict[int, list[Showing]] = {}
    for showing in sorted(repeats, key=showings.index):
        earliest = min(steps.index(showing) + _APART, len(steps))
        again.setdefault(rng.randint(earliest, len(steps)), []).append(showing)
    items = [_item(showing, "training") for showing in training]
    places: dict[int, int] = {}
    for place in range(len(steps) + 1):
        for showing in again.get(place, []):
            left, right = _clips(showing)
            if right is not None:
                left, right = right, left
            items.append(Item(kind="repeat", left=left, right=right, origin=places[id(showing)]))
        if place < len(steps):
            step = steps[place]
            if isinstance(step, Showing):
                places[id(step)] = len(items)
                items.append(_item(step, "rating" if step.right is None else "pair"))
            else:
                items.append(_corrupted(step, rng, alone=showings[0].right is None))
    return items


def _item(showing: Showing, kind: Kind) -> Item:
    left, right = _clips(showing)
    return Item(kind=kind, left=left, right=right)


def _clips(showing: Showing) -> tuple[Clip, Clip | None]:
    sample = showing.task.sample
    right = None if showing.right is None else Clip(sample=sample, team=showing.right)
    return Clip(sample=sample, team=showing.left), right


def _corrupted(copy: Clip, rng: random.Random, *, alone: bool) -> Item:
    if alone:
        return Item(kind="corrupted", left=copy, right=None)
    real = Clip(sample=copy.sample, team=copy.team)
    left, right = (real, copy) if rng.random() < 0.5 else (copy, real)
    return Item(kind="corrupted", left=left, right=right)
