"""Which annotator compares or rates what, and who stands on which side. Pure functions of a seed."""

from __future__ import annotations

import itertools
import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

_Item = TypeVar("_Item")


@dataclass(frozen=True, kw_only=True, order=True)
class Pair:
    """A comparison: two teams' videos of one sample; `one` sorts before `other`."""

    sample: str
    one: str
    other: str

    @property
    def teams(self) -> tuple[str, ...]:
        """Whose videos are shown."""
        return self.one, self.other


@dataclass(frozen=True, kw_only=True, order=True)
class Rating:
    """One video to be rated by itself."""

    sample: str
    team: str

    @property
    def teams(self) -> tuple[str, ...]:
        """Whose video is shown."""
        return (self.team,)


Task = Pair | Rating
_Task = TypeVar("_Task", bound=Task)


def task_of(sample: str, one: str, other: str | None) -> Task:
    """The comparison of two teams, or the rating of one."""
    if other is None:
        return Rating(sample=sample, team=one)
    return Pair(sample=sample, one=min(one, other), other=max(one, other))


@dataclass(frozen=True, kw_only=True)
class Showing:
    """A task as one annotator sees it.

    Attributes:
        task: what is asked.
        left: the team on the left, or the one that is rated.
        right: the team on the right; None where one video is rated.
    """

    task: Task
    left: str
    right: str | None


def random_stream(seed: int, purpose: str) -> random.Random:
    """Random numbers for one purpose; draws for one never shift those for another."""
    return random.Random(f"{seed} {purpose}")  # noqa: S311


def stratified_share(identities: Mapping[str, str], share: float, rng: random.Random) -> list[str]:
    """A share of the samples, drawn alike from every identity.

    Systematic sampling of the samples sorted by identity: the total is share x samples, rounded, at least 1,
    and every identity's part is within one sample of its proportional part.

    Args:
        identities: sample -> identity.
        share: (0, 1].
        rng: of the draw.

    Returns:
        samples, in the order of `identities`.
    """
    by_identity: dict[str, list[str]] = defaultdict(list)
    for sample, identity in identities.items():
        by_identity[identity].append(sample)
    strata = list(by_identity.values())
    rng.shuffle(strata)
    for stratum in strata:
        rng.shuffle(stratum)
    line = [sample for stratum in strata for sample in stratum]
    count = min(len(line), max(1, round(share * len(line))))
    start = rng.random()
    chosen = {line[int((step + start) * len(line) / count)] for step in range(count)}
    return [sample for sample in identities if sample in chosen]


def all_pairs(samples: Sequence[str], teams: Sequence[str]) -> list[Pair]:
    """Every pair of teams on every sample."""
    pairs = list(itertools.combinations(sorted(teams), 2))
    return [Pair(sample=sample, one=one, other=other) for sample in samples for one, other in pairs]


def all_ratings(samples: Sequence[str], teams: Sequence[str]) -> list[Rating]:
    """Every team's video of every sample."""
    return [Rating(sample=sample, team=team) for sample in samples for team in sorted(teams)]


def overlapping(
    tasks: Sequence[_Task], identities: Mapping[str, str], share: float, rng: random.Random
) -> set[_Task]:
    """The tasks that more annotators see, drawn alike from every pair of teams, or team, and identity."""
    count = round(share * len(tasks))
    line = sorted(tasks, key=lambda task: (*task.teams, identities[task.sample], rng.random()))
    start = rng.random()
    return {line[int((step + start) * len(line) / count)] for step in range(count)}


def deal(wanted: Mapping[_Task, int], sheets: int, rng: random.Random) -> list[list[_Task]]:
    """Deal comparisons or ratings to sheets.

    Nobody gets one twice; lengths differ by at most one, and every sheet gets about as many of each pair of
    teams, or of each team.

    Args:
        wanted: task -> how many sheets it goes to; more than there are sheets counts as all of them.
        sheets: how many there are.
        rng: of the order.
    """
    dealt: list[list[_Task]] = [[] for _ in range(sheets)]
    of_teams: list[Counter[tuple[str, ...]]] = [Counter() for _ in range(sheets)]
    for task in _shuffled(list(wanted), rng):
        teams = task.teams

        def load(sheet: int, teams: tuple[str, ...] = teams) -> tuple[int, int, float]:
            return len(dealt[sheet]), of_teams[sheet][teams], rng.random()

        for sheet in sorted(range(sheets), key=load)[: wanted[task]]:
            dealt[sheet].append(task)
            of_teams[sheet][teams] += 1
    return dealt


def take_sides(sheets: Sequence[Sequence[Task]], rng: random.Random) -> list[list[Showing]]:
    """Give every comparison its sides and every sheet its order; what is rated by itself has no sides.

    For each pair of teams the sides alternate along the sheets, so that within a sheet and over all sheets a
    team stands left as often as right, or once more or less. Then each sheet is shuffled.
    """
    left_first: dict[tuple[str, ...], bool] = {}
    shown: list[list[Showing]] = []
    for sheet in sheets:
        showings = []
        for task in sheet:
            if isinstance(task, Rating):
                showings.append(Showing(task=task, left=task.team, right=None))
                continue
            swap = left_first[task.teams] = not left_first.get(task.teams, rng.random() < 0.5)
            left, right = (task.other, task.one) if swap else (task.one, task.other)
            showings.append(Showing(task=task, left=left, right=right))
        shown.append(_shuffled(showings, rng))
    return shown


def _shuffled(items: Sequence[_Item], rng: random.Random) -> list[_Item]:
    shuffled = list(items)
    rng.shuffle(shuffled)
    return shuffled
