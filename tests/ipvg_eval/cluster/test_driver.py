"""The command itself dies or is interrupted: the journal is whole, and no process lingers."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from deadly_protocol import PROTOCOL

from ipvg_eval import Recipe, score

FAST = ["lite_motion", "dynamic_degree_lite"]
PATIENCE = 180
MAKERS = Path(__file__).parents[2] / "makers"
EQUAL = ("samples.parquet", "samples.csv", "frames.parquet", "summary.json")


@pytest.fixture(scope="module")
def whole(fixtures, tmp_path_factory):
    """An uninterrupted run without Ray."""
    out = tmp_path_factory.mktemp("whole") / "run"
    score(
        fixtures / "submissions/careful",
        testset=fixtures / "testset",
        recipe=Recipe(protocol="lite", metrics=FAST),
        out=out,
    )
    return out


def _start(fixtures, out, *words, **environment):
    command = ["score", fixtures / "submissions/careful", "--testset", fixtures / "testset", "--protocol"]
    command += ["lite", "--metrics", ",".join(FAST), "--out", out, *words]
    return subprocess.Popen(
        [sys.executable, "-m", "ipvg_eval", *map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        start_new_session=True,
    )


def _wait_for_rows(journal, rows, process):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if journal.exists() and journal.read_bytes().count(b"\n") >= rows:
            return
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    pytest.fail("the run wrote no rows")


def _gone(processes):
    """Wait for the end of processes; those that are left."""
    _, left = psutil.wait_procs(processes, timeout=PATIENCE)
    return [process.name() for process in left if process.is_running()]


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_or_interrupted_command_leaves_a_journal_and_no_process(fixtures, tmp_path, whole, stop):
    out = tmp_path / "run"
    process = _start(fixtures, out, "--ray", "local", "--workers", "1", "--decoders", "1")
    _wait_for_rows(out / "journal.jsonl", 2, process)
    # Ray's agents, idle by then, take a minute to notice that they are alone.
    children = psutil.Process(process.pid).children(recursive=True)
    family = [child for child in children if not child.name().endswith("Agent")]
    names = {child.name() for child in family}
    assert "raylet" in names
    assert any("MeasuringWorker" in name for name in names)
    if stop is signal.SIGINT:
        os.killpg(process.pid, stop)  # as a terminal does
    else:
        process.kill()
    printed, messages = process.communicate(timeout=PATIENCE)
    assert _gone(family) == []
    assert printed == ""
    assert "ray" not in messages.lower(), "the engine keeps its chatter to itself"
    kept = (out / "journal.jsonl").read_bytes()
    kept = kept[: kept.rfind(b"\n") + 1]
    assert 2 <= kept.count(b"\n") < 10
    if stop is signal.SIGINT:
        assert process.returncode == 130, messages
        assert "run the same command to go on" in messages
        assert "Traceback" not in messages
        assert (out / "summary.json").exists()
    score(
        fixtures / "submissions/careful",
        testset=fixtures / "testset",
        recipe=Recipe(protocol="lite", metrics=FAST),
        out=out,
    )
    assert (out / "journal.jsonl").read_bytes().startswith(kept)
    for name in EQUAL:
        assert (out / name).read_bytes() == (whole / name).read_bytes(), name


def test_a_sample_that_kills_workers_costs_itself_and_stdout_holds_the_results_alone(fixtures, tmp_path):
    protocol = tmp_path / "deadly.yaml"
    protocol.write_text(PROTOCOL.format(always="id001/prompt1", once="", memory=tmp_path))
    words = [fixtures / "submissions/careful", "--testset", fixtures / "testset", "--protocol", protocol]
    words += ["--limit", "2", "--out", tmp_path / "run", "--ray", "local", "--workers", "1", "--json"]
    done = subprocess.run(
        [sys.executable, "-c", "import deadly_evaluator, ipvg_eval.cli as cli; cli.main()", "score", *words],
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(MAKERS)},
        check=False,
    )
    assert done.returncode == 4, done.stderr
    assert "Traceback" not in done.stderr
    [summary] = json.loads(done.stdout)["runs"]
    assert (summary["counts"]["scored"], summary["counts"]["crashed"]) == (1, 1)


@pytest.fixture
def head(tmp_path, monkeypatch):
    """The head of a cluster that is there before any command and stays after it; HOST:PORT."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"127.0.0.1:{port}"
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
    # Ray's sockets have short names at most.
    folder = Path("/tmp") / f"ipvg-ray-{port}"
    ray = Path(sys.executable).with_name("ray")
    words = ["start", "--head", "--block", "--node-ip-address=127.0.0.1", f"--port={port}", "--num-cpus=2"]
    words += ["--include-dashboard=false", "--disable-usage-stats", f"--temp-dir={folder}"]
    words += ["--object-store-memory=100000000"]
    log = (tmp_path / "head.log").open("wb")
    process = subprocess.Popen([ray, *words], stdout=log, stderr=log, start_new_session=True)
    try:
        yield address
    finally:
        family = psutil.Process(process.pid).children(recursive=True)
        for member in [*family, process]:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        process.wait()
        _gone(family)
        log.close()
        shutil.rmtree(folder, ignore_errors=True)


def _workers():
    return [
        p for p in psutil.process_iter(["cmdline"]) if "MeasuringWorker" in " ".join(p.info["cmdline"] or [])
    ]


def test_workers_in_a_cluster_of_others_end_with_the_command_and_the_cluster_does_not(
    fixtures, tmp_path, head, whole
):
    host, _, port = head.partition(":")
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
            break
        time.sleep(0.2)
    out = tmp_path / "run"
    process = _start(fixtures, out, "--ray", head, "--workers", "1")
    _wait_for_rows(out / "journal.jsonl", 1, process)
    workers = _workers()
    assert workers
    process.kill()
    process.communicate()
    assert _gone(workers) == []
    again = _start(fixtures, out, "--ray", "auto", RAY_ADDRESS=head)
    printed, messages = again.communicate(timeout=PATIENCE)
    assert again.returncode == 0, messages
    assert "10 of 10 samples scored" in printed
    for name in EQUAL:
        assert (out / name).read_bytes() == (whole / name).read_bytes(), name
    with socket.create_connection((host, int(port)), timeout=5):
        pass
