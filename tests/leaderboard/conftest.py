"""Run folders, votes and the published tables for tests of the leaderboard."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ipvg_eval.leaderboard.metric import Metric

MakeRun = Callable[..., Path]
WriteVotes = Callable[..., Path]

# Table 1 of "Identity-Preserving Text-to-Video Generation via Training-Free Prompt, Image, and Guidance
# Enhancement" (2025): team -> Face-Cur, Face-Arc, FID, CLIPScore.
PUBLISHED = {
    "ghl": (0.492, 0.473, 170.0, 27.8),
    "XuanYuan": (0.467, 0.441, 214.0, 28.0),
    "Wislab": (0.285, 0.269, 208.0, 28.6),
}
PUBLISHED_METRICS = {"face_cur": True, "face_arc": True, "fid": False, "clip": True}

# Wins, draws and losses of the first team over 1,000 samples per pair. By hand:
# 1258 = 530 + 30/2 + 693 + 40/2, 1147.5 = 440 + 30/2 + 680 + 25/2, 594.5 = 267 + 40/2 + 295 + 25/2;
# together 3000.
PUBLISHED_VOTES = {
    ("ghl", "XuanYuan"): (530, 30, 440),
    ("ghl", "Wislab"): (693, 40, 267),
    ("XuanYuan", "Wislab"): (680, 25, 295),
}


def metric(name: str, higher: bool | None = True, weight: float = 1.0) -> Metric:
    return Metric(
        name=name, title=name, unit="", summary="", higher_is_better=higher, proxy=False, weight=weight
    )


@pytest.fixture(scope="session")
def make_metric() -> Callable[..., Metric]:
    return metric


@pytest.fixture(scope="session")
def published_metrics() -> tuple[Metric, ...]:
    return tuple(metric(name, higher) for name, higher in PUBLISHED_METRICS.items())


@pytest.fixture(scope="session")
def published_values() -> pd.DataFrame:
    return pd.DataFrame.from_dict(PUBLISHED, orient="index", columns=list(PUBLISHED_METRICS))


@pytest.fixture(scope="session")
def published_lines() -> list[str]:
    """The votes as CSV lines: 3 x 1,000 comparisons, one per pair and sample, with both sides in use."""
    lines = ["sample,team_a,team_b,winner"]
    for (first, second), (won, drawn, lost) in PUBLISHED_VOTES.items():
        outcomes = ["a"] * won + ["draw"] * drawn + ["b"] * lost
        for number, winner in enumerate(outcomes):
            # 7 and 1000 have no common divisor: every sample once, outcomes spread over the identities.
            index = number * 7 % 1000
            sample = f"id{index // 5 + 1:03d}/prompt{index % 5 + 1}"
            if number % 2:
                swapped = {"a": "b", "b": "a", "draw": "draw"}[winner]
                lines.append(f"{sample},{second},{first},{swapped}")
            else:
                lines.append(f"{sample},{first},{second},{winner}")
    return lines


@pytest.fixture
def write_votes(tmp_path: Path) -> WriteVotes:
    """Writes CSV lines and returns the file."""

    def write(lines: Sequence[str], name: str = "votes.csv") -> Path:
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n", "utf-8")
        return path

    return write


def written_run(
    folder: Path,
    team: str,
    values: Mapping[str, Sequence[float | None]],
    *,
    higher: Mapping[str, bool | None] | None = None,
    change: Callable[[dict[str, Any]], None] | None = None,
    prompts: int = 5,
) -> Path:
    """Write a run folder: metric -> one value per sample (None: missing), five samples per identity."""
    path = folder
    path.mkdir(parents=True)
    size = len(next(iter(values.values())))
    samples = pd.DataFrame(
        {
            "sample": [f"id{i // prompts + 1:03d}/prompt{i % prompts + 1}" for i in range(size)],
            "identity": [f"id{i // prompts + 1:03d}" for i in range(size)],
            "video": "x.mp4",
            "status": "scored",
            "reason": None,
            **{name: pd.Series(column, dtype="float64") for name, column in values.items()},
            "missing": None,
            "notes": None,
        }
    )
    directions = higher or {name: PUBLISHED_METRICS.get(name, True) for name in values}
    info: dict[str, Any] = {
        "format": 1,
        "team": team,
        "submission": {"name": f"{team}.zip", "kind": "zip"},
        "protocol": {
            "name": "ipvg2025",
            "version": 1,
            "sha256": "a" * 64,
            "official": True,
            "notice": "",
            "text": "name: ipvg2025",
        },
        "verdicts": dict.fromkeys(values, "reproduces the published number"),
        "specs": [
            {
                "name": name,
                "version": 1,
                "higher_is_better": directions[name],
                "bounds": [None, None],
                "title": name,
                "summary": "",
                "source": "",
                "unit": "",
                "proxy": False,
                "weights": [],
                "licence": "",
            }
            for name in values
        ],
        "testset": {
            "name": "testset",
            "layout": "folders",
            "track": "facial",
            "samples": size,
            "identities": math.ceil(size / prompts),
            "fingerprint": "f" * 64,
        },
        "weights": {"curricularface": "b" * 64},
        "random_weights": None,
        "decoder": "av 18.1",
        "limits": {},
        "provenance": {"version": "1", "commit": None, "packages": {}, "python": "3", "platform": "x"},
        "command": None,
        "device": {"device": "cuda:0", "name": "GPU", "dtype": "float32", "threads": 2},
        "started": "2026-05-17T08:00:00+00:00",
        "finished": "2026-05-17T09:00:00+00:00",
        "seconds": 3600.0,
        "counts": {
            "samples": size,
            "scored": size,
            "missing": 0,
            "undecodable": 0,
            "crashed": 0,
            "damaged": 0,
            "pending": 0,
        },
    }
    if change:
        change(info)
    summary = {
        "team": info["team"],
        "protocol": "ipvg2025 1",
        "testset": info["testset"]["fingerprint"],
        "notice": "",
        "counts": info["counts"],
        "metrics": [
            {
                **dict.fromkeys(("low", "high", "std", "minimum", "median", "maximum")),
                "name": name,
                "title": name,
                "higher_is_better": directions[name],
                "unit": "",
                "proxy": False,
                "mean": math.fsum(present) / len(present) if present else None,
                "count": len(present),
                "missing": size - len(present),
                "flagged": 0,
            }
            for name, column in values.items()
            if (present := [value for value in column if value is not None]) is not None
        ],
    }
    samples.to_parquet(path / "samples.parquet")
    (path / "run.json").write_text(json.dumps(info), "utf-8")
    (path / "summary.json").write_text(json.dumps(summary), "utf-8")
    return path


@pytest.fixture(scope="session")
def write_run() -> MakeRun:
    """Writes a run into a given folder, for tests that share one."""
    return written_run


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Writes a run into a folder of the test, named after the team or as `folder` says."""

    def make(team: str, values: Mapping[str, Sequence[float | None]], folder: str = "", **more: Any) -> Path:
        return written_run(tmp_path / (folder or team), team, values, **more)

    return make
