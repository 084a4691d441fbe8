"""The generate command: what it prints, makes and exits with."""

from __future__ import annotations

import json
import signal

import pytest
import typer
from typer.testing import CliRunner

from ipvg_eval.cli.generate import generate as command
from ipvg_eval.cli.select import select as select_command
from ipvg_eval.reference_generator.errors import DoesNotFit, ModelsMissing, SettingsError
from ipvg_eval.reference_generator.record import records_folder
from ipvg_eval.reference_generator.systems.vace import VaceSystem
from ipvg_eval.scoring import score


@pytest.fixture
def run_command():
    app = typer.Typer()
    app.command("generate")(command)
    app.command("select")(select_command)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def testset(tmp_path, picture):
    folder = tmp_path / "testset"
    for identity in ("id001", "id002"):
        (folder / identity).mkdir(parents=True)
        picture(96, tint=int(identity[-1]) / 3).save(folder / identity / "image.png")
        for number in (1, 2):
            (folder / identity / f"prompt{number}.txt").write_text(f"a woman walks, take {number}")
    return folder


@pytest.fixture
def changes(fast):
    return [word for change in fast for word in ("--set", change)]


def test_a_dry_run_prints_estimate_and_list_and_makes_nothing(run_command, testset, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    out = tmp_path / "out"
    done = run_command("generate", testset, "--system", "vace-14b", "--out", out, "--dry-run")
    assert done.exit_code == 0, done.output
    assert "id002/prompt2.mp4" in done.stdout
    assert "17.3 billion parameters" in done.stderr
    assert "2 x 2.18e+03 TFLOP a step" in done.stderr
    assert "Wan-AI/Wan2.1-VACE-14B-diffusers, about 74.9 GB" in done.stderr
    assert not out.exists()


def test_too_little_memory_is_warned_of_with_the_flags_that_help(run_command, testset, tmp_path):
    words = ["--system", "vace-14b", "--out", tmp_path / "out", "--dry-run", "--set", "video.frames=4001"]
    done = run_command("generate", testset, *words)
    text = " ".join(done.stderr.split())
    assert "GB are needed" in text
    assert "--set runtime.vae_tiling=true" in text


def test_a_plan_for_gpus_that_are_not_here_has_parts_and_its_error(run_command, testset, tmp_path):
    done = run_command(
        "generate", testset, "--system", "vace-14b", "--out", tmp_path / "out", "--gpu", "H100x8"
    )
    assert done.exit_code == 0, done.output
    text = " ".join(done.stderr.split())
    # 2 x 50 x 2,179 TFLOP at 989 x 0.425 TFLOP/s are 518 s
    assert "Time on H100: 9 min a video (denoising 9 min, decoding 3 s), 9 min together on 8 of them" in text
    assert "within 19% of the published times" in text
    assert "none 62.0, model 50.1, group 16.9" in text
    assert not (tmp_path / "out").exists()


def test_what_cannot_fit_is_not_started_unless_told(run_command, testset, tmp_path, changes):
    words = ["generate", testset, "--system", "tiny", "--out", tmp_path / "out", *changes]
    huge = ["--set", "video.frames=400000001"]  # tokens enough for petabytes
    refused = run_command(*words, *huge)
    assert isinstance(refused.exception, DoesNotFit)
    assert refused.exception.exit_code == 3
    assert "--anyway" in refused.exception.hint
    assert not (tmp_path / "out").exists()
    told = run_command(*words, *huge, "--anyway")
    assert not isinstance(told.exception, DoesNotFit)
    assert "GB are free" in str(told.exception), "the next check has its turn"


def test_videos_are_made_shard_by_shard_and_counted(run_command, testset, tmp_path, changes, files):
    out = tmp_path / "out"
    words = ["generate", testset, "--system", "tiny", "--out", out, *changes]
    first = run_command(*words, "--shard", "1/2")
    assert first.exit_code == 0, first.output
    assert "2 videos made: " in first.stdout
    assert "TINY RANDOM MODELS" in first.stderr
    assert "videos: 2 of 2" in first.stderr
    assert run_command(*words, "--limit", "3").stdout.startswith("1 videos made, 2 were there: ")
    assert sorted(files(out)) == ["id001/prompt1.mp4", "id001/prompt2.mp4", "id002/prompt1.mp4"]
    description = json.loads((records_folder(out) / "run.json").read_text())
    assert description["settings"]["tiny"]


def test_the_first_videos_tell_how_long_the_rest_will_take(
    run_command, testset, tmp_path, changes, monkeypatch
):
    words = ["generate", testset, "--system", "tiny", "--out", tmp_path / "out", *changes]
    done = run_command(*words, "--first", "1")
    assert done.exit_code == 0, done.output
    assert "1 videos made: " in done.stdout
    assert "out.records/index.html" in done.stdout
    assert "3 are left, about " in done.stdout
    assert "without --first goes on" in " ".join(done.stdout.split())
    make = VaceSystem.make

    def interrupted(system, task):
        signal.raise_signal(signal.SIGINT)
        return make(system, task)

    monkeypatch.setattr(VaceSystem, "make", interrupted)
    stopped = run_command(*words)
    assert stopped.exit_code == 130
    assert "The video at hand is finished" in stopped.stderr
    assert "1 videos made, 1 were there" in stopped.stdout


def test_rank_and_world_size_choose_the_shard(run_command, testset, tmp_path, changes, files, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "4")
    out = tmp_path / "out"
    done = run_command("generate", testset, "--system", "vace-1.3b", "--tiny", "--out", out, *changes)
    assert done.exit_code == 0, done.output
    assert list(files(out)) == ["id001/prompt2.mp4"]


def test_failed_samples_exit_with_4_and_unusable_ones_are_named(
    run_command, testset, tmp_path, changes, files
):
    folder = testset / "id001"
    (folder / "prompt1.txt").write_text("  ")
    (folder / "prompt2.txt").write_text("0.2-0s: [walks]; 3-2s: [sits]")
    for number in (1, 2):
        (testset / "id002" / f"prompt{number}.txt").write_text("0-0.2s: [walks]; 0.2-0.3s: [sits]")
    out = tmp_path / "out"
    done = run_command("generate", testset, "--system", "tiny", "--out", out, *changes)
    assert "id001/prompt1.txt: The prompt is empty" in done.stderr
    assert "id001/prompt2" in done.stderr.split("failed:", 1)[1]
    assert done.exit_code == 4
    assert set(files(out)) == {"id002/prompt1.mp4", "id002/prompt2.mp4"}


def test_bad_input_ends_in_an_error_that_says_what_to_do(run_command, testset, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    out = ["--out", tmp_path / "out"]
    unknown = run_command("generate", testset, "--system", "vace-1.3", *out)
    assert isinstance(unknown.exception, SettingsError)
    assert unknown.exception.hint.startswith("Did you mean 'vace-1.3b'?")
    missing = run_command("generate", testset, "--system", "vace-1.3b", *out)
    assert isinstance(missing.exception, ModelsMissing)
    assert missing.exception.exit_code == 3


def test_systems_are_listed_with_their_needs(run_command):
    done = run_command("generate", "--list")
    assert done.exit_code == 0
    for name in ("vace-1.3b", "tpige-code", "decoupled-a14b", "phantom-14b", "tiny"):
        assert name in done.stdout


def test_baselines_are_scored_and_mixed_by_an_overall_score(run_command, testset, tmp_path, changes, files):
    """From test set to mixture: two systems, one weighted sum, the best of each sample."""
    protocol = tmp_path / "mine.yaml"
    protocol.write_text(
        "name: mine\nversion: 1\ntitle: Mine\ndescription: Mine.\nofficial: false\nnotice: Mine.\n"
        "evaluators:\n  - kind: lite_imaging\n"
        "combined:\n  - name: overall_score\n    title: Overall\n"
        "    weights: {lite_sharpness: 0.5, lite_noise: 0.5}\n"
    )
    words = []
    for name in ("vace-1.3b", "phantom-1.3b"):
        out = tmp_path / name
        done = run_command("generate", testset, "--system", name, "--tiny", "--out", out, *changes)
        assert done.exit_code == 0, done.output
        score(out, testset=testset, protocol=str(protocol), team=name, out=tmp_path / "runs" / name)
        words += ["--submission", out, tmp_path / "runs" / name]
    best = tmp_path / "best"
    done = run_command("select", *words, "--by", "overall", "--out", best)
    assert done.exit_code == 0, done.output
    assert len(files(best)) == 4
    record = json.loads((records_folder(best) / "selection.json").read_text())
    assert record["by"] == "overall_score"
    assert sum(record["wins"].values()) == 4
    assert record["mean"] >= max(record["means"].values())
