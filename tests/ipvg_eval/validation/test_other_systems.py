"""Windows and macOS by simulation: names that NTFS refuses, names equal but for case, absent modules."""

from __future__ import annotations

import json
import shutil
import socket
import zipfile
from pathlib import Path

import pytest
import video_files

from ipvg_eval import validate
from ipvg_eval.core.errors import Unavailable
from ipvg_eval.core.file_names import file_name, suits_every_system
from ipvg_eval.decoding import DecoderProcess

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures"
WINDOWS = Path(__file__).resolve().parents[2] / "makers" / "windows_python"
MACOS = """
import importlib.machinery, mmap, os, resource, sys, types

for module, names in {os: "memfd_create O_PATH sched_getaffinity posix_fadvise", mmap: "MADV_REMOVE"}.items():
    for name in names.split():
        delattr(module, name)
real, limit = os.listdir, resource.setrlimit

def listed(path="."):
    if str(path).startswith("/proc"):
        raise FileNotFoundError(2, "No such file or directory", path)
    return real(path)

def limited(number, values):
    if number == resource.RLIMIT_AS:
        raise ValueError("current limit exceeds maximum limit")
    limit(number, values)

class Confine:
    def find_spec(self, name, path=None, target=None):
        if name != "ipvg_eval.sandbox.confine":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        run = spec.loader.exec_module
        def named(module):
            run(module)
            module.sys = types.SimpleNamespace(platform="darwin", modules=sys.modules)
        spec.loader.exec_module = named
        return spec

os.listdir, resource.setrlimit = listed, limited
sys.meta_path.insert(0, Confine())
"""
NTFS_REFUSES = [
    "con",
    "CON",
    "aux.mp4",
    "prn.tar.gz",
    "NUL.mp4",
    "...",
    "a:b",
    "what?",
    "a*b",
    "tail.",
    "tail ",
    'say"',
    "a|b",
    "a<b",
    "LPT1",
    "com¹",
]


@pytest.mark.parametrize("name", NTFS_REFUSES)
def test_names_that_ntfs_refuses_never_become_files(name):
    assert not suits_every_system(name)
    assert suits_every_system(file_name(name))


def test_a_zip_with_such_names_is_read_without_unpacking_them(careful, fixtures, tmp_path):
    archive = tmp_path / "facial_results.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for video in sorted(careful.rglob("*.mp4")):
            file.write(video, video.relative_to(careful).as_posix())
        for name in NTFS_REFUSES:
            file.writestr(f"{name}/notes.txt", b"x")
    found = validate(archive, fixtures / "testset")
    assert found.present == 10
    assert not [finding for finding in found.findings if finding.code == "video-missing"]


def test_two_names_that_differ_by_case_clash_on_every_system(careful, fixtures, tmp_path):
    archive = tmp_path / "facial_results.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for video in sorted(careful.rglob("*.mp4")):
            file.write(video, video.relative_to(careful).as_posix())
        file.writestr("ID001/Prompt1.mp4", b"x")
    codes = [finding.code for finding in validate(archive, fixtures / "testset").findings]
    assert codes.count("duplicate-name") >= 1


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """Ten videos of which some are broken, each in its own way."""
    folder = Path(
        shutil.copytree(FIXTURES / "submissions" / "careful", tmp_path_factory.mktemp("mixed") / "up")
    )
    whole = video_files.encode(frames=24)
    first, second, third, fourth, *_ = sorted(folder.rglob("*.mp4"))
    first.write_bytes(video_files.cut(whole))
    second.write_bytes(video_files.spoiled(whole))
    third.write_bytes(b"\r\n\x1a" * 100)
    fourth.write_bytes(b"")
    return folder


@pytest.fixture(scope="module")
def packed(mixed, tmp_path_factory):
    """The same as a zip, with every other video compressed."""
    archive = tmp_path_factory.mktemp("packed") / "facial_results.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for number, video in enumerate(sorted(mixed.rglob("*.mp4"))):
            method = zipfile.ZIP_DEFLATED if number % 2 else zipfile.ZIP_STORED
            file.write(video, video.relative_to(mixed).as_posix(), method)
    return archive


@pytest.fixture
def macos(tmp_path):
    folder = tmp_path / "macos"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(MACOS)
    return folder


@pytest.mark.parametrize("deep", [(), ("--deep",)], ids=["headers", "deep"])
@pytest.mark.parametrize("kind", ["mixed", "packed"])
@pytest.mark.parametrize("system", ["windows", "macos"])
def test_findings_are_those_of_linux(command, fixtures, tmp_path, macos, request, system, kind, deep):
    given = (request.getfixturevalue(kind), "--testset", fixtures / "testset", *deep, "--json")
    expected = command("validate", *given)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    place = macos if system == "macos" else WINDOWS
    found = command("validate", *given, PYTHONPATH=str(place), TMPDIR=str(scratch))
    assert found.stderr.count("cannot confine fully") == 1, found.stderr
    assert (found.returncode, json.loads(found.stdout)) == (1, json.loads(expected.stdout))
    assert len({finding["path"] for finding in json.loads(found.stdout)["findings"]}) >= 3
    assert list(scratch.iterdir()) == []


def test_a_process_that_hangs_costs_one_video_on_windows(command, careful, fixtures):
    hanging = "id001/prompt1.mp4"
    given = (careful, "--testset", fixtures / "testset", "--decoder-seconds", "3", "--json")
    found = command("validate", *given, PYTHONPATH=str(WINDOWS), PYTHONUSERBASE=hanging)
    assert found.returncode == 1, found.stderr
    (finding,) = json.loads(found.stdout)["findings"]
    assert finding["path"] == hanging
    assert "took longer than 3 s and was stopped" in finding["message"]


@pytest.mark.parametrize("system", ["windows", "macos"])
def test_what_cannot_be_confined_is_refused_where_that_is_asked(command, careful, fixtures, macos, system):
    place = macos if system == "macos" else WINDOWS
    given = (careful, "--testset", fixtures / "testset", "--require-confinement")
    refused = command("validate", *given, PYTHONPATH=str(place))
    assert refused.returncode == 3, refused.stderr
    assert "--require-confinement" in refused.stderr
    assert not refused.stdout


def test_what_shares_memory_names_another_way_on_windows(monkeypatch):
    monkeypatch.delattr(socket, "send_fds")
    with DecoderProcess() as decoder, pytest.raises(Unavailable) as caught:
        decoder.hello()
    assert caught.value.exit_code == 3
    assert "WSL" in caught.value.hint
