"""A process that cannot start is the installation's fault: no video is blamed, and nothing is written."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ipvg_eval import Recipe, load_submission, load_testset
from ipvg_eval.cluster.worker import Job, MeasuringWorker, Refused, listing_hash
from ipvg_eval.core.errors import Unavailable
from ipvg_eval.decoding import DecoderProcess
from ipvg_eval.sandbox import ProcessLimits
from ipvg_eval.video import decoder_version

THIRD_PARTY = """
import sys
import {module}
for module in list(sys.modules.values()):
    place = getattr(module, "__file__", None) or ""
    if "site-packages" in place:
        print(module.__name__.partition(".")[0])
"""
BREAKING = """
import sys

class _Broken:
    def find_spec(self, name, path=None, target=None):
        if name == {package!r}:
            raise ImportError("the package {package} is damaged")

if {everywhere} or ".worker" in " ".join(sys.orig_argv):
    sys.meta_path.insert(0, _Broken())
"""
LITE = ("--protocol", "lite", "--metrics", "lite_motion")


def packages_of(module: str) -> set[str]:
    """What it imports that is installed, other than this project."""
    script = THIRD_PARTY.format(module=module)
    done = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, check=True)
    return {name for name in done.stdout.split() if not name.startswith(("_", "ipvg_eval"))}


@pytest.fixture
def breaks(tmp_path):
    """Makes the folder that, on PYTHONPATH, breaks one package for the processes that open videos."""

    def make(package: str, *, everywhere: bool = False) -> str:
        folder = tmp_path / f"broken-{package}"
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(BREAKING.format(package=package, everywhere=everywhere))
        return str(folder)

    return make


def test_hello_tells_the_versions():
    with DecoderProcess() as decoder:
        said = decoder.hello().versions
        assert said == {"Python": sys.version.split()[0], "decoder": decoder_version()}
        assert decoder.hello().versions == said


def test_any_package_of_the_decoder_that_cannot_be_imported_is_named(breaks, monkeypatch, fixtures):
    packages = packages_of("ipvg_eval.decoding.worker")
    assert packages >= {"av", "numpy", "pydantic", "pydantic_core"}
    for package in sorted(packages):
        monkeypatch.setenv("PYTHONPATH", breaks(package))
        with DecoderProcess() as decoder, pytest.raises(Unavailable) as caught:
            decoder.open(fixtures / "submissions" / "careful" / "id001" / "prompt1.mp4")
        assert caught.value.exit_code == 3
        assert "this installation is broken" in caught.value.message
        assert f"the package {package} is damaged" in caught.value.message
        assert "pip check" in caught.value.hint


@pytest.fixture
def commands(fixtures, tmp_path):
    videos, owed = fixtures / "submissions" / "careful", ("--testset", fixtures / "testset")
    return {
        "validate": ("validate", videos, *owed),
        "score": ("score", videos, *owed, *LITE, "--out", tmp_path / "out"),
        "ray": ("score", videos, *owed, *LITE, "--out", tmp_path / "out", "--ray", "local", "--workers", "1"),
        "audit": ("audit", videos, *owed, "--no-faces"),
        "study": ("study", "create", *owed, "--submissions", f"one={videos}", "--submissions",
                  f"other={fixtures / 'submissions' / 'careless'}", "--out", tmp_path / "out"),
    }  # fmt: skip


@pytest.mark.parametrize("name", ["validate", "score", "ray", "audit", "study"])
@pytest.mark.parametrize(("package", "everywhere"), [("av", False), ("numpy", True)])
def test_a_broken_installation_ends_the_command(
    command, commands, breaks, tmp_path, name, package, everywhere
):
    done = command(*commands[name], PYTHONPATH=breaks(package, everywhere=everywhere))
    assert done.returncode == 3, done.stdout + done.stderr
    assert "this installation is broken" in done.stderr
    assert f"the package {package} is damaged" in done.stderr
    assert "pip check" in done.stderr
    assert "Traceback" not in done.stderr
    assert "prompt1" not in done.stdout + done.stderr
    assert not (tmp_path / "out").exists()


def test_a_broken_worker_of_a_cluster_refuses(breaks, monkeypatch, fixtures):
    """The driver's own installation may be whole."""
    recipe = Recipe(protocol="lite", metrics=["lite_motion"], device="cpu")
    submission = load_submission(fixtures / "submissions/careful")
    testset = load_testset(fixtures / "testset")
    worker = MeasuringWorker(recipe, os.curdir)
    monkeypatch.setenv("PYTHONPATH", breaks("av"))
    job = Job(
        submission=submission.address,
        listing=listing_hash(submission),
        testset=testset.root,
        fingerprint=testset.fingerprint,
        limits=ProcessLimits(),
        decoders=1,
    )
    refused = worker.open(job)
    assert isinstance(refused, Refused)
    assert refused.exit_code == 3
    assert "this installation is broken" in refused.text


def test_a_process_that_ends_while_it_starts_is_no_videos_fault(monkeypatch, tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import os; os.kill(os.getpid(), 9)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with DecoderProcess() as decoder, pytest.raises(Unavailable, match="SIGKILL"):
        decoder.hello()


def test_no_room_for_another_process(monkeypatch):
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    with DecoderProcess() as decoder, pytest.raises(Unavailable, match="no process can be started"):
        decoder.hello()


def test_the_time_for_a_video_does_not_run_while_the_process_starts(monkeypatch):
    """No process starts in a thousandth of a second."""
    monkeypatch.setattr("ipvg_eval.sandbox.process._GRACE", 0.0)
    with DecoderProcess(ProcessLimits(seconds=0.001)) as decoder:
        assert decoder.hello().versions["Python"]
