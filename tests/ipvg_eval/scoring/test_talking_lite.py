"""The fixtures' talking heads under the protocol that needs no download."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipvg_eval.core.comparability import differences
from ipvg_eval.scoring import Recipe, score
from ipvg_eval.testset import load_testset

TALKING = Path(__file__).resolve().parents[3] / "fixtures" / "talking"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    scorer = Recipe(protocol="talking-head-lite", device="cpu").build()
    return {
        team: score(
            TALKING / "submissions" / team,
            testset=TALKING / "testset",
            recipe=scorer,
            out=folder / team,
            decoders=1,
        )
        for team in ("late", "timed")
    }


@pytest.fixture(scope="module")
def sound_of(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sounds")
    metrics = ("audio_present", "audio_agrees", "audio_lag", "duration_difference")
    scorer = Recipe(protocol="talking-head-lite", metrics=metrics, device="cpu").build()

    def run(team, **settings):
        return score(
            TALKING / "submissions" / team, recipe=scorer, out=folder / f"{team}{len(settings)}", **settings
        )

    return run


def _rows(run):
    rows = run.folder.journal.read()
    return [rows[name] for name in sorted(rows)]


def _values(run, name):
    return [next(m.value for m in row.measurements if m.name == name) for row in _rows(run)]


def _reasons(run, name):
    return [next(m.reason for m in row.measurements if m.name == name) for row in _rows(run)]


def test_every_value_is_there_or_has_its_reason(runs):
    for run in runs.values():
        for row in _rows(run):
            assert row.status == "scored"
            missing = {m.name: m.reason for m in row.measurements if m.value is None}
            short = row.facts.duration < 8
            assert set(missing) == ({"lite_lip_sync", "lite_lip_lag"} if short else set())
            assert all("below 8 s" in reason for reason in missing.values())


def test_a_mouth_that_is_five_frames_late_is_five_frames_late(runs):
    (timed, _), (late, _) = (_values(runs[team], "lite_lip_lag") for team in ("timed", "late"))
    assert timed - late == 5


def test_sound_and_length_are_those_of_the_test_set(runs):
    run = runs["timed"]
    assert _values(run, "audio_present") == [1.0, 1.0]
    assert min(_values(run, "audio_agrees")) > 0.99
    assert _values(run, "audio_lag") == [0.0, 0.0]
    assert _values(run, "duration_difference") == pytest.approx([0.0, 0.0], abs=1e-9)


def test_mute_and_foreign_sounds_show(sound_of):
    mute = sound_of("mute", testset=TALKING / "testset")
    assert _values(mute, "audio_present") == [0.0, 0.0]
    assert _reasons(mute, "audio_agrees") == ["the file has no sound"] * 2
    foreign = sound_of("foreign", testset=TALKING / "testset")
    assert max(_values(foreign, "audio_agrees")) < 0.5


def test_a_run_records_what_made_its_numbers(runs):
    info = runs["timed"].info
    assert "libswresample" in info.decoder
    testset = load_testset(TALKING / "testset")
    assert info.weights["reference_videos"] == testset.reference_videos
    assert not differences(info, runs["late"].info)


def test_runs_with_other_real_videos_do_not_compare(sound_of):
    folder = TALKING / "submissions" / "late"
    with_real = sound_of("late", testset=TALKING / "testset")
    other = sound_of("late", testset=load_testset(TALKING / "testset", reference_videos=folder), limit=2)
    assert set(differences(with_real.info, other.info)) == {"weights of reference_videos"}


def test_other_protocols_hear_nothing():
    scorer = Recipe(protocol="lite", device="cpu").build()
    assert "libswresample" not in scorer.info.decoder
