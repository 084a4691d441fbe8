"""Which annotator compares what, and who stands on which side. Pure functions of a seed."""

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


@dataclass(frozen=True, kw_only=True)
class Showing:
    """A comparison as one annotator sees it."""

    pair: Pair
    left: str
    right: str


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


def overlapping(
    pairs: Sequence[Pair], identities: Mapping[str, str], share: float, rng: random.Random
) -> set[Pair]:
    """The comparisons that more annotators see, drawn alike from every pair of teams and identity."""
    count = round(share * len(pairs))
    line = sorted(pairs, key=lambda pair: (pair.one, pair.other, identities[pair.sample], rng.random()))
    start = rng.random()
    return {line[int((step + start) * len(line) / count)] for step in range(count)}


def deal(wanted: Mapping[Pair, int], sheets: int, rng: random.Random) -> list[list[Pair]]:
    """Deal comparisons to sheets.

    Nobody gets a comparison twice; lengths differ by at most one, and every sheet gets about as many of each
    pair of teams.

    Args:
        wanted: comparison -> how many sheets it goes to; more than there are sheets counts as all of them.
        sheets: how many there are.
        rng: of the order.
    """
    dealt: list[list[Pair]] = [[] for _ in range(sheets)]
    of_teams: list[Counter[tuple[str, str]]] = [Counter() for _ in range(sheets)]
    for pair in _shuffled(list(wanted), rng):
        teams = (pair.one, pair.other)

        def load(sheet: int, teams: tuple[str, str] = teams) -> tuple[int, int, float]:
            return len(dealt[sheet]), of_teams[sheet][teams], rng.random()

        for sheet in sorted(range(sheets), key=load)[: wanted[pair]]:
            dealt[sheet].append(pair)
            of_teams[sheet][teams] += 1
    return dealt


def take_sides(sheets: Sequence[Sequence[Pair]], rng: random.Random) -> list[list[Showing]]:
    """Give every comparison its sides and every sheet its order.

    For each pair of teams the sides alternate along the sheets, so that within a sheet and over all sheets a
    team stands left as often as right, or once more or less. Then each sheet is shuffled.
    """
    left_first: dict[tuple[str, str], bool] = {}
    shown: list[list[Showing]] = []
    for sheet in sheets:
        showings = []
        for pair in sheet:
            teams = (pair.one, pair.other)
            swap = left_first[teams] = not left_first.get(teams, rng.random() < 0.5)
            left, right = (pair.other, pair.one) if swap else (pair.one, pair.other)
            showings.append(Showing(pair=pair, left=left, right=right))
        shown.append(_shuffled(showings, rng))
    return shown


def _shuffled(items: Sequence[_Item], rng: random.Random) -> list[_Item]:
    shuffled = list(items)
    rng.shuffle(shuffled)
    return shuffled
