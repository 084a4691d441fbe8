"""When may a study stop? At looks that were planned before it, with an error rate that was stated before it.

The error rate is divided over the looks, more for later ones (error spending: Lan, DeMets, Discrete
Sequential Boundaries for Clinical Trials, 1983, with the share of the votes squared), and over the teams: an
order that is wrong has two true neighbours the wrong way round, and a wrong first stands before the true
one, so that one-sided tests at error / (teams - 1) suffice (Bonferroni). How an adaptive study spreads its
votes is not known beforehand, so looks are not credited for being alike, which makes the rule cautious.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from scipy.special import stdtr

from ipvg_eval.core.intervals import Crossed, FloatArray
from ipvg_eval.leaderboard.bradley_terry import BradleyTerry, fit_bradley_terry
from ipvg_eval.leaderboard.comparisons import Comparisons
from ipvg_eval.leaderboard.next_pair import Target, team_pairs


class StoppingRule(BaseModel):
    """What ends a study before all its comparisons are judged.

    Attributes:
        decide: "first": which team is first; "order": the order of all teams.
        error: how often a study may end with a wrong answer to that.
        looks: how often, evenly over all judgements, it is asked whether the answer is known.
        most: judgements after which it ends in any case; all that are wanted where None or more.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    decide: Target = "order"
    error: float = Field(default=0.05, gt=0, lt=0.5)
    looks: int = Field(default=5, ge=1, le=100)
    most: int | None = Field(default=None, ge=1)

    def at(self, wanted: int) -> tuple[int, ...]:
        """After how many judgements the looks are, of as many as are wanted."""
        most = min(wanted, self.most or wanted)
        return tuple(sorted({max(1, round(most * look / self.looks)) for look in range(1, self.looks + 1)}))

    def spent(self, look: int) -> float:
        """The error that one look may make, 1 for the first; all of them add up to `error`."""
        return self.error * (look**2 - (look - 1) ** 2) / self.looks**2

    def words(self) -> str:
        """The rule in a sentence."""
        what = "which team is first" if self.decide == "first" else "the order of the teams"
        times = "once, at its end" if self.looks == 1 else f"{self.looks} times, evenly over all judgements"
        return f"Ends when it is known {what}, asked {times}; wrong in at most {self.error:.1%} of studies."


@dataclass(frozen=True, kw_only=True, eq=False)
class Evidence:
    """What the votes say about the order.

    Attributes:
        strengths: (teams,) Bradley-Terry.
        chances: (teams, teams) one-sided p-values of the row's team being better than the column's.
    """

    strengths: FloatArray
    chances: FloatArray

    def answer(self, decide: Target, level: float) -> tuple[int, ...]:
        """The order of the teams, or the first of them alone; empty where some p-value is above `level`."""
        order = np.argsort(-self.strengths, kind="stable")
        ordered = self.chances[np.ix_(order, order)]
        if decide == "first":
            return (int(order[0]),) if (ordered[0, 1:] <= level).all() else ()
        known = (ordered[np.triu_indices(len(order), 1)] <= level).all()
        return tuple(int(team) for team in order) if known else ()


def evidence(comparisons: Comparisons) -> Evidence:
    """One-sided tests of every two teams, over identities and annotators; a p-value of 1 where there is none.

    Where wins do not go both ways between all teams, every two teams are tested by their own comparisons; of
    two of which one never lost a point, by signs: half, to the power of how many identities (or annotators,
    where there are fewer) saw it win.
    """
    teams = len(comparisons.teams)
    fit = fit_bradley_terry(comparisons.wins(), comparisons.teams)
    chances = np.ones((teams, teams))
    pairs = team_pairs(teams)
    if fit.ridge is None:
        chances[pairs[:, 0], pairs[:, 1]], chances[pairs[:, 1], pairs[:, 0]] = _tested(comparisons, fit)
        return Evidence(strengths=fit.strengths, chances=chances)
    for one, other in pairs:
        own = _between(comparisons, one, other)
        if len(own):
            chances[one, other], chances[other, one] = _direct(own)
    return Evidence(strengths=np.nan_to_num(fit.strengths), chances=chances)


def _tested(comparisons: Comparisons, fit: BradleyTerry) -> tuple[FloatArray, FloatArray]:
    """(pairs,) p-values of the first team being better, and of the second."""
    spread = Crossed.of(
        comparisons.strength_influences(fit.strengths, 0.0),
        comparisons.clusters(),
        comparisons.annotators,
        comparisons.present(),
    )
    pairs = team_pairs(len(comparisons.teams))
    contrasts = np.eye(len(comparisons.teams))[pairs[:, 0]] - np.eye(len(comparisons.teams))[pairs[:, 1]]
    found = spread.spread(contrasts)
    known = ~np.isnan(found.freedom) & (found.error > 0)
    gaps = contrasts @ fit.strengths
    ratio = np.divide(gaps, found.error, out=np.zeros_like(gaps), where=known)
    one, other = (np.where(known, stdtr(found.freedom, side * ratio), 1.0) for side in (-1, 1))
    return np.asarray(one), np.asarray(other)


def _direct(own: Comparisons) -> tuple[float, float]:
    """P-values of the first of two teams being better, and of the second."""
    seen = len(set(own.identities))
    if own.annotators is not None and (people := len(np.unique(own.annotators))) > 1:
        seen = min(seen, people)
    if (own.score == 1).all() or (own.score == 0).all():
        chance = 0.5**seen
        return (chance, 1.0) if own.score[0] == 1 else (1.0, chance)
    one, other = _tested(own, fit_bradley_terry(own.wins(), own.teams))
    return float(one[0]), float(other[0])


def _between(comparisons: Comparisons, one: int, other: int) -> Comparisons:
    """The comparisons of two teams, every vote one of its own."""
    rows = (comparisons.first == one) & (comparisons.second == other)
    votes = rows[comparisons.judged]
    answers = comparisons.answers[votes]
    identities = np.asarray(comparisons.identities)[comparisons.judged[votes]]
    count = len(answers)
    return Comparisons(
        question=comparisons.question,
        weighting="vote",
        teams=(comparisons.teams[one], comparisons.teams[other]),
        votes=count,
        first=np.zeros(count, dtype=np.int64),
        second=np.ones(count, dtype=np.int64),
        score=answers,
        identities=tuple(identities.tolist()),
        judged=np.arange(count),
        answers=answers,
        parts=np.ones(count),
        annotators=None if comparisons.annotators is None else comparisons.annotators[votes],
        outcomes=np.zeros((2, 3), dtype=np.int64),
    )


def decided(comparisons: Comparisons, rule: StoppingRule, look: int) -> tuple[int, ...]:
    """The answer that ends the study at this look, 1 for the first; empty where it goes on."""
    level = rule.spent(look) / max(len(comparisons.teams) - 1, 1)
    return evidence(comparisons).answer(rule.decide, level)
