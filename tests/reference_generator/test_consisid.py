"""ConsisID on a tiny model of its own classes."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

from ipvg_eval.reference_generator.errors import ModelsMissing, SettingsError
from ipvg_eval.reference_generator.preset import load_settings
from ipvg_eval.reference_generator.system_loading import load_system, models_of
from ipvg_eval.reference_generator.task import Task

SIZE = ("video.width=64", "video.height=64", "video.frames=9", "sampling.steps=2")


def test_the_face_and_the_seed_make_the_video_and_steps_are_told(picture):
    settings = load_settings("consisid", SIZE, tiny=True)
    system, told = load_system(settings, models_of(settings)), []
    system.on_step = lambda done, of: told.append((done, of))

    def made(seed, tint):
        return system.make(Task(seed=seed, texts=("a man",), references=(picture(tint=tint),))).pictures

    plain = made(1, 0.0)
    assert plain.shape == (9, 64, 64, 3)
    assert told == [(1, 2), (2, 2)]
    assert np.array_equal(made(1, 0.0), plain)
    assert not np.array_equal(made(2, 0.0), plain)
    assert not np.array_equal(made(1, 0.5), plain)


@pytest.mark.skipif(find_spec("consisid_eva_clip") is not None, reason="the package is here")
def test_a_package_for_faces_that_is_not_here_is_named():
    found = models_of(load_settings("consisid", tiny=True))
    with pytest.raises(ModelsMissing, match="consisid_eva_clip") as raised:
        load_system(load_settings("consisid", ["runtime.device=cpu"]), found)
    assert "pip install consisid_eva_clip" in raised.value.hint


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("video.frames=50", r"4 n \+ 1"),
        ("video.width=712", "steps of 16"),
        ("runtime.quantisation=torchao-int8", "knows neither"),
        ("identity.scale=1", "needs a vace or phantom"),
    ],
)
def test_settings_that_cannot_work_are_refused(change, reason):
    with pytest.raises(SettingsError, match=reason):
        load_settings("consisid", [change])
