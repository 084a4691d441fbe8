"""Which metric should one believe? Every metric of the runs against the votes of people.

A metric agrees with a vote where the video with its better value won; a draw, and equal values, are half.
Beside it stand chance, one half, and the ceiling: how often a second person agrees with a first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ipvg_eval.core.intervals import (
    FEWEST,
    LEVEL,
    FloatArray,
    IntArray,
    caution,
    panel_caution,
)
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.leaderboard.agreement_shares import JudgedPairs, Share, agreeing, ceiling, shares
from ipvg_eval.leaderboard.best_weights import BestWeights, best_weights
from ipvg_eval.leaderboard.bradley_terry import fit_bradley_terry
from ipvg_eval.leaderboard.comparisons import Comparisons
from ipvg_eval.leaderboard.errors import RunsError, VotesError
from ipvg_eval.leaderboard.runs import ScoredRun
from ipvg_eval.leaderboard.submissions import check_comparable
from ipvg_eval.leaderboard.votes import Votes

FEWEST_VOTES = 50
"""Below this many votes nothing is said."""


@dataclass(frozen=True, kw_only=True)
class MetricAgreement:
    """One metric against the votes on one question.

    Attributes:
        name: the metric.
        title: its human name.
        higher_is_better: its direction.
        proxy: whether it stands in for a published metric.
        combined: whether it is a weighted sum.
        agreement: share of the votes it agrees with.
        votes: votes on pairs of videos that both have a value.
        without: votes on pairs of which one has none.
        tau: Kendall's tau-b between the teams' means and their Bradley-Terry strengths; None where one of
            both does not vary.
        note: what a reader must know, empty for nothing.
    """

    name: str
    title: str
    higher_is_better: bool
    proxy: bool
    combined: bool
    agreement: Share
    votes: int
    without: int
    tau: float | None
    note: str


@dataclass(frozen=True, kw_only=True)
class QuestionAgreement:
    """All metrics against the votes on one question.

    Attributes:
        question: what was asked.
        votes: how many votes.
        identities: on how many people's faces.
        annotators: by how many annotators; 1 where nobody is named.
        teams: whose videos.
        ceiling: how often one annotator agrees with another about the same pair.
        ceiling_pairs: pairs of answers that this rests on.
        metrics: the most agreeing first.
        fitted: agreement of the best weights with votes on identities that they were not made from.
        weights: metric -> best weight per unit, from all votes.
        importance: metric -> the same per standard deviation of the metric's differences.
        ridge: chosen by cross-validation.
        cautions: what a reader must know.
    """

    question: str
    votes: int
    identities: int
    annotators: int
    teams: tuple[str, ...]
    ceiling: Share
    ceiling_pairs: int
    metrics: tuple[MetricAgreement, ...]
    fitted: Share
    weights: Mapping[str, float]
    importance: Mapping[str, float]
    ridge: float
    cautions: tuple[str, ...]


def metric_agreement(
    runs: Sequence[ScoredRun], votes: Votes, *, level: float = LEVEL
) -> tuple[QuestionAgreement, ...]:
    """Hold every metric of the runs against the votes, question by question.

    Args:
        runs: one per team, comparable.
        votes: on their videos.
        level: of the intervals.

    Raises:
        RunsError: two runs of a team, runs that do not compare, or no metric with a direction.
        VotesError: votes on unknown teams or samples, or too few of them.
    """
    by_team = {run.team: run for run in runs}
    if len(by_team) < len(runs):
        twice = next(run for run in runs if by_team[run.team] is not run)
        raise RunsError(f"two runs of team {twice.team!r}", path=twice.path, hint="Give the one that counts.")
    check_comparable(runs)
    samples = {name: run.samples.set_index("sample") for name, run in by_team.items()}
    one = next(iter(by_team.values())).samples
    identities = dict(zip(one["sample"].astype(str), one["identity"].astype(str), strict=True))
    votes.check(teams=by_team, samples=identities)
    metrics = [
        spec
        for spec in runs[0].info.metrics
        if spec.name in runs[0].samples and spec.higher_is_better is not None
    ]
    if not metrics:
        raise RunsError("the runs have no metric that says which way is better and has values per sample")
    sums = [combination.name for combination in runs[0].info.protocol.combined]
    found = []
    for question in votes.questions:
        table = votes.table[votes.table["question"] == question].reset_index(drop=True)
        if len(table) < FEWEST_VOTES:
            continue
        found.append(_question(question, table, metrics, sums, samples, identities, level))
    if not found:
        most = max(int((votes.table["question"] == question).sum()) for question in votes.questions)
        raise VotesError(
            f"{most} votes are too few to say which metric agrees with people",
            path=votes.source,
            hint=f"A question needs {FEWEST_VOTES} votes or more.",
        )
    return tuple(found)


def _question(
    question: str,
    table: pd.DataFrame,
    metrics: Sequence[MetricSpec],
    sums: Sequence[str],
    samples: Mapping[str, pd.DataFrame],
    identities: Mapping[str, str],
    level: float,
) -> QuestionAgreement:
    judged = JudgedPairs.of(table)
    clusters = _numbers(table["sample"].map(dict(identities)))
    named = (table["annotator"] != "").any()
    people = _numbers(table["annotator"]) if named else None
    gaps = _gaps(table, metrics, samples)
    agreement = shares(agreeing(judged.points, gaps), clusters, people, level)
    teams = tuple(sorted({*table["team_a"], *table["team_b"]}))
    strengths = _strengths(question, table, teams)
    rows = [
        MetricAgreement(
            name=spec.name,
            title=spec.label,
            higher_is_better=bool(spec.higher_is_better),
            proxy=spec.proxy,
            combined=spec.name in sums,
            agreement=agreement[place],
            votes=int((~np.isnan(gaps[:, place])).sum()),
            without=int(np.isnan(gaps[:, place]).sum()),
            tau=_tau(spec, teams, samples, strengths),
            note=_note(gaps[:, place]),
        )
        for place, spec in enumerate(metrics)
    ]
    alone = [place for place, spec in enumerate(metrics) if spec.name not in sums]
    count = len(np.unique(clusters))
    fitted, best = Share(value=None), None
    if count >= FEWEST:
        best, unseen = _fitted(judged, gaps[:, alone], clusters, [metrics[p].name for p in alone])
        fitted = shares(agreeing(judged.points, unseen[:, None]), clusters, people, level)[0]
    another, pairs = ceiling(judged, clusters, level)
    sign = {spec.name: 1.0 if spec.higher_is_better else -1.0 for spec in metrics}
    many = 1 if people is None else len(np.unique(people))
    return QuestionAgreement(
        question=question,
        votes=len(table),
        identities=count,
        annotators=many,
        teams=teams,
        ceiling=another,
        ceiling_pairs=pairs,
        metrics=tuple(sorted(rows, key=lambda row: (-(row.agreement.value or 0.0), row.name))),
        fitted=fitted,
        weights={name: sign[name] * weight for name, weight in best.weights.items()} if best else {},
        importance=dict(best.importance) if best else {},
        ridge=best.ridge if best else 0.0,
        cautions=tuple(filter(None, (caution(count), panel_caution(many)))),
    )


def _gaps(
    table: pd.DataFrame, metrics: Sequence[MetricSpec], samples: Mapping[str, pd.DataFrame]
) -> FloatArray:
    """(votes, metrics): how much better the first video is, NaN where one has no value."""
    names = [spec.name for spec in metrics]
    values = pd.concat({team: rows[names] for team, rows in samples.items()})
    one, other = (
        values.reindex(pd.MultiIndex.from_arrays([table[side], table["sample"]])).to_numpy(dtype=np.float64)
        for side in ("team_a", "team_b")
    )
    return np.asarray((one - other) * [1.0 if spec.higher_is_better else -1.0 for spec in metrics])


def _strengths(question: str, table: pd.DataFrame, teams: tuple[str, ...]) -> FloatArray:
    votes = Votes(source="", sha256="", table=table)
    comparisons = Comparisons.of(votes, question=question, teams=teams)
    return fit_bradley_terry(comparisons.wins(), teams).strengths


def _tau(
    spec: MetricSpec, teams: tuple[str, ...], samples: Mapping[str, pd.DataFrame], strengths: FloatArray
) -> float | None:
    from scipy.stats import kendalltau

    sign = 1.0 if spec.higher_is_better else -1.0
    means = np.array([sign * samples[team][spec.name].mean() for team in teams])
    known = ~np.isnan(means) & ~np.isnan(strengths)
    if known.sum() < 2:
        return None
    return _known(float(kendalltau(means[known], strengths[known]).statistic))


def _fitted(
    judged: JudgedPairs, gaps: FloatArray, clusters: IntArray, names: Sequence[str]
) -> tuple[BestWeights, FloatArray]:
    """Fitted on comparisons, as several votes on one pair have the same differences; predicted for votes."""
    sign = np.where(judged.swapped, -1.0, 1.0)
    _, first = np.unique(judged.pair, return_index=True)
    count = np.bincount(judged.pair).astype(np.float64)
    won = np.bincount(judged.pair, judged.first_points) / count
    best = best_weights((gaps * sign[:, None])[first], won, count, clusters[first], names)
    return best, best.unseen[judged.pair] * sign


def _note(gaps: FloatArray) -> str:
    known = gaps[~np.isnan(gaps)]
    if not len(known):
        return "no pair of videos has values"
    if not known.any():
        return "the same for both videos of every pair"
    if len(known) < 0.95 * len(gaps):
        return f"missing for {1 - len(known) / len(gaps):.0%} of the votes"
    return ""


def _numbers(names: pd.Series[str]) -> IntArray:
    return np.unique(names.to_numpy(dtype=str), return_inverse=True)[1].astype(np.int64)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
