"""A site of the published table, and one of teams with hostile names, each written once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ipvg_eval.leaderboard import (
    Leaderboard,
    build_leaderboard,
    parse_challenge,
    read_runs,
    read_votes,
    votes_from_table,
)
from ipvg_eval.leaderboard.site import write_site

HOSTILE = '"><script>window.hacked = 1</script><img src=x onerror="window.hacked = 1">'
TRAVERSAL = "../../../etc/{{7*7}} $x_1 \\input{secret} %|</script><!--"
FORMULA = '=HYPERLINK("http://example.org","x")'
RULES = """
title: Challenge of tests
dates: {Results: 2026-06-10}
tracks: [{name: facial, title: Facial identity}, {name: sequential, title: Timeline}]
metrics: [{name: face_cur}, {name: face_arc}, {name: fid}, {name: clip}]
bootstrap: {resamples: 50}
elo: {permutations: 20}
"""


class Pictures:
    """Pictures that lie in the run folders, one per sample and identity."""

    def thumbnail(self, run: Path, sample: str) -> Path:
        return run / "thumbnails" / f"{quote(sample, safe='')}.webp"

    def reference(self, run: Path, identity: str) -> Path:
        return run / "references" / f"{quote(identity, safe='')}.webp"


def spread(means: Sequence[float], samples: int, step: float = 0.1) -> dict[str, list[float | None]]:
    """Values around given means, a tenth up and down in turn, so that the mean is the given one."""
    sign = np.where(np.arange(samples) % 2, 1.0, -1.0)
    names = ("face_cur", "face_arc", "fid", "clip")
    return {name: list(mean * (1 + step * sign)) for name, mean in zip(names, means, strict=True)}


def draw_pictures(run: Path, samples: int) -> None:
    picture = Image.fromarray(np.arange(32 * 60 * 3, dtype=np.uint8).reshape(32, 60, 3))
    for folder, names in (
        ("thumbnails", [f"id{i // 5 + 1:03d}/prompt{i % 5 + 1}" for i in range(samples)]),
        ("references", [f"id{i + 1:03d}" for i in range(-(-samples // 5))]),
    ):
        (run / folder).mkdir()
        for name in names:
            picture.save(run / folder / f"{quote(name, safe='')}.webp")


@pytest.fixture(scope="session")
def published_board(
    tmp_path_factory: pytest.TempPathFactory,
    write_run: Callable[..., Path],
    published_values: pd.DataFrame,
    published_lines: list[str],
) -> Leaderboard:
    """The three teams of 2025 with their votes, an earlier run, a baseline, and a team that lacks a score."""
    root = tmp_path_factory.mktemp("published")
    runs = [
        write_run(root / team, team, spread(row.tolist(), 1000)) for team, row in published_values.iterrows()
    ]
    runs.append(write_run(root / "baseline", "ConsisID", spread((0.40, 0.39, 190.0, 27.0), 1000)))
    lacking = spread((0.2, 0.2, 260.0, 26.0), 1000)
    lacking["face_arc"][:400] = [None] * 400
    runs.append(write_run(root / "lacking", "lacking", lacking))

    def earlier(info: dict[str, Any]) -> None:
        info["finished"] = "2026-05-01T09:00:00+00:00"

    first = write_run(root / "ghl-first", "ghl", spread((0.1, 0.1, 300.0, 20.0), 1000), change=earlier)
    (root / "votes.csv").write_text("\n".join(published_lines) + "\n", "utf-8")
    rules = parse_challenge(RULES + "baselines: [ConsisID]\n")
    return build_leaderboard(read_runs([*runs, first]), rules, votes=read_votes(root / "votes.csv"))


@pytest.fixture(scope="session")
def published_site(published_board: Leaderboard, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_site(published_board, tmp_path_factory.mktemp("sites") / "published").parent


@pytest.fixture(scope="session")
def hostile_board(tmp_path_factory: pytest.TempPathFactory, write_run: Callable[..., Path]) -> Leaderboard:
    """Two tracks, small, unofficial, with pictures; teams, track title and question are hostile."""
    root = tmp_path_factory.mktemp("hostile")

    def on_track(track: str) -> Callable[[dict[str, Any]], None]:
        def change(info: dict[str, Any]) -> None:
            info["testset"]["track"] = track
            info["protocol"] |= {"official": False, "notice": f"Only proxies {HOSTILE}"}
            info["specs"][0]["title"] = HOSTILE

        return change

    runs = []
    for track, samples in (("facial", 20), ("sequential", 10)):
        for place, team in enumerate((HOSTILE, TRAVERSAL, FORMULA)):
            means = (0.5 - 0.1 * place, 0.5 - 0.1 * place, 170.0 + 10 * place, 28.0)
            folder = root / f"{track}-{place}"
            runs.append(write_run(folder, team, spread(means, samples), change=on_track(track)))
            draw_pictures(folder, samples)
    rows = [
        {"sample": f"id{i // 5 + 1:03d}/prompt{i % 5 + 1}", "team_a": one, "team_b": other, "winner": winner}
        for i in range(20)
        for one, other, winner in (
            (HOSTILE, TRAVERSAL, "ab"[i % 3 == 0]),
            (TRAVERSAL, FORMULA, "ab"[i % 4 == 0]),
            (HOSTILE, FORMULA, "ab"[i % 5 == 0]),
        )
    ]
    table = pd.DataFrame(rows).assign(question=HOSTILE, annotator="secret-annotator")
    rules = parse_challenge(RULES.replace("Timeline", "'<b>Timeline</b>'"))
    votes: Mapping[str, Any] = {"facial": votes_from_table(table, source=str(root / "votes.csv"))}
    return build_leaderboard(read_runs(runs), rules, votes=votes, unofficial=True)


@pytest.fixture(scope="session")
def hostile_site(hostile_board: Leaderboard, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sites") / "hostile"
    return write_site(hostile_board, folder, media=Pictures()).parent


@pytest.fixture(scope="session")
def public_site(hostile_board: Leaderboard, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sites") / "public"
    return write_site(hostile_board, folder, public=True, media=Pictures()).parent


@pytest.fixture(scope="session")
def pictures() -> Pictures:
    return Pictures()


@pytest.fixture(scope="session")
def names() -> dict[str, str]:
    return {"hostile": HOSTILE, "traversal": TRAVERSAL, "formula": FORMULA}


@pytest.fixture
def leftovers(tmp_path: Path) -> Callable[[], list[str]]:
    """What lies in the test's folder: nothing hidden may be left behind."""
    return lambda: sorted(path.name for path in tmp_path.iterdir())
