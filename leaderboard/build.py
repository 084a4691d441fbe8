"""From scored runs and votes to a leaderboard."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TypeVar

import pandas as pd

from ipvg_eval.core.comparability import comparable_facts
from ipvg_eval.core.intervals import caution
from ipvg_eval.core.resampling import Resampling
from ipvg_eval.core.suggest import did_you_mean
from ipvg_eval.core.verdict import Verdict, in_words
from ipvg_eval.leaderboard.board import Leaderboard, TrackBoard
from ipvg_eval.leaderboard.challenge import Challenge, TrackRule
from ipvg_eval.leaderboard.decided import decide
from ipvg_eval.leaderboard.differences import paired_differences
from ipvg_eval.leaderboard.errors import ChallengeError, RunsError, VotesError
from ipvg_eval.leaderboard.final import Judgement, opinion_judgements, rank_finally, study_judgements
from ipvg_eval.leaderboard.metric import choose_metrics
from ipvg_eval.leaderboard.mos import MeanOpinions, mean_opinions
from ipvg_eval.leaderboard.opinions import OpinionSheet
from ipvg_eval.leaderboard.phase1 import Phase1, rank_scores
from ipvg_eval.leaderboard.rank_breakdown import rank_breakdown
from ipvg_eval.leaderboard.ratings import PairwiseRatings, deciding_question, rate
from ipvg_eval.leaderboard.runs import ScoredRun, require_official, unofficial_reasons
from ipvg_eval.leaderboard.scores import score_teams
from ipvg_eval.leaderboard.submissions import Submissions, check_comparable, choose_submissions
from ipvg_eval.leaderboard.votes import Votes

_Given = TypeVar("_Given", Votes, OpinionSheet)


def build_leaderboard(
    runs: Sequence[ScoredRun],
    challenge: Challenge | None = None,
    *,
    votes: Votes | Mapping[str, Votes] | None = None,
    opinions: OpinionSheet | Mapping[str, OpinionSheet] | None = None,
    unofficial: bool = False,
) -> Leaderboard:
    """Rank teams on every track.

    Args:
        runs: see `read_runs`; several per team and track are allowed.
        challenge: the rules; the published ones of 2025 where None.
        votes: of the user study, by track if there is more than one.
        opinions: opinion scores, by track if there is more than one.
        unofficial: let in runs by unofficial protocols and with random weights; the board then says so.

    Raises:
        RunsError: runs that do not compare, or that are unofficial.
        ChallengeError: rules that do not fit the runs.
        VotesError: votes or scores of unknown teams or samples, or of an unknown track.
    """
    challenge = challenge or Challenge()
    if not runs:
        raise RunsError("no run is given", hint="Give the folders that `ipvg-eval score` wrote.")
    rules = _track_rules(runs, challenge)
    _check_baselines(runs, challenge)
    names = [rule.name for rule in rules]
    votes_of = _by_track(votes, names, "votes")
    opinions_of = _by_track(opinions, names, "opinion scores")
    boards = [
        _track_board(
            [run for run in runs if run.track == rule.name],
            rule,
            challenge,
            votes=votes_of.get(rule.name),
            sheet=opinions_of.get(rule.name),
            unofficial=unofficial,
        )
        for rule in rules
    ]
    listed_only = [track.name for track in challenge.tracks if track.name not in names]
    notices = [f"Track {name!r} has no run yet." for name in listed_only]
    if any(unofficial_reasons(board.submissions.counting) for board in boards):
        notices.insert(0, "Trial page: unofficial protocols or random weights. These numbers rank nobody.")
    return Leaderboard(
        challenge=challenge, tracks=tuple(boards), unofficial=unofficial, notices=tuple(notices)
    )


def _track_rules(runs: Sequence[ScoredRun], challenge: Challenge) -> list[TrackRule]:
    present = {run.track for run in runs}
    order = [track.name for track in challenge.tracks]
    rules = {name: challenge.track(name) for name in sorted(present)}
    return sorted(rules.values(), key=lambda rule: (order.index(rule.name) if order else 0, rule.name))


def _check_baselines(runs: Sequence[ScoredRun], challenge: Challenge) -> None:
    teams = {run.team for run in runs}
    for name in challenge.baselines:
        if name not in teams:
            raise ChallengeError(f"there is no run of baseline {name!r}", hint=did_you_mean(name, teams))


def _by_track(
    given: _Given | Mapping[str, _Given] | None, tracks: Sequence[str], what: str
) -> dict[str, _Given]:
    if given is None:
        return {}
    if isinstance(given, Mapping):
        for name in given:
            if name not in tracks:
                raise VotesError(
                    f"there are {what} for track {name!r}, but no run", hint=did_you_mean(name, tracks)
                )
        return dict(given)
    if len(tracks) > 1:
        raise VotesError(
            f"the runs are on {len(tracks)} tracks, but the {what} do not say on which",
            hint="Give one file per track: " + ", ".join(tracks) + ".",
        )
    return {tracks[0]: given}


def _track_board(
    runs: Sequence[ScoredRun],
    rule: TrackRule,
    challenge: Challenge,
    *,
    votes: Votes | None,
    sheet: OpinionSheet | None,
    unofficial: bool,
) -> TrackBoard:
    submissions = choose_submissions(runs, challenge.counting)
    counting = submissions.counting
    if not unofficial:
        require_official(counting)
    check_comparable(counting)
    for given in (votes, sheet):
        if given is not None:
            given.check(teams=submissions.teams, samples=submissions.identities.keys())
    baselines = tuple(team for team in submissions.teams if team in challenge.baselines)
    if len(baselines) == len(submissions.teams):
        raise ChallengeError(f"track {rule.name!r} has no team besides the baselines")
    info = counting[0].info
    metrics = choose_metrics(info.metrics, rule.metrics or (), derived=info.derived)
    resampling = Resampling.of(submissions.identities.values(), challenge.bootstrap)
    scores = score_teams(counting, metrics, resampling, coverage=challenge.coverage)
    phase1 = rank_scores(
        scores,
        ranking=challenge.ranking,
        tie_rule=challenge.tie_rule,
        finalists=rule.finalists or challenge.finalists,
        baselines=baselines,
    )
    ratings = _ratings(votes, submissions, phase1, challenge) if votes else {}
    means = (
        mean_opinions(sheet, identities=submissions.identities, bootstrap=challenge.bootstrap)
        if sheet
        else None
    )
    final = rank_finally(phase1, _judgements(phase1, ratings, means, challenge), challenge.final)
    ranked_by = [metric.name for metric in scores.ranked]
    return TrackBoard(
        rule=rule,
        submissions=submissions,
        baselines=baselines,
        scores=scores,
        differences=paired_differences(scores, _pairs(phase1), ranked_by),
        phase1=phase1,
        ratings=ratings,
        opinions=means,
        final=final,
        decided=decide(scores, phase1, final, next(iter(ratings.values()), None)),
        worked={team: rank_breakdown(phase1, final, team) for team in phase1.table["team"]},
        samples=pd.concat([_samples(run) for run in counting], ignore_index=True),
        facts={
            **comparable_facts(info),
            "test set": f"{info.testset.name} ({info.testset.fingerprint[:12]})",
        },
        audits={run.team: run.audit for run in counting if run.audit is not None},
        sources={given.source: given.sha256 for given in (votes, sheet) if given is not None},
        notices=_notices(counting, phase1, votes, sheet, len(resampling.identities)),
    )


def _ratings(
    votes: Votes, submissions: Submissions, phase1: Phase1, challenge: Challenge
) -> dict[str, PairwiseRatings]:
    """Every question's ratings, the deciding one first; finalists are listed even before their first vote."""
    deciding = deciding_question(votes, challenge.study)
    if deciding not in votes.questions:
        raise VotesError(
            f"there is no vote on question {deciding!r}, which decides",
            path=votes.source,
            hint="Name the deciding one under study.question: " + ", ".join(votes.questions) + ".",
        )
    questions = [deciding, *(question for question in votes.questions if question != deciding)]
    return {
        question: rate(
            votes,
            question=question,
            identities=submissions.identities,
            teams=phase1.goes_on,
            study=challenge.study,
            elo=challenge.elo,
            bootstrap=challenge.bootstrap,
        )
        for question in questions
    }


def _judgements(
    phase1: Phase1,
    ratings: Mapping[str, PairwiseRatings],
    means: MeanOpinions | None,
    challenge: Challenge,
) -> dict[str, Judgement]:
    if challenge.final.subjective == "mos":
        return opinion_judgements(means.overall, phase1.goes_on, means.scale) if means else {}
    return study_judgements(next(iter(ratings.values())), phase1.goes_on) if ratings else {}


def _pairs(phase1: Phase1) -> list[tuple[str, str]]:
    teams = list(phase1.table["team"])
    neighbours = list(itertools.pairwise(teams))
    return list(dict.fromkeys([*neighbours, *itertools.combinations(phase1.goes_on, 2)]))


def _samples(run: ScoredRun) -> pd.DataFrame:
    table = run.samples.copy()
    table.insert(0, "team", run.team)
    return table


def _notices(
    counting: Sequence[ScoredRun],
    phase1: Phase1,
    votes: Votes | None,
    sheet: OpinionSheet | None,
    identities: int,
) -> tuple[str, ...]:
    notices = [run.info.protocol.notice for run in counting if run.info.protocol.notice]
    notices += [f"Unofficial: {reason}." for reason in unofficial_reasons(counting)]
    for given, what in ((votes, "votes"), (sheet, "opinion scores")):
        outside = [team for team in given.teams if team not in phase1.goes_on] if given else []
        if outside:
            notices.append(
                f"There are {what} on teams that are not finalists ({', '.join(outside)}); "
                "they do not count towards the final rank."
            )
    notices += [notice for run in counting if (notice := _unchecked(run))]
    notices += filter(None, [caution(identities)])
    return tuple(dict.fromkeys(notices))


def _unchecked(run: ScoredRun) -> str | None:
    """What to say of numbers of an official protocol that `ipvg-eval doctor` did not confirm."""
    if not run.info.protocol.official:
        return None
    known = run.info.verdicts
    open_ones = {
        spec.name: known.get(spec.name, Verdict.UNCHECKED)
        for spec in run.info.specs
        if known.get(spec.name) is not Verdict.REPRODUCES
    }
    return f"Numbers of {run.team}: {in_words(open_ones)}." if open_ones else None
