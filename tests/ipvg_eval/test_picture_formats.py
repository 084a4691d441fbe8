"""A reference that is something else than its name says: one finding, one error, and no other program."""

from __future__ import annotations

import json
import os
import shutil

import pytest
from PIL import Image

EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n%%EOF\n"
LITE = ("--protocol", "lite", "--metrics", "lite_motion")


@pytest.fixture
def testset(fixtures, tmp_path):
    return shutil.copytree(fixtures / "testset", tmp_path / "testset")


@pytest.fixture
def no_ghostscript(tmp_path):
    """A folder for the PATH whose `gs` leaves a trace."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "gs").write_text(f"#!/bin/sh\ntouch {tmp_path}/gs-was-run\n")
    (folder / "gs").chmod(0o755)
    yield f"{folder}{os.pathsep}{os.environ['PATH']}"
    assert not (tmp_path / "gs-was-run").exists()


def reference_of(testset):
    path = next(path for path in sorted(testset.rglob("*")) if path.suffix in (".png", ".jpg", ".webp"))
    return path.rename(path.with_suffix(".png"))


def eps(path):
    path.write_bytes(EPS)


def tiff(path):
    Image.new("RGB", (8, 8)).save(path, "TIFF")


def empty(path):
    path.write_bytes(b"")


def folder(path):
    path.unlink()
    path.mkdir()


def pipe(path):
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(("made", "kind"), [(eps, "EPS"), (tiff, "TIFF"), (empty, "is empty")])
def test_what_it_is_is_said_once_and_nothing_is_run(
    command, testset, fixtures, tmp_path, no_ghostscript, made, kind
):
    path = reference_of(testset)
    made(path)
    videos, owed = fixtures / "submissions" / "careful", ("--testset", testset)
    found = json.loads(command("validate", videos, *owed, "--json", PATH=no_ghostscript).stdout)
    about = [finding for finding in found["testset_findings"] if kind in finding["message"]]
    assert len({finding["message"] for finding in about}) == len({finding["path"] for finding in about}) == 1
    assert path.relative_to(testset).as_posix() in about[0]["path"]
    for words in (("score", videos, *owed, *LITE, "--out", tmp_path / "out"), ("audit", videos, *owed)):
        done = command(*words, PATH=no_ghostscript)
        assert done.returncode == 0, done.stdout + done.stderr
        (said,) = [line for line in done.stderr.splitlines() if line.startswith("test set: ")]
        assert path.relative_to(testset).as_posix() in said
        assert kind in said
        assert said.endswith(" 5 samples are left out.")


@pytest.mark.parametrize("made", [folder, pipe])
def test_what_is_no_file_is_not_waited_for(command, testset, fixtures, made):
    path = reference_of(testset)
    made(path)
    videos = fixtures / "submissions" / "careful"
    done = command("validate", videos, "--testset", testset, "--json")
    assert done.returncode == 0, done.stderr
    assert [
        finding
        for finding in json.loads(done.stdout)["testset_findings"]
        if path.parent.name in finding["path"]
    ]
