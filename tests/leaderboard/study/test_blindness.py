"""Everything a browser receives but the pictures, given to a classifier: it learns neither teams nor checks.

The classifier is a decision stump, chosen and scored leaving one step out. What it may use: headers, sizes,
every box of the file outside the compressed pictures, names, numbers, the order, and the time an answer took.
"""

from __future__ import annotations

import contextlib
import os
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import pytest
from scipy.stats import binom

from ipvg_eval.leaderboard.study import StudyTeam, create_study, new_annotators, open_study, read_study_config
from ipvg_eval.study_source import study_source

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures"
# Half the steps are checks here, so that there is something to learn.
CHECKS = {"corrupted_per_hundred": 100, "repeats_per_hundred": 0, "max_share": 0.5}
REPEATS = {"corrupted_per_hundred": 0, "repeats_per_hundred": 100, "max_share": 0.5}
CHANCE = 1e-4
CONTAINERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"udta")


def boxes(content: bytes, path: str = "") -> dict[str, float]:
    """Size, place and check sum of every box; of the pictures themselves only the size and place."""
    found: dict[str, float] = {}
    at = 0
    while at < len(content):
        size, kind = struct.unpack(">I4s", content[at : at + 8])
        name = f"{path}/{kind.decode('latin-1')}"
        found[f"{name} size"], found[f"{name} at"] = size, at
        if kind in CONTAINERS:
            found |= boxes(content[at + 8 : at + size], name)
        elif kind != b"mdat":
            payload = content[at + 8 : at + size]
            found[f"{name} sum"] = zlib.crc32(payload)
            for n in range(0, min(len(payload), 256) - 3, 4):
                found[f"{name} {n}"] = struct.unpack(">I", payload[n : n + 4])[0]
        at += size
    return found


def received(client: httpx.Client, base: str, media: str) -> dict[str, float]:
    """What one clip's answer says, without its pictures."""
    begun = time.perf_counter()
    answer = client.get(f"{base}/media/{media}")
    seconds = time.perf_counter() - begun
    part = client.get(f"{base}/media/{media}", headers={"range": "bytes=0-99"})
    facts: dict[str, float] = {"seconds": seconds, "length": len(answer.content)}
    facts |= {f"name {n}": int(digit, 16) for n, digit in enumerate(media)}
    for given in (answer, part):
        for name, value in given.headers.items():
            facts[f"{given.status_code} {name}"] = zlib.crc32(value.encode())
    return facts | boxes(answer.content)


def walk(client: httpx.Client, base: str) -> list[dict]:
    """Every step of a sheet as the page gets it, with the facts of its two clips, or of its one."""
    steps = []
    state = client.get(f"{base}/state").json()
    while not state["done"]:
        shown = [side for side in ("left", "right") if state[side]]
        sides = {side: received(client, base, state[side]) for side in shown}
        facts = {"item": state["item"], "position": state["position"], "keys": len(state)}
        for side in shown:
            body = {"item": state["item"], "side": side}
            answer = client.post(f"{base}/watched", json=body)
            while answer.status_code == 409:
                time.sleep(0.05)
                answer = client.post(f"{base}/watched", json=body)
        steps.append({"id": state["item"], "facts": facts, **sides})
        answer = "draw" if state["right"] else "3"
        body = {"item": state["item"], "question": state["question"]["name"], "answer": answer}
        state = client.post(f"{base}/vote", json=body).raise_for_status().json()
    return steps


def learnt(rows: list[dict[str, float]], labels: list[bool]) -> float:
    """Probability that guessing finds as many labels as a stump that never saw the step it is asked of."""
    names = sorted({name for row in rows for name in row})
    values = np.array([[row.get(name, -1.0) for name in names] for row in rows])
    truth = np.array(labels)
    right = 0
    for out in range(len(truth)):
        kept = np.arange(len(truth)) != out
        right += _stump(values[kept], truth[kept], values[out]) == truth[out]
    most_common = max(truth.mean(), 1 - truth.mean())
    return float(binom.sf(right - 1, len(truth), most_common))


def _stump(values: np.ndarray, truth: np.ndarray, asked: np.ndarray) -> bool:
    """The guess of the single threshold on a single value that separates best."""
    best, guess = -1, bool(truth.mean() > 0.5)
    for column, value in zip(values.T, asked, strict=True):
        cuts = np.unique(column)
        for cut in (cuts[1:] + cuts[:-1]) / 2:
            above = column > cut
            right = int((above == truth).sum())
            for score, meaning in ((right, True), (len(truth) - right, False)):
                if score > best:
                    best, guess = score, bool((value > cut) == meaning)
    return guess


def difference(step: dict) -> dict[str, float]:
    """What speaks of left against right."""
    names = sorted({*step["left"], *step["right"]})
    return {name: step["left"].get(name, -1) - step["right"].get(name, -1) for name in names}


def which_side(steps: list[dict], left: list[bool]) -> float:
    """As `learnt`, of what stands left; steps are turned round so that half the labels are true."""
    rows, labels = [], []
    for n, (step, truth) in enumerate(zip(steps, left, strict=True)):
        sign = 1 if truth == bool(n % 2) else -1
        rows.append({name: sign * value for name, value in difference(step).items()})
        labels.append(bool(n % 2))
    return learnt(rows, labels)


def together(step: dict) -> dict[str, float]:
    """What speaks of the step as a whole."""
    sides = {f"{side} {name}": value for side in ("left", "right") for name, value in step[side].items()}
    apart = {f"apart {name}": abs(value) for name, value in difference(step).items()}
    return {**step["facts"], **sides, **apart}


@pytest.fixture(scope="module")
def blind(tmp_path_factory):
    """Pairs of the fixtures, two teams and ten samples, in forty steps."""
    return made(tmp_path_factory.mktemp("blind"), annotators_per_pair=2)


@pytest.fixture(scope="module")
def repeating(tmp_path_factory):
    """The same, with every pair shown again."""
    return made(tmp_path_factory.mktemp("repeating"), REPEATS, annotators_per_pair=2)


@pytest.fixture(scope="module")
def rated(tmp_path_factory):
    """Videos of the fixtures to be rated, in 44 steps."""
    return made(tmp_path_factory.mktemp("rated"), kind="rating", questions=["quality"], training=0)


def made(folder: Path, checks: dict = CHECKS, **settings) -> Path:
    submissions = [str(FIXTURES / "submissions" / name) for name in ("careful", "careless")]
    teams, samples = study_source([], submissions, FIXTURES / "testset")
    config = read_study_config(None, annotators=2, checks=checks, **settings)
    created = create_study(teams, samples, config, folder / "study")
    with open_study(created.path).writing() as writer:
        writer.execute("UPDATE clip SET duration = 0.01")  # nobody waits here
    return created.path


def walked(path: Path, serve_study) -> tuple[list[dict], dict]:
    """The steps of both sheets as a browser gets them, and what each is."""
    study = open_study(path)
    with study.writing() as writer:
        for table in ("vote", "watched", "shown", "token", "annotator"):
            writer.execute(f"DELETE FROM {table}")
    client = serve_study(path).client()
    steps = [step for made in new_annotators(study, 2) for step in walk(client, f"/a/{made.token}")]
    with study.reading() as reader:
        truth = {
            row["id"]: row
            for row in reader.execute(
                "SELECT i.id, i.kind, l.team, l.corrupted FROM item i JOIN clip l ON l.id = i.left_clip"
            )
        }
    return steps, truth


def rating_verdicts(path: Path, serve_study) -> dict[str, float]:
    steps, truth = walked(path, serve_study)
    ratings = [step for step in steps if truth[step["id"]]["kind"] == "rating"]
    assert (len(ratings), len(steps)) == (22, 44)  # two are rated by both
    return {
        "teams": learnt([alone(x) for x in ratings], [truth[x["id"]]["team"] == "careful" for x in ratings]),
        "checks": learnt([alone(x) for x in steps], [bool(truth[x["id"]]["corrupted"]) for x in steps]),
    }


def alone(step: dict) -> dict[str, float]:
    return {**step["facts"], **step["left"]}


def verdicts(path: Path, serve_study) -> dict[str, float]:
    steps, truth = walked(path, serve_study)
    pairs = [step for step in steps if truth[step["id"]]["kind"] == "pair"]
    checks = [step for step in steps if truth[step["id"]]["kind"] == "corrupted"]
    assert (len(pairs), len(checks)) == (20, 20)
    return {
        "teams": which_side(pairs, [truth[x["id"]]["team"] == "careful" for x in pairs]),
        "checks": learnt([together(x) for x in steps], [x in checks for x in steps]),
        "copies": which_side(checks, [bool(truth[x["id"]]["corrupted"]) for x in checks]),
    }


def test_a_classifier_tells_neither_teams_nor_checks(blind, serve_study):
    seen = verdicts(blind, serve_study)
    assert min(seen.values()) > CHANCE, seen


def test_a_classifier_tells_nothing_of_ratings_either(rated, serve_study):
    seen = rating_verdicts(rated, serve_study)
    assert min(seen.values()) > CHANCE, seen
    assert len({file.stat().st_size for file, _, _ in files(rated)}) == 1
    assert len({file.stat().st_mtime_ns for file, _, _ in files(rated)}) == 1


def second_looks(path: Path, serve_study) -> float:
    """As `learnt`, of which steps repeat one; that they come later is their nature, so no step says when."""
    steps, truth = walked(path, serve_study)
    labels = [truth[step["id"]]["kind"] == "repeat" for step in steps]
    assert (len(labels), sum(labels)) == (40, 20)
    rows = [together(step) for step in steps]
    for row in rows:
        del row["position"]
    return learnt(rows, labels)


def test_a_classifier_does_not_tell_second_looks(repeating, serve_study):
    assert second_looks(repeating, serve_study) > CHANCE


def test_a_leak_in_the_files_of_second_looks_is_found(repeating, serve_study):
    with open_study(repeating).reading() as reader:
        query = "SELECT l.media FROM item i JOIN clip l ON l.id = i.left_clip WHERE i.kind = 'repeat'"
        media = [repeating / "media" / row["media"] for row in reader.execute(query)]
    kept = {file: file.read_bytes() for file in media}
    try:
        for file, content in kept.items():
            file.write_bytes(timescale(content, careful=False, corrupted=True))
        assert second_looks(repeating, serve_study) < CHANCE
    finally:
        for file, content in kept.items():
            file.write_bytes(content)


def files(path: Path) -> list[tuple[Path, str, bool]]:
    with open_study(path).reading() as reader:
        rows = reader.execute("SELECT media, team, corrupted FROM clip").fetchall()
    return [(path / "media" / row["media"], row["team"], bool(row["corrupted"])) for row in rows]


@contextlib.contextmanager
def changed(path: Path, change: Callable[[bytes, bool, bool], bytes]):
    """The study with its clips changed, and as it was afterwards."""
    kept = {file: file.read_bytes() for file, _, _ in files(path)}
    time_of_all = next(iter(kept)).stat().st_mtime_ns
    try:
        for file, team, corrupted in files(path):
            file.write_bytes(change(kept[file], team == "careful", corrupted))
        yield
    finally:
        for file, content in kept.items():
            file.write_bytes(content)
            os.utime(file, ns=(time_of_all, time_of_all))


def timescale(content: bytes, careful: bool, corrupted: bool) -> bytes:
    del careful
    at = content.index(b"mdhd") + 16
    return content[:at] + struct.pack(">I", 16384 if corrupted else 90_000) + content[at + 4 :]


def size(content: bytes, careful: bool, corrupted: bool) -> bytes:
    del corrupted
    return content + struct.pack(">I4s", 8 + 4 * careful, b"free") + bytes(4 * careful)


@pytest.mark.parametrize(
    ("change", "told"), [(timescale, "checks"), (timescale, "copies"), (size, "teams")], ids=["a", "b", "c"]
)
def test_a_leak_in_a_file_is_found(blind, serve_study, change, told):
    with changed(blind, change):
        assert verdicts(blind, serve_study)[told] < CHANCE


@pytest.mark.parametrize(("change", "told"), [(timescale, "checks"), (size, "teams")])
def test_a_leak_in_a_rated_file_is_found(rated, serve_study, change, told):
    with changed(rated, change):
        assert rating_verdicts(rated, serve_study)[told] < CHANCE


def test_a_leak_in_the_headers_is_found(blind, serve_study, monkeypatch):
    """What the first version sent: a tag and a time of the file, whose time said when it was made."""
    from starlette.responses import FileResponse

    from ipvg_eval.leaderboard.study.server import _Media

    monkeypatch.setattr(_Media, "set_stat_headers", FileResponse.set_stat_headers)
    with changed(blind, lambda content, *_: content):
        for file, team, _ in files(blind):
            os.utime(file, (1e9 + (team == "careful"),) * 2)
        assert verdicts(blind, serve_study)["teams"] < CHANCE


def test_files_have_one_time_one_size_and_answers_say_nothing_of_them(blind, serve_study):
    media = [file for file, _, _ in files(blind)]
    made = list((blind / "media").iterdir())
    assert len({file.stat().st_mtime_ns for file in made}) == 1
    assert len({file.stat().st_size for file in media}) == 1
    assert len({file.read_bytes()[: file.read_bytes().index(b"mdat")] for file in media}) == 1
    study = open_study(blind)
    with study.writing() as writer:
        for table in ("vote", "watched", "shown", "token", "annotator"):
            writer.execute(f"DELETE FROM {table}")
    client = serve_study(blind).client()
    base = f"/a/{new_annotators(study, 1)[0].token}"
    state = client.get(f"{base}/state").json()
    for name in (state["left"], state["right"], state["references"][0]["media"]):
        for headers in ({}, {"range": "bytes=0-9"}, {"if-none-match": "*"}, {"if-range": '"x"'}):
            answer = client.get(f"{base}/media/{name}", headers=headers)
            assert answer.status_code in (200, 206)
            assert answer.headers["cache-control"] == "no-store"
            assert not {"etag", "last-modified", "date", "content-disposition"} & set(answer.headers)


def test_what_is_made_for_two_names_is_the_same_plan(tmp_path):
    """Names decide nothing: with the teams' names exchanged, the other team's clips take the same places."""
    submissions = [FIXTURES / "submissions" / name for name in ("careful", "careless")]
    given, samples = study_source([], [f"x={submissions[0]}", f"y={submissions[1]}"], FIXTURES / "testset")
    config = read_study_config(None, annotators=1, share=0.2, seed=3)
    places = []
    for n, names in enumerate((("x", "y"), ("y", "x"))):
        teams = [
            StudyTeam(name=name, videos=team.videos, absent={})
            for name, team in zip(names, given, strict=True)
        ]
        created = create_study(teams, samples, config, tmp_path / f"{n}")
        with open_study(created.path).reading() as reader:
            query = (
                "SELECT i.kind, l.sample, l.team FROM item i JOIN clip l ON l.id = i.left_clip ORDER BY i.id"
            )
            places.append([tuple(row) for row in reader.execute(query)])
    assert places[0] == places[1]
