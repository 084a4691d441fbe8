"""How long it takes from scored runs to a site on disk.

    python benchmarks/site.py [--teams 50] [--samples 1000] [--metrics 8] [--public]

Run folders with made-up scores are written first, which does not count. Five samples share an identity; the
three best teams are compared by votes on every sample.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ipvg_eval.leaderboard import Votes, build_leaderboard, read_runs, votes_from_table
from ipvg_eval.leaderboard.site import write_site

PROMPTS = 5


def write_run(folder: Path, team: str, level: float, samples: int, metrics: int, seed: int) -> Path:
    """A run folder as the scorer writes it; the odd metrics are better when lower."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    names = [f"metric_{number}" for number in range(metrics)]
    identities = [f"id{index // PROMPTS + 1:04d}" for index in range(samples)]
    table = pd.DataFrame(
        {
            "sample": [f"{who}/prompt{index % PROMPTS + 1}" for index, who in enumerate(identities)],
            "identity": identities,
            "status": "scored",
            "reason": None,
            **{name: level * (-1) ** place + rng.normal(size=samples) for place, name in enumerate(names)},
        }
    )
    counts = dict.fromkeys(("missing", "undecodable", "crashed", "damaged", "pending"), 0)
    info: dict[str, Any] = {
        "team": team,
        "submission": {"name": team, "kind": "folder"},
        "protocol": {
            "name": "bench",
            "version": 1,
            "sha256": "0" * 64,
            "official": True,
            "notice": "",
            "text": "name: bench",
        },
        "specs": [
            {**declared(name, place), "version": 1, "bounds": [None, None], "summary": "", "source": ""}
            for place, name in enumerate(names)
        ],
        "testset": {
            "name": "bench",
            "layout": "folders",
            "track": "facial",
            "samples": samples,
            "identities": len(set(identities)),
            "fingerprint": "0" * 64,
        },
        "weights": {},
        "random_weights": None,
        "decoder": "none",
        "limits": {},
        "device": {"device": "cpu", "name": "", "dtype": "float32", "threads": 1},
        "provenance": {"version": "", "commit": None, "packages": {}, "python": "", "platform": ""},
        "command": None,
        "seconds": 0.0,
        "started": "2026-01-01T00:00:00+00:00",
        "finished": "2026-01-01T01:00:00+00:00",
        "counts": {"samples": samples, "scored": samples, **counts},
    }
    empty = dict.fromkeys(("low", "high", "std", "minimum", "median", "maximum"))
    means = [
        {
            **empty,
            **declared(name, place),
            "unit": "",
            "proxy": False,
            "mean": math.fsum(table[name]) / samples,
            "count": samples,
            "missing": 0,
            "flagged": 0,
        }
        for place, name in enumerate(names)
    ]
    table.to_parquet(folder / "samples.parquet")
    (folder / "run.json").write_text(json.dumps(info), "utf-8")
    summary = {
        "team": team,
        "protocol": "bench 1",
        "testset": "0" * 64,
        "notice": "",
        "counts": info["counts"],
        "metrics": means,
    }
    (folder / "summary.json").write_text(json.dumps(summary), "utf-8")
    return folder


def declared(name: str, place: int) -> dict[str, Any]:
    """What is said of a metric; every second one is better when it is lower."""
    return {"name": name, "title": name, "higher_is_better": place % 2 == 0}


def all_votes(teams: list[str], samples: int) -> Votes:
    """One vote per pair and sample."""
    rng = np.random.default_rng(0)
    rows = [
        (f"id{index // PROMPTS + 1:04d}/prompt{index % PROMPTS + 1}", one, other, str(rng.choice(["a", "b"])))
        for index in range(samples)
        for one, other in itertools.combinations(teams, 2)
    ]
    table = pd.DataFrame(rows, columns=["sample", "team_a", "team_b", "winner"])
    return votes_from_table(table, source="votes")


def main() -> None:
    """Time the steps and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--teams", type=int, default=50)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--metrics", type=int, default=8)
    parser.add_argument("--public", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        folders = [
            write_run(
                root / f"team{k:02d}", f"team {k:02d}", -0.05 * k, arguments.samples, arguments.metrics, k
            )
            for k in range(arguments.teams)
        ]
        votes = all_votes([f"team {k:02d}" for k in range(3)], arguments.samples)
        begin = time.perf_counter()
        runs = read_runs(folders)
        read = time.perf_counter()
        board = build_leaderboard(runs, votes=votes)
        built = time.perf_counter()
        page = write_site(board, root / "site", public=arguments.public)
        written = time.perf_counter()
        size = sum(path.stat().st_size for path in page.parent.rglob("*") if path.is_file())
    print(f"{arguments.teams} teams x {arguments.samples} samples x {arguments.metrics} metrics")
    print(f"read  {read - begin:8.2f} s")
    print(f"rank  {built - read:8.2f} s")
    print(f"write {written - built:8.2f} s ({size / 1e6:.1f} MB)")
    print(f"all   {written - begin:8.2f} s")


if __name__ == "__main__":
    main()
