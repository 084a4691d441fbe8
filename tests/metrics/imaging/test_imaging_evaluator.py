"""The pass over a video with MUSIQ at full size and random weights."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.imaging.evaluator import ImagingQuality, ImagingQualityOptions
from ipvg_eval.metrics.imaging.musiq import frames_per_forward
from ipvg_eval.metrics.runtime import Runtime

Build = Callable[..., ImagingQuality]


@pytest.fixture(scope="module")
def musiq(random_runtime: Callable[..., Runtime]) -> Build:
    def build(seed: int = 0, **options: Any) -> ImagingQuality:
        return ImagingQuality(ImagingQualityOptions(**options), random_runtime(seed))

    return build


class Brightness:
    """Scores a frame by its mean grey level, 0 to 100, in place of MUSIQ."""

    def __init__(self, batch_size: int) -> None:
        self.batch_size = batch_size
        self.forwards: list[int] = []

    def prepare(self, frames: np.ndarray, mode: str) -> torch.Tensor:
        assert mode == "longer"
        return torch.tensor(frames, dtype=torch.float64).permute(0, 3, 1, 2) / 255

    def score(self, inputs: torch.Tensor) -> np.ndarray:
        self.forwards.append(len(inputs))
        return 100 * inputs.mean(dim=(1, 2, 3)).numpy()


@pytest.fixture
def brightness(musiq: Build) -> Build:
    def build(batch_size: int = 4, **options: Any) -> ImagingQuality:
        evaluator = musiq(**options)
        evaluator.scorer = Brightness(batch_size)  # type: ignore[assignment]
        return evaluator

    return build


def grey(levels: list[int], height: int = 8) -> np.ndarray:
    return np.stack([np.full((height, 8, 3), level, dtype=np.uint8) for level in levels])


def test_value_is_the_mean_over_frames_as_a_share(brightness: Build, measure) -> None:
    [measurement] = measure(brightness(), grey([0, 51, 102, 255]))
    assert measurement.value == pytest.approx(0.4, abs=1e-15)
    assert measurement.per_frame.indices == (0, 1, 2, 3)
    assert measurement.per_frame.values == pytest.approx((0.0, 0.2, 0.4, 1.0), abs=1e-15)
    assert measurement.note is None


def test_batch_borders_follow_the_order_of_frames(brightness: Build, measure) -> None:
    for calls in (1, 3, None):
        evaluator = brightness(batch_size=4)
        measure(evaluator, grey([1] * 10), batch=calls)
        assert evaluator.scorer.forwards == [4, 4, 2]


def test_result_does_not_depend_on_the_batches_of_frames(musiq: Build, panned, measure) -> None:
    frames = panned(96, 128, 3)
    evaluator = musiq()
    evaluator.scorer.batch_size = 2
    results = [measure(evaluator, frames, batch=batch) for batch in (1, None)]
    assert results[0] == results[1]
    assert len(set(results[0][0].per_frame.values)) > 1


def test_equal_frames_score_alike_and_their_mean_is_the_score(musiq: Build, panned, measure) -> None:
    [one] = measure(musiq(), panned(97, 131, 1))
    [many] = measure(musiq(), np.repeat(panned(97, 131, 1), 2, axis=0))
    assert many.value == pytest.approx(one.value, rel=1e-15)
    assert many.per_frame.values == (one.value,) * 2


def test_frames_that_never_came_are_left_out_and_named(brightness: Build, measure) -> None:
    [measurement] = measure(brightness(), grey([51] * 5), lost=(3, 4))
    assert measurement.value == pytest.approx(0.2, abs=1e-15)
    assert measurement.per_frame.values[3:] == (None, None)
    assert measurement.note == "2 of 5 frames left out: they could not be decoded"


def test_no_frame_has_no_score(brightness: Build, measure) -> None:
    [measurement] = measure(brightness(), grey([51] * 2), lost=(0, 1))
    assert measurement.value is None
    assert measurement.reason == "no frame could be decoded"


def test_a_score_that_is_not_a_number_is_left_out_and_named(brightness: Build, measure) -> None:
    evaluator = brightness()
    score = evaluator.scorer.score
    evaluator.scorer.score = lambda inputs: np.where(np.arange(len(inputs)) == 1, np.nan, score(inputs))
    [measurement] = measure(evaluator, grey([51] * 3))
    assert measurement.value == pytest.approx(0.2, abs=1e-15)
    assert measurement.per_frame.values[1] is None
    assert measurement.note == "1 of 3 frames left out: their score is not a number"


def test_a_budget_is_stated(brightness: Build, clip_info, measure) -> None:
    frames = grey([51] * 81)
    evaluator = brightness(max_frames=4)
    assert evaluator.frames(clip_info(frames)) == (0, 26, 53, 80)
    [measurement] = measure(evaluator, frames)
    assert measurement.note == "reduced frame budget: 4 of 81 frames"
    assert measurement.per_frame.indices == (0, 26, 53, 80)
    assert measure(brightness(max_frames=81), frames)[0].note is None


def test_a_change_of_frame_size_starts_a_new_batch(brightness: Build, clip_info) -> None:
    evaluator = brightness()
    a_pass = evaluator.start(None, clip_info(grey([51] * 3)))
    a_pass.add([0, 1], grey([51] * 2))
    a_pass.add([2], grey([51], height=16))
    assert a_pass.finish()[0].value == pytest.approx(0.2, abs=1e-15)
    assert evaluator.scorer.forwards == [2, 1]


def test_memory_does_not_grow_with_the_clip(brightness: Build, clip_info) -> None:
    height, width, count = 240, 320, 120
    evaluator = brightness(batch_size=1)
    clip = clip_info(np.broadcast_to(np.uint8(0), (count, height, width, 3)))
    a_pass = evaluator.start(None, clip)
    # What the first frame loads is no growth.
    a_pass.add([0], np.zeros((1, height, width, 3), dtype=np.uint8))
    tracemalloc.start()
    for index in range(1, count):
        a_pass.add([index], np.full((1, height, width, 3), index, dtype=np.uint8))
        assert len(a_pass._ticket._queue._waiting) == 0
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * height * width * 3


@pytest.mark.parametrize(
    ("sides", "batch_size", "frames"),
    [
        ((512, 512), 16, 16),  # 193 + 16 * 16 patches a frame
        ((512, 512), 4, 4),
        ((288, 512), 64, 21),  # 16 * 449 / (193 + 9 * 16) = 21.3
        ((2160, 3840), 16, 1),  # 68 * 120 patches are more than the bound alone
    ],
)
def test_frames_per_forward_pass(sides: tuple[int, int], batch_size: int, frames: int) -> None:
    assert frames_per_forward(torch.empty(1, 3, *sides, device="meta"), batch_size) == frames


def test_random_weights_follow_their_seed_and_leave_the_generator_alone(musiq, panned, measure) -> None:
    frames = panned(64, 96, 1)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    scores = [measure(musiq(seed), frames)[0].value for seed in (0, 0, 1)]
    assert torch.equal(before, torch.get_rng_state())
    assert scores[0] == scores[1] != scores[2]
    assert musiq(3).weights == {"musiq_spaq": "random:3"}


def test_weights_are_needed() -> None:
    assert ImagingQuality.required_weights(ImagingQualityOptions()) == ("musiq_spaq",)
    with pytest.raises(WeightsMissing, match="musiq_spaq"):
        ImagingQuality(ImagingQualityOptions(), Runtime())


@pytest.mark.parametrize("wrong", [{"resize": "larger"}, {"max_frames": 0}, {"antialias": True}])
def test_wrong_options_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ImagingQualityOptions(**wrong)
