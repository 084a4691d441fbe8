"""What a process that reads strangers' files can do, measured from inside it."""

from __future__ import annotations

import builtins
import importlib
import json
import os
import platform
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from attacks import ATTACKS

from ipvg_eval.clips import ClipMaker, maker
from ipvg_eval.core.errors import Unavailable
from ipvg_eval.core.limits import Confinement, ProcessLimits
from ipvg_eval.decoding import DecoderProcess, PictureProcess
from ipvg_eval.leaderboard.study import clips
from ipvg_eval.metadata import MetadataProcess
from ipvg_eval.sandbox import LimitedProcess, confine, landlock, process, seccomp
from ipvg_eval.sandbox.messages import Hello
from ipvg_eval.validation.messages import Task
from ipvg_eval.validation.rules import VideoRules
from ipvg_eval.validation.videos import CheckingProcess

MAKERS = Path(__file__).resolve().parents[2] / "makers"
NOBODY = 65534
FULLY = sys.platform == "linux" and landlock.version() >= 4 and platform.machine() in ("x86_64", "aarch64")
SECRETS = ("SECRET", "COVERALLS_REPO_TOKEN", "PYTHONANYWHERE_TOKEN", "DYLD_TOKEN", "TMPDIR_TOKEN")
_OF_MEMORY = {"read the parent's memory", "write the parent's memory", "trace the parent"}

needs_a_kernel_that_can = pytest.mark.skipif(not FULLY, reason="this kernel cannot confine a process fully")
USERS = [
    pytest.param(None, id="this user"),
    pytest.param(
        NOBODY, id="nobody", marks=pytest.mark.skipif(os.getuid() != 0, reason="only root becomes nobody")
    ),
]


def as_user(user):
    """The words that run a command as somebody else."""
    if user is None:
        return []
    words = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
    if shutil.which("setpriv") is None:
        pytest.skip("no setpriv")
    again = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import av'], check=True)"
    if subprocess.run([*words, sys.executable, "-c", again], capture_output=True, check=False).returncode:
        # Python itself lies where nobody else may look: let them look everywhere, which is more, not less.
        words += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    return words


def attacked(mode, user):
    """What stopped each attack, None where nothing did."""
    done = subprocess.run(
        [*as_user(user), sys.executable, MAKERS / "attacked_parent.py", mode],
        env={**os.environ, "PYTHONPATH": str(MAKERS), **dict.fromkeys(SECRETS, "token")},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@needs_a_kernel_that_can
@pytest.mark.parametrize("user", USERS)
def test_nothing_that_a_decoder_does_not_need_is_possible(user):
    results = attacked("confined", user)
    assert set(results) == set(ATTACKS)
    assert {attack for attack, stopped_by in results.items() if stopped_by is None} == set()
    # What it is started with, and the locale that Python then sets.
    threads = {f"{library}_NUM_THREADS" for library in ("OMP", "OPENBLAS", "MKL")} | {"JE_ARROW_MALLOC_CONF"}
    names = set(results["find a token in its environment"].removeprefix("OSError: ").split(", "))
    assert threads <= names <= threads | {"PYTHONPATH", "LD_LIBRARY_PATH", "PYTHONHOME", "LC_CTYPE"}


@pytest.mark.parametrize("user", USERS)
def test_without_confinement_the_same_attacks_work(user):
    results = attacked("free", user)
    stopped = {attack for attack, stopped_by in results.items() if stopped_by is not None}
    scope = Path("/proc/sys/kernel/yama/ptrace_scope")
    assert stopped <= (_OF_MEMORY if scope.exists() and scope.read_text().strip() != "0" else set()), results


@needs_a_kernel_that_can
def test_every_kind_of_process_is_confined():
    task = Task(rules=VideoRules(), deep=True)
    kinds = [DecoderProcess(), PictureProcess(), MetadataProcess(), CheckingProcess(task)]
    kinds.append(maker._ClipProcess(ProcessLimits()))
    for kind in kinds:
        with kind as started:
            assert started.hello().confinement.lacking == ()
            assert [word.split()[0] for word in started.hello().confinement.by] == [
                "limits", "Landlock", "seccomp",
            ]  # fmt: skip
            status = Path(f"/proc/{started._process.pid}/status").read_text()
            assert "Seccomp:\t2" in status
            assert "NoNewPrivs:\t1" in status


@needs_a_kernel_that_can
def test_what_makes_clips_reaches_its_own_folder_only(fixtures, tmp_path):
    video = fixtures / "submissions" / "careful" / "id001" / "prompt1.mp4"
    with ClipMaker(1, require_confinement=True) as make:
        shape = clips.common_shape([make.look(video)])
        assert make.encode(video, tmp_path / "clip.mp4", shape)
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


@pytest.mark.skipif(sys.platform != "linux", reason="a word of Linux")
def test_the_parent_gives_nobody_its_memory(fixtures):
    script = (
        "import ctypes, sys\n"
        "from pathlib import Path\n"
        "from ipvg_eval.decoding import DecoderProcess\n"
        "dumpable = lambda: ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)\n"
        "before = dumpable()\n"
        "with DecoderProcess() as decoder:\n"
        "    decoder.open(Path(sys.argv[1]))\n"
        "    print(before, dumpable())\n"
    )
    video = fixtures / "submissions" / "careful" / "id001" / "prompt1.mp4"
    done = subprocess.run([sys.executable, "-c", script, video], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "0"]


class _Lacking(LimitedProcess):
    """A process on a system that has no Landlock."""

    def _command(self):
        hello = Hello(versions={}, confinement=Confinement(by=("limits",), lacking=("Landlock (none)",)))
        return [sys.executable, "-c", f"print({hello.model_dump_json()!r}, flush=True); input()"]


def test_what_is_lacking_is_said_once(caplog):
    process._say_what_is_lacking.cache_clear()
    for _ in range(2):
        with _Lacking("", Hello) as started:
            assert started.hello().confinement.lacking == ("Landlock (none)",)
    assert [record.getMessage().count("no Landlock (none)") for record in caplog.records] == [1]


def test_what_is_lacking_can_be_made_an_error():
    limits = ProcessLimits(require_confinement=True)
    with (
        _Lacking("", Hello, limits) as started,
        pytest.raises(Unavailable, match=r"no Landlock|Landlock \(none\)") as caught,
    ):
        started.hello()
    assert caught.value.exit_code == 3
    assert "--require-confinement" in caught.value.message


@pytest.mark.parametrize(
    "words",
    [("validate",), ("score", "--protocol", "lite", "--metrics", "lite_motion"), ("audit", "--no-faces")],
)
def test_the_option_on_a_system_that_cannot(command, fixtures, tmp_path, words):
    """Simulated by a Python whose ctypes finds no such system call."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "if '.worker' in ' '.join(sys.orig_argv):\n"
        "    import platform\n"
        "    platform.machine = lambda: 'riscv64'\n"
    )
    videos = fixtures / "submissions" / "careful"
    name, *rest = words
    given = (name, videos, *rest, "--testset", fixtures / "testset")
    refused = command(*given, "--require-confinement", PYTHONPATH=str(tmp_path))
    assert refused.returncode == 3, refused.stderr
    assert "seccomp (no list for riscv64)" in refused.stderr
    assert not (tmp_path / "runs").exists()
    if name == "validate":
        done = command(*given, PYTHONPATH=str(tmp_path))
        assert done.returncode == 0
        assert done.stderr.count("no seccomp") == 1


@pytest.mark.parametrize("name", ["resource", "fcntl"])
def test_the_modules_load_where_the_system_has_less(name, monkeypatch):
    real = builtins.__import__

    def without(wanted, *rest):
        if wanted == name:
            raise ImportError(f"no module named {wanted}")
        return real(wanted, *rest)

    monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    for module in ("ipvg_eval.sandbox.confine", "ipvg_eval.decoding.shared_memory"):
        spec = importlib.util.find_spec(module)
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_another_system_says_what_it_lacks(system, monkeypatch):
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(confine, "resource", None)
    said = confine.confine(ProcessLimits())
    assert said.by == ()
    assert [text.partition(" ")[0] for text in said.lacking] == ["limits", "Landlock", "seccomp"]


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize("writes", [False, True])
def test_the_filter_refuses_by_number_and_allows_the_rest(machine, writes):
    """The filter's instructions, interpreted as the kernel does."""
    column = ("x86_64", "aarch64").index(machine)
    lines = [struct.unpack("HBBI", line) for line in seccomp.program(machine, writes=writes, pid=77)]
    architecture = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}[machine]

    def verdict(number, *arguments, of=architecture):
        words = {0: number, 4: of, **{16 + 8 * i: value for i, value in enumerate(arguments)}}
        at, value = 0, 0
        while True:
            code, then, otherwise, operand = lines[at]
            if code == 0x06:
                return operand
            if code == 0x20:
                value = words.get(operand, 0)
                at += 1
                continue
            true = {0x15: value == operand, 0x45: bool(value & operand), 0x35: value >= operand}[code]
            at += 1 + (then if true else otherwise)

    allowed, refused, absent = 0x7FFF0000, 0x00050001, 0x00050026
    for both in seccomp.NEVER.values():
        if both[column] is not None:
            assert verdict(both[column]) == refused
    for both in seccomp.CHANGES.values():
        if both[column] is not None:
            assert verdict(both[column]) == (allowed if writes else refused)
    read, openat, clone, kill, prlimit = {
        "x86_64": (0, 257, 56, 62, 302), "aarch64": (63, 56, 220, 129, 261),
    }[machine]  # fmt: skip
    assert verdict(read, 3) == allowed
    assert verdict(read, 3, of=0x40000003) == refused
    assert verdict(clone, 0x11) == refused
    assert verdict(clone, 0x3D0F00) == allowed
    assert verdict(435) == absent
    assert (verdict(kill, 77), verdict(kill, 78)) == (allowed, refused)
    assert (verdict(prlimit, 0), verdict(prlimit, 77), verdict(prlimit, 78)) == (allowed, allowed, refused)
    assert verdict(openat, 0, 0, os.O_RDONLY | os.O_CLOEXEC) == allowed
    for flags in (os.O_WRONLY, os.O_RDWR, os.O_CREAT, os.O_TRUNC):
        assert verdict(openat, 0, 0, flags) == (allowed if writes else refused)


@pytest.mark.skipif(
    not Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h").exists(), reason="no kernel headers"
)
def test_numbers_are_those_of_the_kernels_headers():
    text = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h").read_text()
    numbers = {
        words[1].removeprefix("__NR_"): int(words[2])
        for line in text.splitlines()
        if len(words := line.split()) == 3 and words[1].startswith("__NR_")
    }
    for name, (number, _) in (seccomp.NEVER | seccomp.CHANGES).items():
        if name in numbers:
            assert number == numbers[name], name
