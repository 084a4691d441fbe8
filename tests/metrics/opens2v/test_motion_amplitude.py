"""Motion amplitude against the published procedure, and against motion that is known."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from ipvg_eval.metrics.opens2v.farneback import grey
from ipvg_eval.metrics.opens2v.motion_amplitude import MotionAmplitude
from ipvg_eval.metrics.runtime import Runtime

NAME, UNIT = "motion_amplitude", "motion_amplitude_unit"


def published(frames):
    """The published number: all small flow maps at once, averaged over time, then over everything."""
    greys = [cv2.cvtColor(np.array(frame), cv2.COLOR_BGR2GRAY) for frame in frames]
    maps = []
    for before, after in itertools.pairwise(greys):
        flow = cv2.calcOpticalFlowFarneback(before, after, None, 0.5, 3, 15, 3, 5, 1.2, 0)
        height, width = flow.shape[:2]
        maps.append(cv2.resize(flow, (16, int(height * (16 / width))), interpolation=cv2.INTER_AREA))
    return abs(float(np.mean(np.mean(np.array(maps), axis=0))))


@pytest.fixture(scope="module")
def texture():
    """Blurred noise: unlike the photograph it has no flat places, in which motion cannot be seen."""
    noise = np.random.default_rng(0).normal(size=(512, 512)).astype(np.float32)
    smooth = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 0, 255, cv2.NORM_MINMAX)
    return np.repeat(smooth.astype(np.uint8)[..., None], 3, axis=2)


@pytest.fixture
def evaluator():
    return lambda **options: MotionAmplitude(MotionAmplitude.Options(**options), Runtime())


@pytest.mark.parametrize(("right", "down"), [(2, 1), (-3, 1), (1, -1), (0, 0)])
def test_the_published_procedure(right, down, evaluator, run, target, clip, moving):
    frames = moving(7, right, down)
    rng = np.random.default_rng(0)
    noisy = np.clip(frames + rng.normal(0, 6, frames.shape), 0, 255).astype(np.uint8)
    found = run(evaluator(), target(), clip(7), noisy)
    assert found[NAME].value == pytest.approx(published(noisy), rel=1e-5, abs=1e-7)


def test_portrait_frames(evaluator, run, target, clip, moving):
    frames = np.ascontiguousarray(moving(3, 2, 1).transpose(0, 2, 1, 3))
    found = run(evaluator(), target(), clip(3, width=96, height=160), frames)
    assert found[NAME].value == pytest.approx(published(frames), rel=1e-5)


def test_known_motion(evaluator, run, target, clip, moving, texture):
    """The window moves right and down, so the picture moves left and up: the mean of -3 and -1 is -2.

    What enters at the border of the window has no counterpart, hence the tolerance.
    """
    found = run(evaluator(), target(), clip(5), moving(5, 3, 1, picture=texture))
    assert found[NAME].value == pytest.approx(2.0, rel=0.1)
    assert found[UNIT].value == 1.0
    assert np.array(found[NAME].per_frame.values) == pytest.approx(-2.0, rel=0.1)
    assert found[NAME].per_frame.indices == (1, 2, 3, 4)


def test_opposite_directions_cancel_as_published(evaluator, run, target, clip, moving, texture):
    """Three pixels to the left and three down have a mean of nothing: the number has a sign until the end."""
    aslant, along = (
        run(evaluator(), target(), clip(5), moving(5, 3, down, picture=texture))[NAME].value
        for down in (-3, 3)
    )
    assert along == pytest.approx(3.0, rel=0.1)
    assert aslant < 0.1


def test_a_still_video_does_not_move(evaluator, run, target, clip, moving):
    found = run(evaluator(), target(), clip(4), moving(4, 0, 0))
    assert 0.0 <= found[NAME].value == found[UNIT].value < 1e-4


def test_red_weighs_as_blue():
    """0.114 x 255 = 29.07 and 0.299 x 255 = 76.2: OpenCV reads the RGB frames as BGR."""
    red, blue = np.zeros((2, 1, 1, 3), dtype=np.uint8)
    red[..., 0] = blue[..., 2] = 255
    assert (grey(red), grey(blue)) == (29, 76)


@pytest.mark.parametrize("step", [1, 2, 3])
def test_batching_changes_nothing(step, evaluator, run, target, clip, moving):
    frames = moving(6, 2, 1)
    whole, parts = (run(evaluator(), target(), clip(6), frames, step=s) for s in (None, step))
    assert whole == parts


def test_frames_that_never_come_leave_their_pairs_out(evaluator, run, target, clip, moving):
    frames = moving(6, 2, 1)
    found = run(evaluator(), target(), clip(6), frames, keep={0, 1, 2, 4, 5})[NAME]
    assert found.per_frame.values[2:4] == (None, None)
    assert "2 of 5 frame pairs left out: frames could not be decoded" in found.note
    pairs = [published(frames[i : i + 2]) for i in (0, 1, 4)]
    assert found.value == pytest.approx(np.mean(pairs), rel=1e-5)


def test_a_budget_takes_whole_pairs_and_says_so(evaluator, run, target, clip, moving):
    made = evaluator(max_pairs=2)
    assert made.frames(clip(9)) == [0, 1, 7, 8]
    found = run(made, target(), clip(9), moving(9, 2, 1))[NAME]
    assert found.note == "reduced frame budget: 2 of 8 frame pairs"


def test_what_cannot_be_compared_has_a_reason(evaluator, run, target, clip, moving):
    for count in (0, 1):
        found = run(evaluator(), target(), clip(count), moving(1, 0, 0))
        assert {m.value for m in found.values()} == {None}
        assert {m.reason for m in found.values()} == {"fewer than 2 frames"}
    nothing = run(evaluator(), target(), clip(4), moving(4, 1, 1), keep={0, 2})[NAME]
    assert "frames could not be decoded" in nothing.reason
    wide = run(evaluator(), target(), clip(2, width=160, height=9), moving(2, 1, 0)[:, :9])[NAME]
    assert "too wide" in wide.reason
    measuring = evaluator().start(target(), clip(3))
    for index, frame in enumerate((*moving(2, 1, 1), moving(1, 0, 0)[0][:48])):
        measuring.add([index], frame[None])
    assert "1 of 2 frame pairs left out: the frame size changes" in measuring.finish()[0].note


def test_options_are_strict():
    with pytest.raises(ValidationError):
        MotionAmplitude.Options(frames=3)
    assert MotionAmplitude.required_weights(MotionAmplitude.Options()) == ()
