"""Ranking of scored teams. Pandas in, pandas out; torch is never imported here.

`build_leaderboard(read_runs(folders), read_challenge(file), votes=read_votes(file))` gives everything a page
says; `rate(read_votes(file))` rates teams from votes alone.
"""

from ipvg_eval.leaderboard.board import Leaderboard, TrackBoard
from ipvg_eval.leaderboard.build import build_leaderboard
from ipvg_eval.leaderboard.challenge import Challenge, parse_challenge, read_challenge
from ipvg_eval.leaderboard.errors import ChallengeError, LeaderboardError, RunsError, VotesError
from ipvg_eval.leaderboard.mos import MeanOpinions, mean_opinions
from ipvg_eval.leaderboard.opinions import OpinionSheet, read_opinions
from ipvg_eval.leaderboard.ratings import PairwiseRatings, rate
from ipvg_eval.leaderboard.runs import ScoredRun, read_run, read_runs
from ipvg_eval.leaderboard.votes import Votes, read_votes, votes_from_table

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
