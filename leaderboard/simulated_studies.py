"""Studies that never took place: what a design would find out, by simulation.

People prefer a video by its team's strength, which every identity moves for every team (sd `face`) and every
annotator too (sd `taste`); answers are Bradley-Terry given those. Each simulated study deals its comparisons
over identities and annotators evenly, in random order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.special import expit

from ipvg_eval.core.intervals import FloatArray, IntArray
from ipvg_eval.leaderboard.comparisons import Comparisons
from ipvg_eval.leaderboard.next_pair import Target, next_pair, team_pairs
from ipvg_eval.leaderboard.stopping import StoppingRule, decided

Schedule = Literal["fixed", "adaptive"]
_STEP = 10  # votes between two choices of a pair


@dataclass(frozen=True, kw_only=True, eq=False)
class Crowd:
    """Who is compared, and by whom.

    Attributes:
        strengths: (teams,) natural log-strengths.
        identities: how many.
        prompts: samples of each.
        annotators: how many; 0 is one panel whose taste is the truth.
        face: sd of what an identity adds to a team's strength.
        taste: sd of what an annotator adds to it.
    """

    strengths: FloatArray
    identities: int = 200
    prompts: int = 5
    annotators: int = 20
    face: float = 0.3
    taste: float = 0.2

    def with_strengths(self, strengths: FloatArray) -> Crowd:
        """The same people and faces with other teams."""
        return replace(self, strengths=strengths)


@dataclass(frozen=True, kw_only=True, eq=False)
class Simulated:
    """Votes of simulated studies, in the order in which they were given.

    Attributes:
        crowd: the truth.
        pair: (n, votes) number of the pair of teams, see `next_pair.team_pairs`.
        identity: (n, votes).
        annotator: (n, votes).
        answer: (n, votes) 1 where the first team of the pair won, else 0.
    """

    crowd: Crowd
    pair: IntArray
    identity: IntArray
    annotator: IntArray
    answer: FloatArray

    def comparisons(self, study: int, votes: int) -> Comparisons:
        """The first votes of one study."""
        teams = len(self.crowd.strengths)
        pairs = team_pairs(teams)
        pair = self.pair[study, :votes]
        return Comparisons(
            question="simulated",
            weighting="vote",
            teams=tuple(f"team {number + 1}" for number in range(teams)),
            votes=votes,
            first=pairs[pair, 0],
            second=pairs[pair, 1],
            score=self.answer[study, :votes],
            identities=tuple(f"{number:05d}" for number in self.identity[study, :votes]),
            judged=np.arange(votes),
            answers=self.answer[study, :votes],
            parts=np.ones(votes),
            annotators=self.annotator[study, :votes] if self.crowd.annotators else None,
            outcomes=np.zeros((teams, 3), dtype=np.int64),
        )


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What simulated studies under a stopping rule ended with.

    Attributes:
        decided: share that ended before or at their last vote.
        wrong: share that ended with a wrong answer.
        votes: mean number of votes.
    """

    decided: float
    wrong: float
    votes: float


def simulate(
    crowd: Crowd,
    votes: int,
    studies: int,
    rng: np.random.Generator,
    *,
    schedule: Schedule = "fixed",
    target: Target = "order",
    each: int = 1,
) -> Simulated:
    """Simulate studies of so many votes.

    Args:
        crowd: the truth.
        votes: of each study.
        studies: how many.
        rng: of everything.
        schedule: "fixed": all pairs of teams in turn; "adaptive": see `next_pair`.
        target: what an adaptive schedule is after.
        each: how many annotators may judge one comparison of an adaptive schedule.
    """
    teams = len(crowd.strengths)
    pairs = team_pairs(teams)
    people = max(crowd.annotators, 1)
    faces = crowd.face * rng.standard_normal((studies, crowd.identities, teams))
    tastes = crowd.taste * rng.standard_normal((studies, people, teams)) * (crowd.annotators > 0)
    counts = np.zeros((studies, len(pairs)))
    wins = np.zeros((studies, teams, teams))
    # Each pair of teams goes through the identities in an order of its own.
    turns = rng.permuted(np.tile(np.arange(crowd.identities), (studies, len(pairs), 1)), axis=2)
    every, most = np.arange(studies), crowd.identities * crowd.prompts * each
    found: list[tuple[IntArray, ...]] = []
    answers: list[FloatArray] = []
    chosen = np.zeros(studies, dtype=np.int64)
    for vote in range(votes):
        if schedule == "fixed":
            chosen = np.full(studies, vote % len(pairs))
        elif vote % _STEP == 0 or counts.min() < _STEP or (counts[every, chosen] >= most).any():
            chosen = next_pair(wins, counts, target, counts < most)
        turn = counts[every, chosen].astype(np.int64) % crowd.identities
        identity = turns[every, chosen, turn]
        if vote % people == 0:
            order = rng.permuted(np.tile(np.arange(people), (studies, 1)), axis=1)
        annotator = order[:, vote % people]
        first, second = pairs[chosen].T
        own = crowd.strengths[None, :] + faces[every, identity] + tastes[every, annotator]
        won = (rng.random(studies) < expit(own[every, first] - own[every, second])).astype(np.float64)
        counts[every, chosen] += 1
        wins[every, first, second] += won
        wins[every, second, first] += 1 - won
        found.append((chosen.copy(), identity, annotator))
        answers.append(won)
    pair, identity, annotator = (np.stack(column, axis=1) for column in zip(*found, strict=True))
    return Simulated(
        crowd=crowd, pair=pair, identity=identity, annotator=annotator, answer=np.stack(answers, axis=1)
    )


def outcome(simulated: Simulated, rule: StoppingRule) -> Outcome:
    """End every study by the rule."""
    studies, most = simulated.pair.shape
    ended, wrong, used = 0, 0, []
    for study in range(studies):
        for look, votes in enumerate(rule.at(most), 1):
            answer = decided(simulated.comparisons(study, votes), rule, look)
            if answer:
                ended += 1
                wrong += misleads(answer, simulated.crowd.strengths)
                break
        used.append(votes)
    return Outcome(decided=ended / studies, wrong=wrong / studies, votes=float(np.mean(used)))


def misleads(answer: Sequence[int], strengths: FloatArray) -> bool:
    """Whether a team stands before a better one; a single team is said to be before all others."""
    true = strengths[list(answer)] if len(answer) > 1 else np.append(strengths[list(answer)], strengths.max())
    return bool((np.diff(true) > 0).any())
