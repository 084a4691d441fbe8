"""docs/organisers.md from top to bottom, as an organiser types it, in a folder that is not the project's."""

from __future__ import annotations

import contextlib
import re
import shlex
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from ipvg_eval.cli.app import main

ROOT = Path(__file__).resolve().parents[1]
GUIDE = (ROOT / "docs/organisers.md").read_text("utf-8")
BLOCKS = dict(
    zip(
        ("score", "rank", "study", "invite", "ratings", "publish"),
        re.findall(r"```sh\n(.+?)```", GUIDE, re.DOTALL),
        strict=True,
    )
)
CHALLENGE, STUDY, RATING = re.findall(r"```yaml\n(.+?)```", GUIDE, re.DOTALL)
TEAMS = {"alpha": ("careful", (1, 2)), "beta": ("careless", (1, 2)), "gamma": ("careful", (2, 1))}
BASELINE = {"vace-14b": ("careless", (2, 1))}
# All that is not as printed: metrics that need no published weights, few frames, and a port that is free.
LITE = {
    "cur_score": "lite_identity", "arc_score": "lite_imaging",
    "face_feature_distance": "lite_clipping", "clip_score": "lite_motion",
}  # fmt: skip
EXTRA = {"score": "--protocol lite --frames 2", "leaderboard": "--unofficial"}


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """What an organiser has before the first command: uploads, a test set and the guide's files."""
    folder = tmp_path_factory.mktemp("desk")
    for identity in ("id001", "id002"):
        shutil.copytree(
            ROOT / "fixtures/testset" / identity,
            folder / "testset" / identity,
            ignore=shutil.ignore_patterns("prompt[2345].*"),
        )
    for team, (source, prompts) in (TEAMS | BASELINE).items():
        (folder / "uploads" / team).mkdir(parents=True)
        with zipfile.ZipFile(folder / "uploads" / team / "facial_results.zip", "w") as file:
            for identity, prompt in zip(("id001", "id002"), prompts, strict=True):
                video = ROOT / f"fixtures/submissions/{source}/{identity}/prompt{prompt}.mp4"
                file.write(video, f"{identity}/prompt1.mp4")
    challenge = CHALLENGE
    for name, lite in LITE.items():
        assert f"name: {name}" in challenge
        challenge = challenge.replace(f"name: {name}", f"name: {lite}")
    (folder / "challenge.yaml").write_text(challenge, "utf-8")
    (folder / "study.yaml").write_text(STUDY + "crowd: true\n", "utf-8")
    (folder / "rating.yaml").write_text(RATING, "utf-8")
    return folder


def lines_of(block):
    return [line + " " + EXTRA.get(line.split()[1], "") for line in BLOCKS[block].splitlines()]


def expanded(word):
    return sorted(map(str, Path().glob(word))) if "*" in word else [word]


@pytest.fixture
def run(desk, monkeypatch, capsys):
    """Runs a line as a shell would, stars and all, but in this process, which has imported torch already."""
    monkeypatch.chdir(desk)
    monkeypatch.setenv("IPVG_WEIGHTS_DIR", str(desk / "weights"))
    monkeypatch.delenv("IPVG_TESTSET", raising=False)

    def ran(line, *, code=0):
        _, *words = shlex.split(line)
        with pytest.raises(SystemExit) as ended:
            main([path for word in words for path in expanded(word)])
        out, err = capsys.readouterr()
        assert (ended.value.code or 0) == code, f"{line}\n{out}\n{err}"
        return out or err

    return ran


def vote(desk):
    """Every pair is judged once, for whoever comes first in the alphabet."""
    with contextlib.closing(sqlite3.connect(desk / "study/study.db")) as study, study:
        study.execute(
            """INSERT INTO vote (item, question, answer, at, seconds)
            SELECT item.id, 0, CASE WHEN one.team < other.team THEN 'left' ELSE 'right' END, 0, 1
            FROM item JOIN clip one ON one.id = item.left_clip JOIN clip other ON other.id = item.right_clip
            JOIN annotator ON annotator.sheet = item.sheet WHERE item.kind = 'pair'"""
        )


def rate(desk):
    """Every video gets 4 points from whoever sees it, for every aspect."""
    with contextlib.closing(sqlite3.connect(desk / "ratings/study.db")) as study, study:
        study.executemany(
            """INSERT INTO vote (item, question, answer, at, seconds)
            SELECT item.id, ?, '4', 0, 1 FROM item JOIN annotator ON annotator.sheet = item.sheet
            WHERE item.kind = 'rating'""",
            [(question,) for question in range(4)],
        )


def serve(desk, line):
    """The server answers, and ends when it is told to."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen(
        [sys.executable, "-m", *shlex.split(f"{line} --port {port}".replace("-", "_", 1))],
        cwd=desk,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            for _ in range(3000):
                assert server.poll() is None, server.stderr.read()
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                time.sleep(0.1)
        finally:
            server.send_signal(signal.SIGINT)
    assert server.returncode in (0, 130), line


def test_every_command_in_its_order(desk, run):
    first, second, audit = lines_of("score")
    for team in TEAMS | BASELINE:
        for line in (first, second):
            run(line.replace("alpha", team))
    assert "beta" in run(audit)
    for line in lines_of("rank"):
        assert "alpha" in run(line)
    create, tokens, server, status = lines_of("study")
    run(create)
    sheets = run(tokens).count("https://study.example.org/a/")
    assert sheets == 6  # of the twelve asked for: three pairs of two samples, one pair a sheet
    serve(desk, server)
    vote(desk)
    assert "alpha - beta" in run(status)
    (invite,) = lines_of("invite")
    assert run(invite).count("https://study.example.org/join/") == 2
    create, server, export, opinions = lines_of("ratings")
    run(create)
    run("ipvg-eval study tokens ratings 12 --url https://study.example.org")
    serve(desk, server)
    rate(desk)
    run(export)
    assert "4" in (desk / "opinions.csv").read_text("utf-8")
    run(opinions)
    board, keygen, sign, verify = lines_of("publish")
    assert "points" in run(board)
    for line in (keygen, sign, verify):
        run(line)
    assert (desk / "site/index.html").stat().st_size > 10_000
    (agree,) = re.findall(
        r"^ +(ipvg-eval agree .+)$", (ROOT / "docs/statistics.md").read_text("utf-8"), re.MULTILINE
    )
    assert "6 votes are too few" in run(agree, code=1)  # as statistics.md says: it wants 50
