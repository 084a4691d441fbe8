"""Systems of kind "command": a real program, and everything that goes wrong."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil
import pytest
import yaml

from ipvg_eval.cli.app import main
from ipvg_eval.cli.made_videos import closer_look
from ipvg_eval.reference_generator.errors import SameFailureAgain, SettingsError, SystemUnusable
from ipvg_eval.reference_generator.preset import load_settings
from ipvg_eval.reference_generator.record import read_record, record_path, records_folder
from ipvg_eval.reference_generator.run import generate

PROGRAM = Path(__file__).parents[1] / "makers" / "clip_program.py"
SECRET = "sk-lab-0123456789"
ARGV = [
    "{python}", str(PROGRAM), "--prompt={prompt}", "--refs", "{refs}", "--seed", "{seed}", "--out", "{out}",
    "--size", "{width}", "{height}", "--fps", "{fps}", "--frames", "{frames}",
]  # fmt: skip
VIDEO = {"width": 128, "height": 128, "frames": 17, "fps": 16}


@pytest.fixture
def preset(tmp_path):
    """A preset file for the program, with changes."""

    def write(*words, video=VIDEO, **command):
        values = {
            "kind": "command",
            "title": "The laboratory's own",
            "video": video,
            "command": {"argv": [*ARGV, *words], **command},
        }
        path = tmp_path / "lab.yaml"
        path.write_text(yaml.safe_dump(values))
        return str(path)

    return write


def failure(preset, jobs, out, changes=()):
    """Why the first video was not made, as the command line would look at it."""
    with closer_look() as look:
        outcome = generate(jobs[:1], load_settings(preset, changes), out, look=look)
    assert not outcome.made
    (record,) = outcome.failed
    assert record == read_record(record_path(out, jobs[0]))
    assert not (out / jobs[0].video).exists()
    assert [path.name for path in records_folder(out).rglob(".*")] == [], "nothing is left behind"
    return record


def ended(words):
    with pytest.raises(SystemExit) as left:
        main(words)
    return left.value.code or 0


def written(root, secret):
    """Files below a folder that hold a secret."""
    files = (path for path in root.rglob("*") if path.is_file())
    return [path for path in files if secret.encode() in path.read_bytes()]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("nothing", "it made no video"),
        ("empty", "empty file"),
        ("text", "text file, not a video"),
        ("folder", "no regular file"),
        ("pipe", "no regular file"),
        ("cut", "no sound video"),
        ("mpeg4", "MPEG-4 Part 2"),
    ],
)
def test_what_is_no_video_is_refused_with_the_reason(preset, jobs, tmp_path, fault, reason):
    record = failure(preset("--fault", fault), jobs, tmp_path / "out")
    assert record.kind == "system"
    assert reason in record.reason


def test_another_size_or_rate_is_refused_with_the_setting_that_would_fit(preset, jobs, tmp_path):
    record = failure(preset("--size", "192", "160"), jobs, tmp_path / "out")
    assert "192x160 pixels where 128x128 were asked for" in record.reason
    assert "--set video.width=192 --set video.height=160" in record.reason
    record = failure(preset("--fps", "24"), jobs, tmp_path / "out")
    assert "24 frames/s where 16 were asked for" in record.reason
    assert "--set video.fps=24" in record.reason


def test_more_frames_are_noted(preset, jobs, tmp_path):
    outcome = generate(jobs[:1], load_settings(preset("--frames", "21")), tmp_path / "out")
    assert outcome.made[0].frames == 21
    assert outcome.made[0].notes == ("the video has 21 frames, 17 are the settings'",)


def test_a_failing_program_shows_its_last_words_without_secrets(preset, jobs, tmp_path, monkeypatch):
    monkeypatch.setenv("LAB_KEY", SECRET)
    record = failure(preset("--fault", "exit", secrets=["LAB_KEY"]), jobs, tmp_path / "out")
    assert "exit code 7" in record.reason
    assert "step 9999 of many" in record.reason
    assert "cannot go on with key ***" in record.reason
    assert "\x1b" not in record.reason
    assert len(record.reason) < 13 * 330
    assert written(tmp_path, SECRET) == []


def test_a_program_that_hangs_is_ended_with_its_children(preset, jobs, tmp_path):
    child = tmp_path / "child"
    words = "echo waiting for ever; sleep 100000 & echo $! > $CHILD; wait"
    changes = ["command.argv=[sh, -c, '" + words + "', '{out}']", "command.timeout=5"]
    hang = preset(environment={"CHILD": str(child)})
    record = failure(hang, jobs, tmp_path / "out", changes)
    assert "did not end within 5 s" in record.reason
    assert "waiting for ever" in record.reason
    left = int(child.read_text())
    assert not psutil.pid_exists(left) or psutil.Process(left).status() == psutil.STATUS_ZOMBIE


def test_a_program_that_fails_each_time_stops_the_run(preset, jobs, tmp_path):
    with pytest.raises(SameFailureAgain, match="exit code 7"):
        generate(jobs, load_settings(preset("--fault", "exit")), tmp_path / "out")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (["command.argv=[no-such-program, '{out}']"], "cannot be found"),
        (["command.argv=[./nowhere.sh, '{out}']"], "cannot be found"),
        (["command.folder=/no/such/folder"], "folder does not exist"),
        (["command.secrets=[NO_SUCH_VARIABLE]"], r"lacks \$NO_SUCH_VARIABLE"),
    ],
)
def test_a_program_that_cannot_be_called_ends_the_run_before_the_first_video(
    preset, jobs, tmp_path, changes, reason
):
    with pytest.raises(SystemUnusable, match=reason) as raised:
        generate(jobs, load_settings(preset(), changes), tmp_path / "out")
    assert raised.value.exit_code == 3
    assert read_record(record_path(tmp_path / "out", jobs[0])) is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (["command.argv=[]"], "command.argv is empty"),
        (["command.argv=[make]"], r"use \{out\}"),
        (["command.argv=['{out}', '{promt}']"], "Did you mean 'prompt'"),
        (["command.argv=['{out}', '{env:LAB_KEY}']"], r"leave \{env:...\} out"),
        (["command.environment={LAB_KEY: abc}"], "looks like a secret"),
        (["command.timeout=.nan"], "finite"),
        (["picture.use=first_frame"], "decoupled"),
    ],
)
def test_settings_that_cannot_work_are_refused(preset, changes, reason):
    with pytest.raises(SettingsError, match=reason) as raised:
        load_settings(preset(), changes)
    assert raised.value.exit_code == 2


def test_it_has_no_tiny_variant(preset):
    with pytest.raises(SettingsError, match="no tiny variant"):
        load_settings(preset(), tiny=True)


def test_a_dry_run_says_that_its_cost_is_not_known(preset, tmp_path, picture, capsys):
    (tmp_path / "testset/id001").mkdir(parents=True)
    picture(96).save(tmp_path / "testset/id001/image.png")
    (tmp_path / "testset/id001/prompt1.txt").write_text("a woman walks")
    words = ["generate", str(tmp_path / "testset"), "--system", preset(), "--out", str(tmp_path / "out")]
    assert ended([*words, "--dry-run"]) == 0
    shown = capsys.readouterr()
    assert "is not known here" in shown.err
    assert "id001/prompt1" in shown.out
    assert not (tmp_path / "out").exists()


def test_what_only_changes_the_way_there_makes_nothing_anew(preset, jobs, tmp_path):
    out = tmp_path / "out"
    generate(jobs[:1], load_settings(preset()), out)
    changed = load_settings(preset(timeout=7, secrets=["PATH"], folder=str(tmp_path)), ["http.attempts=2"])
    assert generate(jobs[:1], changed, out).finished_before == 1
    newer = load_settings(preset(version="2"))
    assert len(generate(jobs[:1], newer, out, overwrite=True).made) == 1


def test_this_python_is_the_one_that_runs(preset):
    assert load_settings(preset()).command.argv[0] == "{python}"
    assert Path(sys.executable).exists()
