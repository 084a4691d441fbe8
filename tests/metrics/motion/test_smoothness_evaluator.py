"""The pass over a video: closed forms with a known interpolator, and AMT-S itself with random weights."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from pydantic import ValidationError

from ipvg_eval.core.measurement import Frames
from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.motion.evaluator import MotionSmoothness, MotionSmoothnessOptions
from ipvg_eval.metrics.runtime import Runtime

Build = Callable[..., MotionSmoothness]


class Midpoint:
    """Averages two frames: a perfect prediction of whatever changes linearly."""

    def __init__(self, unusable: int | None = None) -> None:
        self._calls = 0
        self._unusable = unusable

    def middle(
        self, first: Sequence[Frames], second: Sequence[Frames], *, scale: float
    ) -> tuple[Frames, npt.NDArray[np.bool_]]:
        assert scale == 1.0
        self._calls += 1
        usable = np.full(len(first), self._calls != self._unusable)
        return ((np.stack(first).astype(np.uint16) + np.stack(second)) // 2).astype(np.uint8), usable


@pytest.fixture(scope="module")
def amt(random_runtime: Callable[..., Runtime]) -> Build:
    return lambda seed=0, **options: MotionSmoothness(
        MotionSmoothnessOptions(**options), random_runtime(seed)
    )


@pytest.fixture(scope="module")
def midpoint(amt: Build) -> Build:
    def build(unusable: int | None = None, **options: Any) -> MotionSmoothness:
        evaluator = amt(**options)
        evaluator.interpolator = Midpoint(unusable)
        return evaluator

    return build


def grey(levels: list[int], height: int = 128, width: int = 144) -> Frames:
    return np.stack([np.full((height, width, 3), level, dtype=np.uint8) for level in levels])


def test_a_still_clip_is_perfectly_smooth(midpoint: Build, panned, measure) -> None:
    [measurement] = measure(midpoint(), np.repeat(panned(128, 144, 1), 7, axis=0))
    assert measurement.value == 1.0
    assert measurement.per_frame.indices == (1, 3, 5)
    assert measurement.per_frame.values == (1.0, 1.0, 1.0)


def test_a_steady_fade_is_perfectly_smooth(midpoint: Build, measure) -> None:
    [measurement] = measure(midpoint(), grey([0, 10, 20, 30, 40]))
    assert measurement.value == 1.0


def test_flicker_scores_by_its_height(midpoint: Build, measure) -> None:
    # Odd frames are 51 grey levels from the middle of their neighbours, then 102: 1 - 153 / 2 / 255.
    [measurement] = measure(midpoint(), grey([100, 151, 100, 202, 100]))
    assert measurement.value == pytest.approx(0.7, abs=1e-15)
    assert measurement.per_frame.values == (0.8, 0.6)
    [worst] = measure(midpoint(), grey([0, 255, 0]))
    assert worst.value == 0.0


@pytest.mark.parametrize("pairs", [1, 2])
def test_result_does_not_depend_on_the_batches_of_frames(amt: Build, panned, measure, pairs: int) -> None:
    frames = panned(128, 136, 7)
    evaluator = amt(pairs_per_forward=pairs)
    results = [measure(evaluator, frames, batch=batch) for batch in (1, 3, None)]
    assert results[0] == results[1] == results[2]
    spec = evaluator.specs[0]
    low, high = spec.bounds
    assert low <= results[0][0].value <= high
    assert results[0][0].name == spec.name


def test_per_frame_values_average_to_the_score(amt: Build, panned, measure) -> None:
    [measurement] = measure(amt(), panned(128, 136, 7))
    assert measurement.per_frame.indices == (1, 3, 5)
    assert np.mean(measurement.per_frame.values) == pytest.approx(measurement.value, abs=1e-12)


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_frames_have_no_score(midpoint: Build, measure, count: int) -> None:
    [measurement] = measure(midpoint(), grey([9] * count))
    assert measurement.value is None
    assert measurement.reason == f"fewer than 3 frames ({count})"


def test_a_damaged_tail_leaves_its_pairs_out(midpoint: Build, measure) -> None:
    [measurement] = measure(midpoint(), grey([0, 51, 0, 0, 0, 0, 0, 0, 0]), lost=(5, 6, 7, 8))
    assert measurement.per_frame.indices == (1, 3, 5, 7)
    assert measurement.per_frame.values == (0.8, 1.0, None, None)
    assert measurement.value == pytest.approx(0.9, abs=1e-15)
    assert measurement.note == "2 of 4 frame pairs left out: frames could not be decoded"


@pytest.mark.parametrize(("lost", "values"), [((3,), (1.0, None, 1.0)), ((2,), (None, None, 1.0))])
def test_a_lost_frame_leaves_out_only_the_pairs_that_need_it(
    midpoint: Build, measure, lost: tuple[int, ...], values: tuple[float | None, ...]
) -> None:
    [measurement] = measure(midpoint(), grey([5] * 7), lost=lost)
    assert measurement.per_frame.values == values


def test_nothing_decoded_has_no_score(midpoint: Build, measure) -> None:
    [measurement] = measure(midpoint(), grey([5] * 3), lost=(0, 1, 2))
    assert measurement.value is None
    assert measurement.reason == "no pair of frames could be scored: frames could not be decoded"


def test_a_budget_is_stated(midpoint: Build, clip_info, measure) -> None:
    frames = grey([5] * 9)
    evaluator = midpoint(max_pairs=2)
    assert evaluator.frames(clip_info(frames)) == [0, 1, 2, 6, 7, 8]
    [measurement] = measure(evaluator, frames)
    assert measurement.note == "reduced frame budget: 2 of 4 frame pairs"
    assert measurement.per_frame.indices == (1, 7)
    [whole] = measure(midpoint(max_pairs=4), frames)
    assert whole.note is None


def test_a_change_of_frame_size_leaves_the_pair_out(midpoint: Build, clip_info) -> None:
    evaluator = midpoint()
    a_pass = evaluator.start(None, clip_info(grey([5] * 7)))
    a_pass.add([0, 1, 2, 3], grey([5] * 4))
    a_pass.add([4, 5, 6], grey([5] * 3, height=160))
    [measurement] = a_pass.finish()
    assert measurement.per_frame.values == (1.0, None, 1.0)
    assert measurement.note == "1 of 3 frame pairs left out: the frame size changes"


def test_frames_too_small_for_the_network_have_no_score(amt: Build, panned, measure) -> None:
    [measurement] = measure(amt(), panned(112, 160, 3))
    assert measurement.value is None
    assert "160x112 are too small" in measurement.reason
    [barely] = measure(amt(), panned(113, 160, 3))
    assert barely.value is not None


def test_a_prediction_that_is_not_a_number_is_left_out(midpoint: Build, measure) -> None:
    [measurement] = measure(midpoint(unusable=1), grey([5] * 5))
    assert measurement.per_frame.values == (None, 1.0)
    assert measurement.note == "1 of 2 frame pairs left out: the network's prediction is not a number"


def test_amt_reports_predictions_that_are_not_numbers(amt: Build, panned) -> None:
    frames = panned(96, 128, 2)  # a single cell at the coarsest correlation level divides by zero
    _, usable = amt().interpolator.middle(frames[:1], frames[1:], scale=1.0)
    assert not usable.any()


def test_memory_does_not_grow_with_the_clip(midpoint: Build, clip_info) -> None:
    height, width, count = 240, 320, 200
    frame_bytes = height * width * 3
    evaluator = midpoint()
    clip = clip_info(np.broadcast_to(np.uint8(0), (count, height, width, 3)))
    a_pass = evaluator.start(None, clip)
    for index in range(3):  # what the first frames load once is no growth
        a_pass.add([index], np.full((1, height, width, 3), index, dtype=np.uint8))
    tracemalloc.start()
    for index in range(3, count):
        a_pass.add([index], np.full((1, height, width, 3), index, dtype=np.uint8))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 15 * frame_bytes


def test_random_weights_follow_their_seed_and_leave_the_generator_alone(amt: Build, panned, measure) -> None:
    frames = panned(128, 128, 3)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    scores = [measure(amt(seed), frames)[0].value for seed in (0, 0, 1)]
    assert torch.equal(before, torch.get_rng_state())
    assert scores[0] == scores[1] != scores[2]
    assert amt(3).weights == {"amt_s": "random:3"}


def test_reduced_precision_stays_close(amt: Build, random_runtime, panned, measure) -> None:
    frames = panned(128, 128, 3)
    halved = MotionSmoothness(MotionSmoothnessOptions(), random_runtime(dtype="bfloat16"))
    # bfloat16 keeps 8 bits: 1/256 of the range.
    assert measure(halved, frames)[0].value == pytest.approx(measure(amt(), frames)[0].value, abs=1 / 256)


def test_weights_are_needed() -> None:
    assert MotionSmoothness.required_weights(MotionSmoothnessOptions()) == ("amt_s",)
    with pytest.raises(WeightsMissing, match="amt_s"):
        MotionSmoothness(MotionSmoothnessOptions(), Runtime())


@pytest.mark.parametrize(
    "wrong", [{"memory_gib": 2.0}, {"max_pairs": 0}, {"pairs_per_forward": 0}, {"scale": 1.0}]
)
def test_wrong_options_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        MotionSmoothnessOptions(**wrong)
