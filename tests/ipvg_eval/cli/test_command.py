"""The command: exit codes, messages, streams."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import zipfile

import pytest

LITE = ("--protocol", "lite")
FAST = (*LITE, "--metrics", "dynamic_degree_lite", "--limit", "2")


def test_help_and_validate_do_not_load_torch(fixtures):
    code = (
        "import sys\n"
        "from ipvg_eval.cli import main\n"
        "for words in (['--help'], ['validate', sys.argv[1], '--testset', sys.argv[2]]):\n"
        "    try:\n"
        "        main(words)\n"
        "    except SystemExit:\n"
        "        pass\n"
        "assert 'torch' not in sys.modules\n"
    )
    words = [sys.executable, "-c", code, fixtures / "submissions/careful", fixtures / "testset"]
    subprocess.run(words, check=True, capture_output=True)


def test_validate_exits_0_on_a_good_zip_and_1_on_a_broken_one(command, careful, fixtures, tmp_path):
    archive = tmp_path / "facial_results.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for video in sorted(careful.rglob("*.mp4")):
            file.write(video, video.relative_to(careful).as_posix())
    good = command("validate", archive, "--testset", fixtures / "testset")
    assert good.returncode == 0, good.stdout
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr("id003/prompt1.mp4", b"text")
    bad = command("validate", archive, "--testset", fixtures / "testset", "--json")
    assert bad.returncode == 1
    assert any("id003/prompt1.mp4" in finding["path"] for finding in json.loads(bad.stdout)["findings"])


def test_score_prints_a_table_and_exits_0(command, careful, fixtures, tmp_path):
    done = command("score", careful, "--testset", fixtures / "testset", *FAST, "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert "dynamic_degree_lite" in done.stdout
    assert "2 of 10 samples scored" in done.stdout
    assert str(tmp_path / "run") in done.stdout.replace("\n", "")


def test_score_json_is_the_only_thing_on_stdout(command, careful, fixtures):
    done = command("score", careful, "--testset", fixtures / "testset", *FAST, "--json")
    summary = json.loads(done.stdout)["runs"][0]
    assert summary["team"] == "careful"
    assert summary["folder"] == "runs/careful-lite"
    assert summary["counts"]["scored"] == 2


def test_score_exits_4_when_samples_failed_and_says_which(command, careful, fixtures):
    (careful / "id001/prompt2.mp4").unlink()
    done = command("score", careful, "--testset", fixtures / "testset", *FAST)
    assert done.returncode == 4
    assert "id001/prompt2" in done.stderr
    assert "1 missing" in done.stdout


def test_several_submissions_give_one_line_each(command, fixtures, tmp_path):
    both = [fixtures / "submissions" / name for name in ("careful", "careless")]
    done = command("score", *both, "--testset", fixtures / "testset", *FAST, "--out", tmp_path / "runs")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "runs/careful/run.json").exists()
    assert (tmp_path / "runs/careless/run.json").exists()
    assert "careful" in done.stdout
    assert "careless" in done.stdout


def test_the_test_set_is_found_in_the_promised_places(command, careful, fixtures, tmp_path):
    lost = command("score", careful, *FAST)
    assert lost.returncode == 2
    assert all(place in lost.stderr for place in ("--testset", "IPVG_TESTSET", "testset/"))
    named = command("score", careful, *FAST, IPVG_TESTSET=str(fixtures / "testset"))
    assert named.returncode == 0, named.stderr
    (tmp_path / "testset").symlink_to(fixtures / "testset")
    beside = command("score", careful, *FAST)
    assert beside.returncode == 0, beside.stderr


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["score", "nowhere"], 2, "nowhere"),
        (["validate", "nowhere"], 2, "nowhere"),
        (["report", "nowhere"], 2, "no run.json"),
        (["score", "{careful}", "--protocol", "lit"], 2, "'lite'"),
        (["score", "{careful}", "--protocol", "missing.yaml"], 2, "missing.yaml"),
        (["score", "{careful}", "--protocol", "lite", "--metrics", "lite_moton"], 2, "'lite_motion'"),
        (["score", "{careful}"], 3, "weights pull"),
        (["score", "{careful}", "--weights", "randm"], 2, "random:SEED"),
        (["score", "{careful}", "--metrics", ","], 2, "names no metric"),
        (["score", "{careful}", "--protocol", "lite", "--device", "gpu"], 2, "auto, cpu"),
        (["score", "{careful}", "--protocol", "lite", "--device", "cuda:99"], 3, "cuda:99"),
        (["score", "{careful}", "--limit", "0"], 2, "limit"),
        (["score", "{careful}", "{careful}"], 2, "same team name"),
        (["score", "{careful}", "{fixtures}/submissions/careless", "--team", "x"], 2, "--team"),
        (["score", "{careful}", "--protocol", "lite", "--testset", "nowhere"], 2, "nowhere"),
        (["score", "{careful}", "--tset", "nowhere"], 2, "--testset"),
        (["scor", "{careful}"], 2, "score"),
        (["protocols", "show", "lit"], 2, "'lite'"),
        (["validate", "{careful}", "--track", "faces"], 2, "facial"),
    ],
)
def test_wrong_words_give_one_readable_message(command, careful, fixtures, words, code, says):
    filled = [word.format(careful=careful, fixtures=fixtures) for word in words]
    done = command(*filled, IPVG_TESTSET=str(fixtures / "testset"), TERM="dumb", NO_COLOR="1", COLUMNS="200")
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_debug_shows_the_traceback(command):
    assert "Traceback" in command("score", "nowhere", "--debug").stderr


def test_a_run_folder_in_use_or_different_is_left_alone(command, careful, fixtures, tmp_path):
    words = (
        "score",
        careful,
        "--testset",
        fixtures / "testset",
        *LITE,
        "--limit",
        "1",
        "--out",
        tmp_path / "run",
    )
    assert command(*words, "--metrics", "dynamic_degree_lite").returncode == 0
    before = (tmp_path / "run/run.json").read_bytes()
    other = command(*words, "--metrics", "lite_motion")
    assert other.returncode == 2
    assert "metrics: dynamic_degree_lite" in other.stderr
    assert (tmp_path / "run/run.json").read_bytes() == before


def test_protocols_are_listed_and_shown(command):
    assert "lite" in command("protocols", "list").stdout
    assert command("protocols", "show", "lite").stdout.startswith("name: lite\n")


def test_version(command):
    assert command("--version").stdout.startswith("ipvg-eval ")


def test_progress_goes_to_stderr_only(careful, fixtures, tmp_path):
    """On a terminal there is a bar; stdout still carries the result alone."""
    import pty

    leader, follower = pty.openpty()
    words = ["score", str(careful), "--testset", str(fixtures / "testset"), *FAST, "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "ipvg_eval", *words],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=follower,
        env={**os.environ, "TERM": "xterm"},
    )
    os.close(follower)
    seen: list[bytes] = []
    # A terminal that nobody reads from fills up, and the command would wait for it.
    reader = threading.Thread(target=_drain, args=(leader, seen))
    reader.start()
    try:
        stdout, _ = process.communicate(timeout=120)
    finally:
        process.kill()
        reader.join()
    os.close(leader)
    assert json.loads(stdout)["runs"]
    assert b"2/2" in b"".join(seen)


def _drain(terminal: int, seen: list[bytes]) -> None:
    try:
        while chunk := os.read(terminal, 65536):
            seen.append(chunk)
    except OSError:  # how Linux says that the other end is closed
        return


def test_a_full_disk_is_one_clear_error_and_loses_no_row(command, careful, fixtures, tmp_path):
    """Files that may not grow stand in for a disk that is full."""
    import resource

    words = ["score", careful, "--testset", fixtures / "testset", *LITE, "--metrics", "dynamic_degree_lite"]
    words += ["--out", tmp_path / "run"]
    assert command(*words, "--limit", "2").returncode == 0
    journal = tmp_path / "run/journal.jsonl"
    before = journal.read_bytes()
    room = len(before) + 100
    full = subprocess.run(
        [sys.executable, "-m", "ipvg_eval", *map(str, words)],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),
        check=False,
    )
    assert full.returncode == 2
    assert "cannot be written" in full.stderr
    assert "Make room" in full.stderr
    assert "Traceback" not in full.stderr
    assert journal.read_bytes().startswith(before)
    assert command(*words, "--limit", "3").returncode == 0
    assert journal.read_bytes().startswith(before)
