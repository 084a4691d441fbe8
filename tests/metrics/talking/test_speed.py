"""Speeds from a file, and files that cannot be."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest

from ipvg_eval.metrics.errors import ProtocolError
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.talking.speed import InferenceSpeed, SpeedOptions


@pytest.fixture
def measured(tmp_path, measure):
    def run(content, frames=50, fps=25.0):
        path = tmp_path / "speed.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        evaluator = InferenceSpeed(SpeedOptions(speed=str(path)), Runtime())
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        assert evaluator.weights == {"file: speed.json": sha256}
        return measure(evaluator, np.zeros((frames, 8, 8, 3), np.uint8), fps=fps)

    return run


def test_one_entry_for_all(measured):
    found = measured({"frames": 2000, "seconds": 20, "hardware": "one A100", "resolution": "512x512"})
    assert [m.value for m in found] == [100.0, 4.0]
    assert found[0].note == "one A100, 512x512"
    # The same frames per second make more seconds of a video that has fewer of them.
    assert measured({"frames": 2000, "seconds": 20, "hardware": "A"}, fps=10.0)[1].value == 10.0


def test_an_entry_by_sample_is_held_against_the_video(measured):
    entry = {"frames": 50, "seconds": 2, "hardware": "A"}
    assert [m.value for m in measured({"s": entry})] == [25.0, 1.0]
    assert "the file says 50 frames, the video has 40" in measured({"s": entry}, frames=40)[0].reason
    assert "has no 's'" in measured({"other": entry})[0].reason


def test_without_a_file_nobody_said(measure):
    found = measure(InferenceSpeed(SpeedOptions(), Runtime()), np.zeros((4, 8, 8, 3), np.uint8))
    assert all("nobody said" in m.reason for m in found)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ({"frames": 0, "seconds": 1, "hardware": "A"}, "frames"),
        ({"frames": 5, "seconds": -1, "hardware": "A"}, "seconds"),
        ({"frames": 5, "seconds": "soon", "hardware": "A"}, "seconds"),
        ({"frames": 5, "seconds": 1}, "hardware"),
        ({"frames": 1_000_000, "seconds": 1, "hardware": "A"}, "cannot be"),
        ({"1": 30.0}, "the entry"),
        ("[]", "no object"),
        ("fast", "Expecting value"),
    ],
)
def test_a_file_that_cannot_be_is_refused(measured, content, why):
    with pytest.raises(ProtocolError, match=why):
        measured(content)


def test_a_file_that_is_not_there_is_said():
    with pytest.raises(ProtocolError, match="No such file"):
        InferenceSpeed(SpeedOptions(speed="nowhere.json"), Runtime())
