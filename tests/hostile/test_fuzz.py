"""A short run of the fuzzer; `make fuzz` is the long one."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).with_name("fuzz.py")
VARIANTS = 300
OBEYING = """
import os, time

def serve(connection, _folder):
    while (command := connection.recv()) is not None:
        if command == "die":
            os._exit(7)
        if command == "hang":
            time.sleep(600)
        connection.send("refused")
"""


@pytest.fixture(scope="module")
def fuzz():
    spec = importlib.util.spec_from_file_location("fuzz", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["fuzz"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["fuzz"]


def test_mutated_clips_and_zips_never_crash_hang_or_leave_files(tmp_path):
    done = subprocess.run(
        [sys.executable, SCRIPT, "--variants", str(VARIANTS), "--seed", "1", "--work", tmp_path / "work"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{VARIANTS} variants" in done.stdout
    for kind in ("frames", "findings", "refused"):
        assert kind in done.stdout
    assert sorted(p.name for p in tmp_path.iterdir()) == ["work"]
    assert sorted(p.name for p in (tmp_path / "work").rglob("*")) == ["failed", "here", "temporary"]


def test_variants_differ_and_repeat_with_their_seed(fuzz):
    data = bytes(range(256)) * 40
    one, again, other = (fuzz.mutate(data, np.random.default_rng([seed, 3])) for seed in (0, 0, 1))
    assert one == again != other
    assert one != data


def test_a_reader_that_dies_or_hangs_is_noticed_and_replaced(fuzz, tmp_path, monkeypatch):
    (tmp_path / "obeying.py").write_text(OBEYING)
    monkeypatch.syspath_prepend(tmp_path)
    worker = fuzz.Worker(tmp_path, importlib.import_module("obeying").serve)
    try:
        assert worker.ask("fine", 60) == "refused"
        assert "code 7" in worker.ask("die", 60)
        assert worker.ask("fine", 60) == "refused"
        assert "no answer" in worker.ask("hang", 0.5)
        assert worker.ask("fine", 60) == "refused"
    finally:
        worker.close()
