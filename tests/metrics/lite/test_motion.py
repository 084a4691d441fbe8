from __future__ import annotations

import itertools
import math
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvg_eval.core.measurement import ClipInfo
from ipvg_eval.metrics.lite.interpolation import (
    fast_motion,
    middle_flow,
    predict_middle,
    residual,
    smoothness,
)
from ipvg_eval.metrics.lite.motion import LiteMotion, LiteMotionOptions
from ipvg_eval.metrics.runtime import Runtime


@pytest.fixture(scope="module")
def evaluator():
    return LiteMotion(LiteMotionOptions(), Runtime())


def falls(values):
    return all(before > after for before, after in itertools.pairwise(values))


def shuffled(frames, share, seed):
    """A share of the frames trade places."""
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(frames))[: round(share * len(frames))]
    order = np.arange(len(frames))
    order[np.sort(chosen)] = chosen
    return [frames[i] for i in order]


def lost_frames(count, share, seed):
    return set(np.random.default_rng(seed).permutation(np.arange(1, count - 1))[: int(share * count)])


def dropped(frames, share, seed):
    """A share of the frames is missing; the video jumps over them."""
    lost = lost_frames(len(frames), share, seed)
    return [frame for i, frame in enumerate(frames) if i not in lost]


def frozen(frames, share, seed):
    """A share of the frames is missing; the one before stays in their place."""
    lost = lost_frames(len(frames), share, seed)
    video = []
    for i, frame in enumerate(frames):
        video.append(video[-1] if i in lost else frame)
    return video


def test_a_known_flow_predicts_the_middle_exactly():
    """The picture moves 6 pixels to the right and 2 down from one outer frame to the other."""
    scene = skimage.data.astronaut()
    before, true, after = (scene[100 - 1 * k : 300 - 1 * k, 100 - 3 * k : 300 - 3 * k] for k in range(3))
    to_before = np.tile(np.array([-3, -1], dtype=np.float32), (200, 200, 1))
    predicted = predict_middle(before, after, to_before)
    np.testing.assert_array_equal(predicted[3:-3, 3:-3], true[3:-3, 3:-3])


@pytest.mark.parametrize(("x", "y"), [(4, 0), (0, -6), (-6, 4)])
def test_a_translation_is_seen_and_halved(x, y):
    scene = skimage.data.astronaut()
    before = np.ascontiguousarray(scene[100:350, 100:400])
    after = np.ascontiguousarray(scene[100 - y : 350 - y, 100 - x : 400 - x])
    to_before, whole = middle_flow(before, after)
    inner = np.s_[20:-20, 20:-20]
    np.testing.assert_allclose(np.median(whole[inner], axis=(0, 1)), [x, y], atol=0.2)
    np.testing.assert_allclose(np.median(to_before[inner], axis=(0, 1)), [-x / 2, -y / 2], atol=0.1)


def test_nothing_moves_between_equal_frames():
    picture = skimage.data.coffee()
    to_before, whole = middle_flow(picture, picture)
    assert not to_before.any()
    assert not whole.any()


def test_flow_does_not_depend_on_threads():
    before, after = skimage.data.coffee(), np.roll(skimage.data.coffee(), (3, 5), axis=(0, 1))
    threads = cv2.getNumThreads()
    try:
        flows = []
        for count in (1, 2, 4):
            cv2.setNumThreads(count)
            flows.append(middle_flow(before, after)[0])
    finally:
        cv2.setNumThreads(threads)
    np.testing.assert_array_equal(flows[0], flows[1])
    np.testing.assert_array_equal(flows[0], flows[2])


@settings(deadline=None, max_examples=40)
@given(height=st.integers(32, 520), width=st.integers(32, 520), seed=st.integers(0, 99))
def test_flow_is_finite_at_every_allowed_size(height, width, seed):
    noise = np.random.default_rng(seed).integers(0, 256, (2, height, width, 3), dtype=np.uint8)
    to_before, whole = middle_flow(noise[0], noise[1])
    assert np.isfinite(to_before).all()
    assert np.isfinite(whole).all()


@pytest.mark.parametrize("shapes", [((31, 300, 3), (31, 300, 3)), ((64, 64, 3), (64, 65, 3))])
def test_flow_refuses_what_would_crash_it(shapes):
    first, second = (np.zeros(shape, dtype=np.uint8) for shape in shapes)
    with pytest.raises(ValueError, match="no flow"):
        middle_flow(first, second)


def test_residual_is_the_mean_absolute_difference():
    predicted = np.full((4, 4, 3), 100.5, dtype=np.float32)
    true = np.full((4, 4, 3), 103, dtype=np.uint8)
    assert residual(predicted, true) == 2.5
    true[:2] = 98
    assert residual(predicted, true) == 2.5


def test_smoothness_by_hand():
    assert smoothness(np.array([0.0, 0.0])) == 1.0
    assert smoothness(np.array([255.0])) == 0.0
    assert smoothness(np.array([3.0, 4.0])) == pytest.approx(1 - math.sqrt(12.5) / 255)


def test_fast_motion_by_hand():
    flow = np.zeros((20, 50, 2), dtype=np.float32)
    flow[0, :50] = [3, 4]  # exactly the fastest 5 %: 50 of 1000 pixels
    assert fast_motion(flow) == pytest.approx(5 / 20)
    flow[0, :25] = [6, 8]
    assert fast_motion(flow) == pytest.approx(7.5 / 20)
    assert fast_motion(np.zeros((20, 50, 2), dtype=np.float32)) == 0.0


def test_specs_say_what_the_numbers_mean(evaluator):
    smooth, dynamic = evaluator.specs
    assert (smooth.name, smooth.higher_is_better, smooth.bounds) == ("lite_motion", True, (0.0, 1.0))
    assert (dynamic.name, dynamic.higher_is_better) == ("dynamic_degree_lite", None)
    assert dynamic.bounds == (0.0, None)
    assert dynamic.unit == "short sides/s"
    assert smooth.proxy
    assert dynamic.proxy
    assert evaluator.weights == {}
    assert LiteMotion.required_weights(LiteMotionOptions()) == ()


@pytest.mark.parametrize(
    ("count", "triplets"), [(0, 0), (1, 0), (2, 0), (3, 1), (4, 1), (5, 2), (80, 39), (81, 40)]
)
def test_the_published_number_of_frames_is_predicted(count, triplets):
    evaluator = LiteMotion(LiteMotionOptions(), Runtime())
    clip = ClipInfo(
        frame_count=count,
        width=64,
        height=64,
        fps=16.0,
        duration=count / 16,
        times=tuple(i / 16 for i in range(count)),
    )
    measuring = evaluator.start(None, clip)
    for i in evaluator.frames(clip):
        measuring.add([i], np.zeros((1, 64, 64, 3), dtype=np.uint8))
    smooth, dynamic = measuring.finish()
    if triplets == 0:
        assert smooth.value is None
        assert smooth.reason == dynamic.reason == "fewer than 3 frames"
    else:
        assert smooth.per_frame.indices == dynamic.per_frame.indices == tuple(range(1, 2 * triplets, 2))


@settings(deadline=None, max_examples=60)
@given(count=st.integers(0, 5000), triplets=st.integers(1, 100))
def test_a_long_video_gives_whole_triplets_spread_over_it(count, triplets):
    evaluator = LiteMotion(LiteMotionOptions(triplets=triplets), Runtime())
    times = tuple(i / 16 for i in range(count))
    clip = ClipInfo(frame_count=count, width=64, height=64, fps=16.0, duration=count / 16, times=times)
    indices = evaluator.frames(clip)
    assert list(indices) == sorted(set(indices))
    assert all(0 <= i < count for i in indices)
    middles = [i for i in indices if i % 2]
    assert {j for i in middles for j in (i - 1, i, i + 1)} == set(indices)
    assert len(middles) == min(triplets, max(0, math.ceil(count / 2) - 1))
    if len(middles) > 1:
        assert middles[0] == 1
        assert middles[-1] == 2 * (math.ceil(count / 2) - 1) - 1


def test_a_still_picture_is_perfectly_smooth_and_shows_as_still(evaluator, measure):
    measured = measure(evaluator, [skimage.data.astronaut()] * 9)
    assert measured["lite_motion"].value == 1.0
    assert measured["dynamic_degree_lite"].value == 0.0
    assert measured["dynamic_degree_lite"].per_frame.values == (0.0,) * 4


def test_only_odd_frames_count(evaluator, measure, moving_clips):
    measured = measure(evaluator, moving_clips["pan"][:9])
    smooth, speed = measured["lite_motion"], measured["dynamic_degree_lite"]
    residuals = 255 * (1 - np.array(smooth.per_frame.values))
    assert smooth.value == pytest.approx(1 - math.sqrt(np.mean(residuals**2)) / 255)
    assert speed.value == pytest.approx(np.mean(speed.per_frame.values))


def test_flashing_between_black_and_white_is_the_worst(evaluator, measure):
    black, white = (np.full((64, 64, 3), level, dtype=np.uint8) for level in (0, 255))
    assert measure(evaluator, [black, white] * 4)["lite_motion"].value == 0.0


def test_a_smooth_pan_is_predicted_almost_perfectly(evaluator, measure, moving_clips):
    for clip in moving_clips.values():
        assert measure(evaluator, clip)["lite_motion"].value > 0.99


@pytest.mark.parametrize("fps", [8.0, 16.0, 25.0])
def test_the_amount_of_motion_is_a_speed(evaluator, measure, moving_clips, fps):
    """The pan moves 2.3 pixels per frame in a picture 256 pixels high."""
    value = measure(evaluator, moving_clips["pan"], fps=fps)["dynamic_degree_lite"].value
    assert value == pytest.approx(2.3 * fps / 256, rel=0.15)


def test_more_motion_is_more(evaluator, measure, moving_clips):
    pan = moving_clips["pan"]
    speeds = [measure(evaluator, pan[::step])["dynamic_degree_lite"].value for step in (1, 2, 3)]
    assert 0 < speeds[0] < speeds[1] < speeds[2]


@pytest.mark.parametrize("name", ["pan", "zoom"])
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(
    ("damage", "shares"),
    [(shuffled, (0, 0.1, 0.25, 0.5, 1)), (dropped, (0, 0.1, 0.25, 0.5)), (frozen, (0, 0.1, 0.25, 0.5))],
)
def test_disorder_lowers_smoothness_step_by_step(
    evaluator, measure, moving_clips, name, damage, shares, seed
):
    frames = list(moving_clips[name])
    values = [measure(evaluator, damage(frames, share, seed))["lite_motion"].value for share in shares]
    assert falls(values), values


@pytest.mark.parametrize(
    ("damage", "shares"), [(shuffled, (0, 0.1, 0.3, 1)), (dropped, (0, 0.2, 0.5)), (frozen, (0, 0.2, 0.5))]
)
def test_real_videos_lose_by_disorder(evaluator, measure, shared_data, read_video, damage, shares):
    for path in sorted((shared_data / "videos").glob("*.mp4")):
        frames = [cv2.resize(frame, (320, 180), interpolation=cv2.INTER_AREA) for frame in read_video(path)]
        values = [measure(evaluator, damage(frames, share, 0))["lite_motion"].value for share in shares]
        assert falls(values), (path, values)


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_batching_changes_nothing(measure, moving_clips, batch):
    evaluator = LiteMotion(LiteMotionOptions(triplets=5), Runtime())
    clip = moving_clips["zoom"]
    assert measure(evaluator, clip, batch=batch) == measure(evaluator, clip, batch=2)


def test_a_damaged_tail_is_measured_as_far_as_it_goes(evaluator, measure, moving_clips):
    clip = moving_clips["pan"][:11]
    cut = measure(evaluator, clip, arriving=6)
    whole = measure(evaluator, clip)
    for name in ("lite_motion", "dynamic_degree_lite"):
        assert cut[name].per_frame.indices == whole[name].per_frame.indices == (1, 3, 5, 7, 9)
        assert cut[name].per_frame.values == (*whole[name].per_frame.values[:2], None, None, None)
        assert cut[name].value is not None


def test_a_hole_costs_the_triplets_around_it(evaluator, clip_of, moving_clips):
    frames = moving_clips["pan"][:9]
    measuring = evaluator.start(None, clip_of(frames))
    for i in (0, 1, 2, 4, 5, 6, 7, 8):
        measuring.add([i], frames[i][None])
    smooth, _ = measuring.finish()
    assert [value is None for value in smooth.per_frame.values] == [False, True, False, False]


def test_too_little_to_measure_is_none_with_the_reason(evaluator, measure):
    picture = skimage.data.coffee()
    cases = {
        "fewer than 3 frames": measure(evaluator, [picture] * 2),
        "no three consecutive frames could be decoded": measure(evaluator, [picture] * 9, arriving=2),
        "the frames are smaller than 32 pixels": measure(evaluator, [picture[:20]] * 5),
    }
    for reason, measured in cases.items():
        for measurement in measured.values():
            assert measurement.value is None
            assert measurement.reason == reason


def test_frames_without_times_have_no_speed(evaluator, moving_clips):
    frames = moving_clips["pan"][:5]
    clip = ClipInfo(frame_count=5, width=384, height=256, fps=16.0, duration=0.3, times=(0.0,) * 5)
    measuring = evaluator.start(None, clip)
    measuring.add(range(5), frames)
    smooth, dynamic = measuring.finish()
    assert smooth.value is not None
    assert dynamic.value is None
    assert dynamic.reason == "the frames have no increasing times"


def test_a_change_of_size_within_the_video_is_scaled_away(evaluator, clip_of):
    picture = skimage.data.astronaut()
    frames = [picture, picture, np.ascontiguousarray(picture[::2, ::2])]
    measuring = evaluator.start(None, clip_of(frames))
    for i, frame in enumerate(frames):
        measuring.add([i], frame[None])
    assert measuring.finish()[0].value > 0.9


def test_a_fresh_process_measures_the_same_bits(evaluator, measure, moving_clips, tmp_path):
    measured = measure(evaluator, moving_clips["zoom"][:5])
    here = [measurement.value.hex() for measurement in measured.values()]
    frames = tmp_path / "frames.npy"
    np.save(frames, moving_clips["zoom"][:5])
    script = f"""
import numpy as np
from ipvg_eval.metrics.evaluator import ClipInfo
from ipvg_eval.metrics.lite.motion import LiteMotion, LiteMotionOptions
from ipvg_eval.metrics.runtime import Runtime
frames = np.load({str(frames)!r})
times = tuple(i / 16.0 for i in range(5))
clip = ClipInfo(frame_count=5, width=384, height=256, fps=16.0, duration=5 / 16, times=times)
measuring = LiteMotion(LiteMotionOptions(), Runtime()).start(None, clip)
measuring.add(range(5), frames)
print(*(measurement.value.hex() for measurement in measuring.finish()))
"""
    fresh = subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).resolve().parents[3],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert fresh.stdout.split() == here
