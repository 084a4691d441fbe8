"""Does the doctor find what is wrong, and keep what it found?"""

from __future__ import annotations

import hashlib
import json
import sys

import cv2
import numpy as np
import pytest

from ipvg_eval.core.packages import EXTRAS
from ipvg_eval.core.verdict import Verdict
from ipvg_eval.doctor import machine
from ipvg_eval.doctor.examination import examine
from ipvg_eval.doctor.goldens import Golden
from ipvg_eval.doctor.measuring import SAMPLE
from ipvg_eval.doctor.numbers import check_numbers
from ipvg_eval.metrics.lite.faces import LiteFaces
from ipvg_eval.metrics.lite.imaging import LiteImaging
from ipvg_eval.metrics.opens2v.motion_amplitude import MotionAmplitude
from ipvg_eval.metrics.protocols.loading import load_protocol
from ipvg_eval.metrics.weight_file import ReleaseAsset
from ipvg_eval.metrics.weights import WeightFile, WeightStore
from ipvg_eval.metrics.weights.places import Places
from ipvg_eval.results.doctor_record import (
    CheckedMetric,
    DoctorRecord,
    read_record,
    record_path,
    verdicts_of,
    write_record,
)


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("IPVG_WEIGHTS_DIR", raising=False)


def checked(protocol: str, *metrics: str, **arguments):
    found = check_numbers(
        load_protocol(protocol).select(metrics), device="cpu", store=WeightStore(), **arguments
    )
    return {number.metric: number for number in found}


def in_blue(frames):
    return frames[..., ::-1]


def cropped(frames):
    height, width = frames.shape[1:3]
    return np.stack([cv2.resize(f[height // 4 :, width // 4 :], (width, height)) for f in frames])


def scaled(frames):
    return np.ascontiguousarray(frames[:, ::2, ::2])


def plant(monkeypatch, cls, change):
    """Have an evaluator see other frames than were decoded."""
    start = cls.start

    def changed(self, target, clip):
        watching = start(self, target, clip)
        add = watching.add
        watching.add = lambda indices, frames: add(indices, np.ascontiguousarray(change(frames)))
        return watching

    monkeypatch.setattr(cls, "start", changed)


def test_a_sound_installation_is_unchecked_where_nothing_is_published():
    numbers = checked("lite", "lite_identity", "lite_sharpness")
    assert {n.verdict for n in numbers.values()} == {Verdict.UNCHECKED}


@pytest.mark.parametrize("change", [in_blue, cropped, scaled])
def test_wrong_preprocessing_of_faces_is_wrong(monkeypatch, change):
    plant(monkeypatch, LiteFaces, change)
    assert checked("lite", "lite_identity")["lite_identity"].verdict is Verdict.WRONG


@pytest.mark.parametrize("change", [cropped, scaled])
def test_wrong_preprocessing_of_pictures_is_wrong(monkeypatch, change):
    plant(monkeypatch, LiteImaging, change)
    assert checked("lite", "lite_sharpness")["lite_sharpness"].verdict is Verdict.WRONG


def stand_in(tmp_path) -> tuple[WeightStore, Golden]:
    """A published number of our own: the sample's flow, as the maker script recorded it."""
    clip = (SAMPLE / "clip.mp4").read_bytes()
    entry = WeightFile(
        name="a_clip",
        used_by=(),
        source=ReleaseAsset(url="http://127.0.0.1:9/a.mp4"),
        file_name="a.mp4",
        size=len(clip),
        sha256=hashlib.sha256(clip).hexdigest(),
        licence="public domain",
    )
    places = Places(weights_dir=tmp_path / "inputs", cache_dir=tmp_path / "none", hub_cache=tmp_path / "hub")
    value, tolerance = json.loads((SAMPLE / "recorded.json").read_text("utf-8"))["motion_amplitude"]
    golden = Golden(
        metric="motion_amplitude",
        evaluator="motion_amplitude",
        video="a_clip",
        value=value,
        tolerance=tolerance,
        source="",
    )
    places.target.mkdir()
    return WeightStore(table={"a_clip": entry}, places=places), golden


def test_a_published_number_is_reproduced_once_its_file_is_here(monkeypatch, tmp_path):
    inputs, golden = stand_in(tmp_path)

    def verdict():
        numbers = checked("opens2v-total", "motion_amplitude", inputs=inputs, goldens=[golden])
        return numbers["motion_amplitude"].verdict

    assert verdict() is Verdict.UNCHECKED
    (tmp_path / "inputs" / "any name.mp4").write_bytes((SAMPLE / "clip.mp4").read_bytes())
    inputs.refresh()
    assert verdict() is Verdict.REPRODUCES
    plant(monkeypatch, MotionAmplitude, scaled)
    assert verdict() is Verdict.WRONG


def test_what_is_missing_is_said_with_what_brings_it():
    examination = examine("opens2v")
    assert not examination.ok
    [weights] = [finding for finding in examination.findings if finding.what == "weights"]
    assert weights.state == "bad"
    assert weights.hint.startswith("ipvg-eval weights pull ")
    assert {number.verdict for number in examination.numbers} == {None}


def test_a_package_that_does_not_import_is_broken_not_absent(monkeypatch, tmp_path):
    (tmp_path / "uvicorn.py").write_text("raise ImportError('no symbol')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "uvicorn", raising=False)
    found = {finding.what: finding for finding in machine._extras()}
    assert found["[study]"].state == "bad"
    assert "no symbol" in found["[study]"].detail
    assert found["[sign]"].state == "good"
    assert set(found) >= {f"[{extra}]" for extra in EXTRAS}


def test_two_opencv_packages_overwrite_each_other(monkeypatch):
    monkeypatch.setattr(machine.metadata, "version", lambda _name: "5.0")
    found = machine._opencv()
    assert found.state == "bad"
    assert "pip uninstall" in found.hint


def test_a_cache_that_is_no_folder_is_found(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("IPVG_WEIGHTS_DIR", str(tmp_path / "file"))
    assert machine._cache().state == "bad"


def test_a_disk_without_room_is_found(monkeypatch):
    monkeypatch.setattr(machine, "_ROOM", 1 << 60)
    found = machine._cache()
    assert found.state == "bad"
    assert "free" in found.detail


def test_a_half_installed_extra_is_named_with_what_it_lacks(monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    [found] = [finding for finding in machine._extras() if finding.what == "[study]"]
    assert (found.state, found.hint) == ("bad", "pip install 'ipvg-eval[study]'")
    assert "without uvicorn" in found.detail


def test_a_clock_of_last_year_is_found():
    assert machine._clock(machine.Path(machine.__file__).stat().st_mtime - 400 * 86_400).state == "bad"


def record(**changes) -> DoctorRecord:
    metric = CheckedMetric(verdict=Verdict.REPRODUCES, weights={"net": "a" * 64})
    fields = {
        "time": "2026-01-01T00:00:00+00:00",
        "device": "cpu",
        "packages": {"av": "1"},
        "metrics": {"m": metric},
    }
    return DoctorRecord.model_validate(fields | changes)


def test_a_verdict_holds_for_the_same_weights_packages_and_device_only():
    write_record(record())
    weights, packages = {"net": "a" * 64, "other": "b" * 64}, {"av": "1"}
    assert verdicts_of(["m", "n"], weights, packages, "cpu") == {
        "m": Verdict.REPRODUCES,
        "n": Verdict.UNCHECKED,
    }
    for other in (
        ({"net": "c" * 64}, packages, "cpu"),
        (weights, {"av": "2"}, "cpu"),
        (weights, packages, "cuda:0"),
    ):
        assert verdicts_of(["m"], *other) == {"m": Verdict.UNCHECKED}


def test_a_second_examination_keeps_what_the_first_found_of_other_metrics():
    write_record(record())
    write_record(record(metrics={"n": CheckedMetric(verdict=Verdict.WRONG, weights={})}))
    assert {name: m.verdict for name, m in read_record().metrics.items()} == {
        "m": Verdict.REPRODUCES,
        "n": Verdict.WRONG,
    }
    write_record(record(device="cuda:0", metrics={}))
    assert read_record().metrics == {}


def test_a_damaged_record_says_nothing():
    record_path().parent.mkdir(parents=True)
    record_path().write_text("{")
    assert verdicts_of(["m"], {}, {}, "cpu") == {"m": Verdict.UNCHECKED}
