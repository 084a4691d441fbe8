"""How many votes does a study need? The chance that a design finds out what is so, by simulation."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from ipvg_eval.core.intervals import FloatArray
from ipvg_eval.leaderboard.next_pair import team_pairs
from ipvg_eval.leaderboard.simulated_studies import (
    Crowd,
    Outcome,
    Schedule,
    Simulated,
    misleads,
    outcome,
    simulate,
)
from ipvg_eval.leaderboard.stopping import StoppingRule, evidence

POWER = 0.8
_PARTS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_SHARES = (0.51, 0.52, 0.53, 0.54, 0.55, 0.56, 0.57, 0.58, 0.6, 0.62, 0.65, 0.7, 0.75, 0.8)

OnVotes = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Power:
    """What a study of so many votes finds out.

    Attributes:
        votes: how many, attention checks not counted.
        hours: that all annotators take together.
        first: chance that it says rightly which team is first.
        order: chance that it says the whole order rightly.
    """

    votes: int
    hours: float
    first: float
    order: float


@dataclass(frozen=True, kw_only=True)
class StudyPlan:
    """A design and what to expect of it.

    Attributes:
        teams: names.
        strengths: assumed natural log-strengths.
        identities: how many.
        annotators: how many; 1 is a panel that speaks for itself alone.
        most: votes of all comparisons, or for which there is time.
        seconds: per vote.
        rule: what is to be decided, with which error rate.
        schedule: the fixed schedule after more and more votes.
        needed: the fewest of them with a chance of `POWER`; None where `most` does not suffice.
        smallest: share of comparisons that the better of two neighbours must win to be told apart with a
            chance of `POWER` by all votes; None where even the largest that was tried is not.
        adaptive: studies that choose their pairs and stop by the rule.
        studies: simulations of each number.
        seed: of them.
    """

    teams: tuple[str, ...]
    strengths: tuple[float, ...]
    identities: int
    annotators: int
    most: int
    seconds: float
    rule: StoppingRule
    schedule: tuple[Power, ...]
    needed: Power | None
    smallest: float | None
    adaptive: Outcome
    studies: int
    seed: int

    def hours(self, votes: float) -> float:
        """How long so many votes take."""
        return votes * self.seconds / 3600


def plan_study(
    crowd: Crowd,
    teams: Sequence[str],
    rule: StoppingRule,
    *,
    each: int = 1,
    seconds: float = 20.0,
    most: int | None = None,
    studies: int = 200,
    seed: int = 0,
    on_votes: OnVotes | None = None,
) -> StudyPlan:
    """Simulate a design.

    Args:
        crowd: assumed teams, identities and annotators.
        teams: names, in the order of the strengths.
        rule: what is to be decided, and how surely.
        each: annotators per comparison.
        seconds: per vote.
        most: votes for which there is time; all comparisons where None or more.
        studies: how many are simulated.
        seed: of the simulations.
        on_votes: called with simulated votes and how many there will be, of all simulations side by side.
    """
    pairs = len(team_pairs(len(teams)))
    full = pairs * crowd.identities * crowd.prompts * each
    most = max(min(full, most or full), 1)
    done = 0
    searched = math.ceil(math.log2(len(_SHARES) + 1))

    def votes(schedule: Schedule, strengths: FloatArray | None = None) -> Simulated:
        nonlocal done
        given = crowd if strengths is None else crowd.with_strengths(strengths)
        found = simulate(
            given,
            most,
            studies,
            np.random.default_rng(seed),
            schedule=schedule,
            target=rule.decide,
            each=each,
        )
        done += 1
        if on_votes:
            on_votes(done * most, (2 + searched) * most)
        return found

    fixed = votes("fixed")
    hour = seconds / 3600
    schedule = []
    for size in sorted({max(1, round(part * most)) for part in _PARTS}):
        first, order = power(fixed, size, rule.error)
        schedule.append(Power(votes=size, hours=size * hour, first=first, order=order))
    wanted = [one for one in schedule if (one.first if rule.decide == "first" else one.order) >= POWER]

    def told_apart(share: float) -> bool:
        steps = logit(share) * np.arange(len(teams))[::-1]
        return _neighbours(votes("fixed", steps - steps.mean()), most, rule.error) >= POWER

    return StudyPlan(
        teams=tuple(teams),
        strengths=tuple(float(value) for value in crowd.strengths),
        identities=crowd.identities,
        annotators=max(crowd.annotators, 1),
        most=most,
        seconds=seconds,
        rule=rule,
        schedule=tuple(schedule),
        needed=wanted[0] if wanted else None,
        smallest=_first_that(told_apart),
        adaptive=outcome(votes("adaptive"), rule),
        studies=studies,
        seed=seed,
    )


def strengths_of(wins: Sequence[float]) -> FloatArray:
    """Log-strengths with mean 0 of teams of which each beats the next with these chances."""
    steps = -np.concatenate([[0.0], np.cumsum(logit(np.asarray(wins, dtype=np.float64)))])
    return np.asarray(steps - steps.mean())


def win_chances(strengths: Sequence[float]) -> FloatArray:
    """How often each team beats the next, best first."""
    return np.asarray(expit(-np.diff(sorted(strengths, reverse=True))))


def power(simulated: Simulated, votes: int, error: float) -> tuple[float, float]:
    """Shares of the studies that say rightly which team is first, and the order, by one test at their end."""
    studies, teams = len(simulated.pair), len(simulated.crowd.strengths)
    first = order = 0
    for study in range(studies):
        found = evidence(simulated.comparisons(study, votes))
        leader = found.answer("first", error / (teams - 1))
        every = found.answer("order", error / (teams - 1))
        first += bool(leader) and not misleads(leader, simulated.crowd.strengths)
        order += bool(every) and not misleads(every, simulated.crowd.strengths)
    return first / studies, order / studies


def _neighbours(simulated: Simulated, votes: int, error: float) -> float:
    """Share of true neighbours that are told apart, teams being in their true order."""
    teams = len(simulated.crowd.strengths)
    place = np.arange(teams - 1)
    found = [
        evidence(simulated.comparisons(study, votes)).chances[place, place + 1]
        for study in range(len(simulated.pair))
    ]
    return float((np.stack(found) <= error / (teams - 1)).mean())


def _first_that(holds: Callable[[float], bool]) -> float | None:
    """The smallest share for which it holds, as it holds for all larger ones."""
    low, high = 0, len(_SHARES)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(_SHARES[middle]) else (middle + 1, high)
    return _SHARES[low] if low < len(_SHARES) else None
