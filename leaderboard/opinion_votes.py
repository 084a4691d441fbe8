"""Opinion scores as votes: of two videos that one person scored, the better scored won."""

from __future__ import annotations

import itertools

import pandas as pd

from ipvg_eval.leaderboard.errors import VotesError
from ipvg_eval.leaderboard.opinions import OpinionSheet
from ipvg_eval.leaderboard.votes import Votes, votes_from_table


def votes_from_opinions(sheet: OpinionSheet) -> Votes:
    """Opinion scores as votes: the better scored of two videos wins, by annotator, sample and aspect."""
    rows = []
    keys = ["aspect", "annotator", "sample"]
    for (aspect, annotator, sample), given in sheet.table.groupby(keys, sort=False):
        scored = list(zip(given["team"], given["score"].astype(int), strict=True))
        for (one, ours), (other, theirs) in itertools.combinations(scored, 2):
            winner = "a" if ours > theirs else "b" if ours < theirs else "draw"
            rows.append((sample, one, other, winner, annotator, aspect))
    if not rows:
        raise VotesError(
            "no annotator scored two teams' videos of one sample",
            path=sheet.source,
            hint="Agreement needs scores of several teams on the same samples.",
        )
    columns = ["sample", "team_a", "team_b", "winner", "annotator", "question"]
    return votes_from_table(pd.DataFrame(rows, columns=columns), source=sheet.source)
