"""How long the statistics take: a large board, and many votes.

    python benchmarks/ratings_and_boards.py

prints seconds: 50 teams x 1,000 samples x 20 metrics with 2,000 resamples (under 20), 100,000 votes rated
and held against 20 metrics (under 10 each), on two cores.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from ipvg_eval.core.run import RunInfo
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.leaderboard import build_leaderboard, parse_challenge, rate, votes_from_table
from ipvg_eval.leaderboard.metric_agreement import metric_agreement
from ipvg_eval.leaderboard.runs import ScoredRun
from ipvg_eval.leaderboard.votes import Votes

_GOLDEN = Path(__file__).parents[1] / "tests" / "golden" / "runs" / "careful" / "run.json"
_IDENTITIES, _PROMPTS, _METRICS = 200, 5, 20


def runs(teams: int, rng: np.random.Generator) -> list[ScoredRun]:
    """Runs of random numbers."""
    info = RunInfo.model_validate_json(_GOLDEN.read_bytes())
    specs = tuple(
        MetricSpec(
            name=f"metric_{number}",
            version=1,
            higher_is_better=number % 2 == 0,
            bounds=(None, None),
            title=f"Metric {number}",
            summary="",
            source="",
        )
        for number in range(_METRICS)
    )
    samples = [f"id{i:03d}/{j}" for i in range(_IDENTITIES) for j in range(_PROMPTS)]
    protocol = info.protocol.model_copy(update={"official": True, "combined": (), "corpus": ()})
    found = []
    for number in range(teams):
        about = {"team": f"team {number:02d}", "specs": specs, "protocol": protocol}
        table = pd.DataFrame(
            {"sample": samples, "identity": [name[:5] for name in samples], "status": "scored", "reason": ""}
        )
        values = rng.standard_normal((len(samples), _METRICS)) + 0.02 * number
        table = pd.concat([table, pd.DataFrame(values, columns=[spec.name for spec in specs])], axis=1)
        path = Path(f"team{number:02d}")
        found.append(ScoredRun(path=path, info=info.model_copy(update=about), means={}, samples=table))
    return found


def votes(count: int, teams: int, rng: np.random.Generator) -> Votes:
    """Votes of 100 annotators on all pairs in turn."""
    names = [f"team {number:02d}" for number in range(teams)]
    pairs = np.array(list(itertools.combinations(names, 2)))
    turn = np.arange(count)
    place = turn // len(pairs)
    chosen = pairs[turn % len(pairs)]
    flip = rng.random(count) < 0.5
    table = pd.DataFrame(
        {
            "sample": [f"id{p % 1000 // _PROMPTS:03d}/{p % _PROMPTS}" for p in place],
            "team_a": np.where(flip, chosen[:, 0], chosen[:, 1]),
            "team_b": np.where(flip, chosen[:, 1], chosen[:, 0]),
            "winner": rng.choice(["a", "b", "draw"], count, p=[0.47, 0.43, 0.1]),
            "annotator": [f"p{(p // 1000 * 13 + p) % 100:03d}" for p in place],
        }
    )
    return votes_from_table(table, source="simulated")


def main() -> None:
    """Measure and print."""
    rng = np.random.default_rng(0)
    field = runs(50, rng)
    challenge = parse_challenge("bootstrap: {resamples: 2000}")
    _timed(
        "board of 50 teams, 1,000 samples, 20 metrics, 2,000 resamples",
        lambda: build_leaderboard(field, challenge),
    )
    for teams in (3, 6):
        given = votes(100_000, teams, rng)
        identities = {name: name[:5] for name in given.table["sample"]}
        _timed(f"100,000 votes on {teams} teams rated", partial(rate, given, identities=identities))
    _timed("100,000 votes held against 20 metrics", lambda: metric_agreement(field[:6], given))


def _timed(what: str, job: Callable[[], object]) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    job()
    print(f"{what}: {time.perf_counter() - wall:.1f} s, {time.process_time() - cpu:.1f} s of processors")


if __name__ == "__main__":
    main()
