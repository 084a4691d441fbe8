"""Pairwise ratings of a user study: points, Bradley-Terry, Elo, intervals and rank ranges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ipvg_eval.core.resampling import BootstrapRule, FloatArray, IntArray, Resampling, percentile_interval
from ipvg_eval.core.suggest import did_you_mean
from ipvg_eval.leaderboard.agreement import Agreement, vote_agreement
from ipvg_eval.leaderboard.bradley_terry import (
    ELO_SCALE,
    BradleyTerry,
    fit_bradley_terry,
    fit_strengths,
    strongly_connected,
)
from ipvg_eval.leaderboard.challenge import EloRule, StudyRule
from ipvg_eval.leaderboard.comparisons import Comparisons
from ipvg_eval.leaderboard.elo import Elo, rate_elo
from ipvg_eval.leaderboard.errors import VotesError
from ipvg_eval.leaderboard.votes import Votes

_FEW_CLUSTERS = 10


@dataclass(frozen=True, kw_only=True, eq=False)
class PairwiseRatings:
    """What the votes on one question say.

    Attributes:
        question: what was asked.
        rule: how votes are counted.
        comparisons: how many there are; the points of all teams add up to it.
        votes: how many votes those have.
        clusters: how many identities (or samples) the intervals resample.
        table: one row per team, most points first: team, rank (competition rank by points), points,
            points_low, points_high, comparisons, win_share (points / comparisons), win_share_low,
            win_share_high, won, drawn, lost (votes), bradley_terry, bradley_terry_low, bradley_terry_high
            (Elo scale), estimable, rank_best, rank_worst, elo (median over orders), elo_low, elo_high,
            elo_first_share, elo_sequential, few (some pair has too few comparisons). NaN for a team without
            votes, and for intervals over fewer than two identities.
        wins: points of the row's team against the column's, in the table's order.
        games: comparisons of each pair, in the table's order.
        bradley_terry: the fit.
        elo: the ratings over orders.
        agreement: of annotators who voted on the same pair and sample.
        ridge_resamples: how many resamples had no finite Bradley-Terry maximum; the prior was used for them.
        warnings: what a reader must know about these numbers.
        bootstrap: settings of the intervals.
    """

    question: str
    rule: StudyRule
    comparisons: int
    votes: int
    clusters: int
    table: pd.DataFrame
    wins: pd.DataFrame
    games: pd.DataFrame
    bradley_terry: BradleyTerry
    elo: Elo
    agreement: Agreement
    ridge_resamples: int
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
    resampling = Resampling.of(comparisons.identities, bootstrap)
    wins = comparisons.wins()
    fit = fit_bradley_terry(wins, comparisons.teams, ridge=study.ridge, anchor=elo.initial)
    ratings = rate_elo(comparisons, elo)
    drawn = comparisons.resampled_wins(resampling)
    if len(resampling.identities) < 2:
        drawn = drawn[:0]  # nothing varies, which is no interval of width 0
    table = _table(comparisons, wins, fit, ratings, drawn, study, bootstrap.level)
    order = [comparisons.teams.index(team) for team in table["team"]]
    agreement = vote_agreement(votes, question=question, identities=identities, resampling=resampling)
    ridged = int((~strongly_connected(drawn)).sum())
    return PairwiseRatings(
        question=comparisons.question,
        rule=study,
        comparisons=len(comparisons),
        votes=comparisons.votes,
        clusters=len(resampling.identities),
        table=table,
        wins=_square(wins, comparisons.teams, order),
        games=_square(wins + wins.T, comparisons.teams, order).round().astype(int),
        bradley_terry=fit,
        elo=ratings,
        agreement=agreement,
        ridge_resamples=ridged,
        warnings=_warnings(table, fit, study, len(resampling.identities), ridged, bootstrap),
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
    drawn: FloatArray,
    study: StudyRule,
    level: float,
) -> pd.DataFrame:
    games = np.round((wins + wins.T).sum(axis=1))
    points = wins.sum(axis=1)
    played = games > 0
    share = np.divide(points, games, out=np.full_like(points, np.nan), where=played)
    share_low, share_high = percentile_interval(_shares(drawn), level)
    strengths = fit_strengths(drawn, ridge=study.ridge)
    low, high = percentile_interval(fit.anchor + ELO_SCALE * strengths, level)
    low, high = np.where(played, low, np.nan), np.where(played, high, np.nan)
    best, worst = rank_ranges(low, high)
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
            "comparisons": games.astype(int),
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
            "elo": np.where(played, elo.median, np.nan),
            "elo_low": np.where(played, elo.low, np.nan),
            "elo_high": np.where(played, elo.high, np.nan),
            "elo_first_share": elo.first_share,
            "elo_sequential": np.where(played, elo.sequential, np.nan),
            "few": few,
        }
    )
    return table.sort_values(["rank", "team"], ignore_index=True)


def _shares(drawn: FloatArray) -> FloatArray:
    """(resamples, teams) points per comparison; a resample has more or fewer comparisons than the study."""
    points, games = drawn.sum(axis=2), (drawn + drawn.swapaxes(1, 2)).sum(axis=2)
    return np.asarray(np.divide(points, games, out=np.full_like(points, np.nan), where=games > 0))


def rank_ranges(low: FloatArray, high: FloatArray) -> tuple[IntArray, IntArray]:
    """Ranks that intervals leave open.

    The best is 1 + the number of teams whose lower end is above this team's upper end; the worst counts every
    team but those whose upper end is below this team's lower end. A team without an interval can be anywhere.

    Args:
        low: (teams,) lower ends, NaN for a team without one.
        high: (teams,) upper ends.
    """
    above = low[None, :] > high[:, None]
    below = high[None, :] < low[:, None]
    return np.asarray(1 + above.sum(axis=1)), np.asarray(len(low) - below.sum(axis=1))


def _square(matrix: FloatArray, teams: Sequence[str], order: Sequence[int]) -> pd.DataFrame:
    names = [teams[index] for index in order]
    return pd.DataFrame(matrix[np.ix_(order, order)], index=names, columns=names)


def _warnings(
    table: pd.DataFrame,
    fit: BradleyTerry,
    study: StudyRule,
    clusters: int,
    ridged: int,
    bootstrap: BootstrapRule,
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
    if clusters < _FEW_CLUSTERS:
        lines.append(f"Too few votes: intervals over {clusters} identities are not to be relied on.")
    if ridged and fit.ridge is None:
        lines.append(
            f"{ridged} of {bootstrap.resamples} resamples had no finite Bradley-Terry solution; "
            f"a normal prior (precision {study.ridge:g}) was used for them."
        )
    return tuple(lines)
