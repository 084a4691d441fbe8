"""How long a user study takes to rate, against a plain loop over evalica.

    python benchmarks/ratings.py [--teams 3] [--identities 200] [--resamples 1000] [--permutations 200]

Every pair of teams is compared on five prompts of every identity. The loop resamples the same identities
with the same draws and rates the same orders, so that both do the same work; the largest difference between
the two is printed beside the times.
"""

from __future__ import annotations

import argparse
import itertools
import time

import evalica
import numpy as np
import pandas as pd

from ipvg_eval.core.resampling import BootstrapRule, Resampling
from ipvg_eval.leaderboard import Votes, rate, votes_from_table
from ipvg_eval.leaderboard.bradley_terry import ELO_SCALE
from ipvg_eval.leaderboard.challenge import EloRule

PROMPTS = 5


def synthetic_votes(teams: int, identities: int) -> Votes:
    """One vote per pair and sample; strengths are spread evenly and one vote in twelve is a draw."""
    rng = np.random.default_rng(0)
    strengths = np.linspace(0, 1, teams)
    rows = []
    for identity, prompt in itertools.product(range(identities), range(PROMPTS)):
        for one, other in itertools.combinations(range(teams), 2):
            first = rng.random() < 1 / (1 + np.exp(strengths[other] - strengths[one]))
            winner = "draw" if rng.random() < 1 / 12 else "a" if first else "b"
            rows.append(
                (f"id{identity:03d}/prompt{prompt + 1}", f"team {one:02d}", f"team {other:02d}", winner)
            )
    order = rng.permutation(len(rows))
    table = pd.DataFrame(rows, columns=["sample", "team_a", "team_b", "winner"]).iloc[order]
    return votes_from_table(table.reset_index(drop=True), source="synthetic")


def evalica_loop(
    votes: Votes, identities: dict[str, str], elo: EloRule, bootstrap: BootstrapRule
) -> tuple[pd.Series, pd.DataFrame]:
    """Median Elo ratings and resampled Bradley-Terry ratings, one evalica call at a time."""
    table = votes.table
    coded = {"a": evalica.Winner.X, "b": evalica.Winner.Y, "draw": evalica.Winner.Draw}
    winners = table["winner"].map(coded)
    rng = np.random.default_rng(elo.seed)
    ratings = []
    for _ in range(elo.permutations):
        order = rng.permutation(len(table))
        shuffled = table.iloc[order]
        scores = evalica.elo(shuffled["team_a"], shuffled["team_b"], winners.iloc[order], k=elo.k).scores
        ratings.append(scores)
    resampling = Resampling.of(identities.values(), bootstrap)
    columns = resampling.columns([identities[sample] for sample in table["sample"]])
    rows = [np.flatnonzero(columns == column) for column in range(len(resampling.identities))]
    resampled = []
    for draw in resampling.draws:
        drawn = np.concatenate(
            [np.tile(rows[column], int(times)) for column, times in enumerate(draw) if times]
        )
        subset = table.iloc[drawn]
        result = evalica.bradley_terry(
            subset["team_a"], subset["team_b"], winners.iloc[drawn], tolerance=1e-10, limit=1000
        )
        strengths = np.log(result.scores)
        resampled.append(elo.initial + ELO_SCALE * (strengths - strengths.mean()))
    return pd.DataFrame(ratings).median(), pd.DataFrame(resampled)


def main() -> None:
    """Time both and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--teams", type=int, default=3)
    parser.add_argument("--identities", type=int, default=200)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--permutations", type=int, default=200)
    arguments = parser.parse_args()
    votes = synthetic_votes(arguments.teams, arguments.identities)
    identities = {sample: sample.partition("/")[0] for sample in votes.table["sample"]}
    elo = EloRule(permutations=arguments.permutations)
    bootstrap = BootstrapRule(resamples=arguments.resamples)
    begin = time.perf_counter()
    ratings = rate(votes, identities=identities, elo=elo, bootstrap=bootstrap)
    ours = time.perf_counter() - begin
    begin = time.perf_counter()
    median, resampled = evalica_loop(votes, identities, elo, bootstrap)
    loop = time.perf_counter() - begin
    table = ratings.table.set_index("team")
    low = resampled.quantile((1 - bootstrap.level) / 2)
    print(f"{len(votes)} votes, {arguments.teams} teams, {arguments.identities} identities,")
    print(f"{arguments.resamples} resamples, {arguments.permutations} orders")
    print(f"ipvg_eval.leaderboard.rate   {ours:8.2f} s (points, agreement and rank ranges included)")
    print(f"loop over evalica  {loop:8.2f} s")
    print(f"ratio              {loop / ours:8.1f}")
    print(f"largest difference {(table['elo'] - median).abs().max():.1e} (median Elo)")
    print(
        f"largest difference {(table['bradley_terry_low'] - low).abs().max():.1e} (lower Bradley-Terry end)"
    )


if __name__ == "__main__":
    main()
