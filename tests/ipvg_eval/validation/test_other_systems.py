"""Windows and macOS by simulation: names that NTFS refuses, names equal but for case, absent modules."""

from __future__ import annotations

import subprocess
import sys
import zipfile

import pytest

from ipvg_eval import validate
from ipvg_eval.core.file_names import file_name, suits_every_system

NTFS_REFUSES = [
    "con",
    "NUL.mp4",
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


def test_where_files_cannot_be_handed_over_nobody_s_video_is_blamed(careful, fixtures):
    """Python for Windows has no socket.send_fds."""
    code = (
        "import socket, sys\n"
        "del socket.send_fds\n"
        "from ipvg_eval.cli import main\n"
        "main(['validate', sys.argv[1], '--testset', sys.argv[2]])\n"
    )
    words = [sys.executable, "-c", code, careful, fixtures / "testset"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 3, done.stderr
    assert "WSL" in done.stderr
    assert not done.stdout


def test_validate_runs_where_unix_modules_are_absent(careful, fixtures):
    code = (
        "import sys\n"
        "for name in ('resource', 'fcntl', 'termios', 'pwd', 'grp'):\n"
        "    sys.modules[name] = None\n"
        "from ipvg_eval.cli import main\n"
        "main(['validate', sys.argv[1], '--testset', sys.argv[2]])\n"
    )
    words = [sys.executable, "-c", code, careful, fixtures / "testset"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert "VALID" in done.stdout
