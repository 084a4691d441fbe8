"""Pairwise ratings of a user study: points, Bradley-Terry, Elo, intervals and rank ranges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ipvg_eval.core.intervals import BoolArray, Crossed, FloatArray, IntArray, caution, panel_caution
from ipvg_eval.core.resampling import BootstrapRule
from ipvg_eval.core.suggest import did_you_mean
from ipvg_eval.leaderboard.agreement import Agreement, vote_agreement
from ipvg_eval.leaderboard.bradley_terry import (
    ELO_SCALE,
    BradleyTerry,
    fit_bradley_terry,
)
from ipvg_eval.leaderboard.challenge import EloRule, StudyRule
from ipvg_eval.leaderboard.comparisons import Comparisons, team_points
from ipvg_eval.leaderboard.elo import Elo, elo_warnings, rate_elo
from ipvg_eval.leaderboard.errors import VotesError
from ipvg_eval.leaderboard.sides import SideEffect, side_effect
from ipvg_eval.leaderboard.votes import Votes, drop_outs


@dataclass(frozen=True, kw_only=True, eq=False)
class PairwiseRatings:
    """What the votes on one question say.

    Attributes:
        question: what was asked.
        rule: how votes are counted.
        comparisons: how many there are; the points of all teams add up to it.
        votes: how many votes those have.
        clusters: how many identities (or samples) the intervals are over.
        annotators: how many annotators they are over; 1 where nobody is named.
        table: one row per team, most points first: team, rank (competition rank by points), points,
            points_low, points_high, comparisons, win_share (points of those there were, see `team_points`),
            win_share_low, win_share_high, won, drawn, lost (votes), bradley_terry, bradley_terry_low,
            bradley_terry_high (Elo scale), estimable, rank_best, rank_worst (see `rank_ranges`), first_share
            (how likely the team has the most points per comparison), elo (median over orders), elo_low,
            elo_high, elo_first_share, elo_sequential, few (some pair has too few comparisons). NaN for a team
            without votes, and for intervals over too few identities.
        wins: points of the row's team against the column's, in the table's order.
        games: comparisons of each pair, in the table's order.
        bradley_terry: the fit.
        elo: the ratings over orders.
        agreement: of annotators who voted on the same pair and sample.
        sides: whether the side on which a video stood moved the votes.
        warnings: what a reader must know about these numbers.
        bootstrap: settings of the intervals.
    """

    question: str
    rule: StudyRule
    comparisons: int
    votes: int
    clusters: int
    annotators: int
    table: pd.DataFrame
    wins: pd.DataFrame
    games: pd.DataFrame
    bradley_terry: BradleyTerry
    elo: Elo
    agreement: Agreement
    sides: SideEffect
    warnings: tuple[str, ...]
    bootstrap: BootstrapRule


def rate(
    votes: Votes,
    *,
    question: str | None = None,
    identities: Mapping[str, str] | None = None,
    teams: Sequence[str] = (),
    study: StudyRule | None = None,
    elo: EloRule | None = None,
    bootstrap: BootstrapRule | None = None,
) -> PairwiseRatings:
    """Rate the teams of a study on one question.

    Args:
        votes: checked votes.
        question: which; the study's question where None, or the only one that was asked.
        identities: sample -> identity; samples are resampled one by one where None.
        teams: teams to list even if nobody voted on them.
        study: how votes are counted.
        elo: settings of Elo, with the anchor of all ratings.
        bootstrap: settings of the intervals.

    Raises:
        VotesError: there is no vote on the question, or it is not clear which one is meant.
    """
    study, elo, bootstrap = study or StudyRule(), elo or EloRule(), bootstrap or BootstrapRule()
    question = question or deciding_question(votes, study)
    if question not in votes.questions:
        raise VotesError(
            f"there is no vote on question {question!r}",
            path=votes.source,
            hint=did_you_mean(question, votes.questions),
        )
    comparisons = Comparisons.of(
        votes, question=question, weighting=study.weighting, identities=identities, teams=teams
    )
    wins = comparisons.wins()
    fit = fit_bradley_terry(wins, comparisons.teams, ridge=study.ridge, anchor=elo.initial)
    ratings = rate_elo(comparisons, elo)
    table = _table(comparisons, wins, fit, ratings, study, bootstrap)
    order = [comparisons.teams.index(team) for team in table["team"]]
    people = 1 if comparisons.annotators is None else len(np.unique(comparisons.annotators))
    clusters = len(set(comparisons.identities))
    sides = side_effect(votes, question=question, identities=identities, level=bootstrap.level)
    return PairwiseRatings(
        question=comparisons.question,
        rule=study,
        comparisons=len(comparisons),
        votes=comparisons.votes,
        clusters=clusters,
        annotators=people,
        table=table,
        wins=_square(wins, comparisons.teams, order),
        games=_square(wins + wins.T, comparisons.teams, order).round().astype(int),
        bradley_terry=fit,
        elo=ratings,
        agreement=vote_agreement(votes, question=question, identities=identities, confidence=bootstrap.level),
        sides=sides,
        warnings=(
            *_warnings(table, wins, fit, study, clusters, people),
            *elo_warnings(ratings, fit, len(comparisons)),
            *sides.warnings,
            *drop_outs(votes, question),
        ),
        bootstrap=bootstrap,
    )


def deciding_question(votes: Votes, study: StudyRule) -> str:
    """The question whose points decide: the study's, or the only one that was asked."""
    return votes.questions[0] if len(votes.questions) == 1 else study.question


def _table(
    comparisons: Comparisons,
    wins: FloatArray,
    fit: BradleyTerry,
    elo: Elo,
    study: StudyRule,
    bootstrap: BootstrapRule,
) -> pd.DataFrame:
    met = np.round((wins + wins.T).sum(axis=1))
    points, games = team_points(wins, comparisons.weighting)
    played = games > 0
    share = np.divide(points, games, out=np.full_like(points, np.nan), where=played)
    level = bootstrap.level
    influences, present = comparisons.share_influences(share)
    clusters = comparisons.clusters()
    shares = Crossed.of(influences, clusters, comparisons.annotators, present)
    share_low, share_high = shares.share_interval(share, level)
    strengths = Crossed.of(
        comparisons.strength_influences(fit.strengths, fit.ridge or 0.0),
        clusters,
        comparisons.annotators,
        present,
    )
    low, high = fit.anchor + ELO_SCALE * np.array(strengths.spread().interval(fit.strengths, level))
    best, worst = rank_ranges(fit.strengths, strengths, level)
    first = np.zeros(len(points))
    first[played] = _first_shares(share, shares, played, bootstrap)
    pairs = ~np.eye(len(points), dtype=np.bool_)
    few = (pairs & (np.round(wins + wins.T) < study.few)).any(axis=1)
    ranks = 1 + (np.round(points, 9)[None, :] > np.round(points, 9)[:, None]).sum(axis=1)
    table = pd.DataFrame(
        {
            "team": comparisons.teams,
            "rank": ranks,
            "points": points,
            "points_low": share_low * games,
            "points_high": share_high * games,
            "comparisons": met.astype(int),
            "win_share": share,
            "win_share_low": share_low,
            "win_share_high": share_high,
            "won": comparisons.outcomes[:, 0],
            "drawn": comparisons.outcomes[:, 1],
            "lost": comparisons.outcomes[:, 2],
            "bradley_terry": fit.ratings,
            "bradley_terry_low": low,
            "bradley_terry_high": high,
            "estimable": [team not in fit.not_estimable for team in comparisons.teams],
            "rank_best": best,
            "rank_worst": worst,
            "first_share": first,
            "elo": np.where(played, elo.median, np.nan),
            "elo_low": np.where(played, elo.low, np.nan),
            "elo_high": np.where(played, elo.high, np.nan),
            "elo_first_share": elo.first_share,
            "elo_sequential": np.where(played, elo.sequential, np.nan),
            "few": few,
        }
    )
    return table.sort_values(["rank", "team"], ignore_index=True)


def _first_shares(
    share: FloatArray, spread: Crossed, played: BoolArray, bootstrap: BootstrapRule
) -> FloatArray:
    """How often each team with votes has the largest share of points in draws of it."""
    own = Crossed(
        by_identity=spread.by_identity[np.ix_(played, played)],
        by_annotator=spread.by_annotator[np.ix_(played, played)],
        by_cell=spread.by_cell[np.ix_(played, played)],
        identities=spread.identities[played],
        annotators=spread.annotators[played],
    )
    drawn = own.draws(share[played], np.random.default_rng(bootstrap.seed), bootstrap.resamples)
    if np.isnan(drawn).any():
        return np.full(int(played.sum()), np.nan)
    first = np.isclose(drawn, drawn.max(axis=1, keepdims=True), rtol=0, atol=1e-12)
    return np.asarray((first / first.sum(axis=1, keepdims=True)).mean(axis=0))


def rank_ranges(strengths: FloatArray, spread: Crossed, level: float) -> tuple[IntArray, IntArray]:
    """Ranks that the paired differences leave open.

    The best is 1 + the number of teams that are surely better, the worst leaves out those that are surely
    worse. Surely: a one-sided test of the difference, with both teams' errors and what they share, at
    `level`. A team without a difference can be anywhere.

    Args:
        strengths: (teams,) NaN for a team without any.
        spread: of the strengths.
        level: of each test.
    """
    teams = len(strengths)
    ahead = np.zeros((teams, teams), dtype=np.bool_)
    one, other = np.triu_indices(teams, 1)
    if len(one):
        contrasts = np.zeros((len(one), teams))
        contrasts[np.arange(len(one)), one], contrasts[np.arange(len(one)), other] = 1.0, -1.0
        gaps = strengths[one] - strengths[other]
        low, high = spread.spread(contrasts).interval(gaps, 2 * level - 1)
        ahead[one, other], ahead[other, one] = low > 0, high < 0
    return np.asarray(1 + ahead.sum(axis=0)), np.asarray(teams - ahead.sum(axis=1))


def _square(matrix: FloatArray, teams: Sequence[str], order: Sequence[int]) -> pd.DataFrame:
    names = [teams[index] for index in order]
    return pd.DataFrame(matrix[np.ix_(order, order)], index=names, columns=names)


def _lopsided(wins: FloatArray, study: StudyRule) -> str:
    """Says so where points depend on who met whom, as after an adaptive study; empty where they do not."""
    games = (wins + wins.T)[np.triu_indices(len(wins), 1)]
    met = games[games > 0]
    if study.weighting == "pair" or len(met) < 2 or met.max() < 2 * met.min() or met.max() < study.few:
        return ""
    return (
        f"Some teams met {met.max():.0f} times, others {met.min():.0f} times: points and their shares depend "
        "on who met whom. Bradley-Terry does not; `study: {weighting: pair}` in the challenge file makes "
        "every two teams count alike."
    )


def _warnings(
    table: pd.DataFrame,
    wins: FloatArray,
    fit: BradleyTerry,
    study: StudyRule,
    clusters: int,
    people: int,
) -> tuple[str, ...]:
    lines = []
    if fit.ridge is not None:
        open_ = ", ".join(fit.not_estimable)
        lines.append(
            f"Bradley-Terry has no finite solution: wins do not go both ways between all teams. The ratings "
            f"rest on a normal prior (precision {fit.ridge:g}); not estimable from the votes: {open_}."
        )
    if few := list(table.loc[table["few"], "team"]):
        lines.append(f"Too few votes: a pair with {', '.join(few)} has fewer than {study.few} comparisons.")
    if lopsided := _lopsided(wins, study):
        lines.append(lopsided)
    return (*lines, *filter(None, (caution(clusters), panel_caution(people))))
