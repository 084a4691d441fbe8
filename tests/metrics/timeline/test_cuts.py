"""Cuts of real footage, counted by PySceneDetect."""

from __future__ import annotations

import numpy as np
import pytest
import scenedetect

from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.timeline.cuts import Cuts, CutsOptions

A, B, C = "An astronaut poses", "An officer poses", "Coffee is served"


@pytest.fixture(scope="module")
def evaluator():
    return Cuts(CutsOptions(), Runtime())


@pytest.mark.parametrize(("stretches", "cuts"), [((A,), 0), ((A, B), 1), ((A, B, C), 2)])
def test_hard_cuts_are_counted(film, evaluator, stretches, cuts):
    one = film(*((name, 1.0) for name in stretches))
    assert one.measure(evaluator, None)["cuts"].value == cuts


def test_it_is_what_the_package_finds_by_itself(film, evaluator):
    one = film((A, 1), (C, 1), (B, 1))
    detector = scenedetect.ContentDetector(threshold=27.0, min_scene_len=4)
    found = scenedetect.detect(str(one.path), detector)
    assert one.measure(evaluator, None)["cuts"].value == len(found) - 1
    assert one.measure(evaluator, None, batch=1)["cuts"].value == len(found) - 1


def test_a_still_and_a_bounded_video(film, evaluator):
    still = film((A, 1), still=True)
    assert still.measure(evaluator, None)["cuts"].value == 0
    few = Cuts(CutsOptions(frame_limit=4), Runtime())
    found = film((A, 1), (B, 1)).measure(few, None)["cuts"]
    assert (found.value, found.note) == (0.0, "the first 4 of 32 frames were looked at")
    lost = still.measure(evaluator, None, lost=lambda _: True)["cuts"]
    assert lost.value is None
    assert np.isfinite(still.measure(evaluator, None, lost=lambda index: index > 4)["cuts"].value)
