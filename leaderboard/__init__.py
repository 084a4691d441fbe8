"""Ranking of scored teams. Pandas in, pandas out; torch is never imported here.

`build_leaderboard(read_runs(folders), read_challenge(file), votes=read_votes(file))` gives everything a page
says; `rate(read_votes(file))` rates teams from votes alone.
"""

from leaderboard.board import Leaderboard, TrackBoard
from leaderboard.build import build_leaderboard
from leaderboard.challenge import Challenge, parse_challenge, read_challenge
from leaderboard.errors import ChallengeError, LeaderboardError, RunsError, VotesError
from leaderboard.mos import MeanOpinions, mean_opinions
from leaderboard.opinions import OpinionSheet, read_opinions
from leaderboard.ratings import PairwiseRatings, rate
from leaderboard.runs import ScoredRun, read_run, read_runs
from leaderboard.votes import Votes, read_votes, votes_from_table

__all__ = [
    "Challenge",
    "ChallengeError",
    "Leaderboard",
    "LeaderboardError",
    "MeanOpinions",
    "OpinionSheet",
    "PairwiseRatings",
    "RunsError",
    "ScoredRun",
    "TrackBoard",
    "Votes",
    "VotesError",
    "build_leaderboard",
    "mean_opinions",
    "parse_challenge",
    "rate",
    "read_challenge",
    "read_opinions",
    "read_run",
    "read_runs",
    "read_votes",
    "votes_from_table",
]
