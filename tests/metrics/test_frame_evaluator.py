"""A metric written on the base: a spec, its maths and one encoder call."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import Field, ValidationError

from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.batches import Batches
from ipvg_eval.metrics.evaluator import EvaluatorOptions
from ipvg_eval.metrics.frame_evaluator import FrameEvaluator
from ipvg_eval.metrics.runtime import Runtime

BRIGHTNESS = MetricSpec(
    name="brightness",
    title="Brightness",
    version=1,
    higher_is_better=None,
    bounds=(0.0, 255.0),
    source="a test",
    summary="Mean grey level.",
)


class BrightnessOptions(EvaluatorOptions):
    frame_count: int | None = Field(default=None, ge=1)


class Brightness(FrameEvaluator[np.ndarray, BrightnessOptions]):
    Options = BrightnessOptions
    SPECS = (BRIGHTNESS,)
    BUDGET = "frame_count"
    SAMPLING = "linspace_repeat"

    def __init__(self, options, runtime):
        super().__init__(options, runtime)
        self.sizes = []
        self._batches = Batches(self._encode, runtime.batch_size)

    def prepare(self, frame):
        return frame.astype(np.float64)

    def _encode(self, frames):
        self.sizes.append(len(frames))
        return np.stack(frames).mean(axis=(1, 2))

    def values(self, rows):
        return np.log(rows[:, 0]).tolist() if len(rows) else []


def film(*levels):
    return np.stack([np.full((4, 6, 3), level, dtype=np.uint8) for level in levels])


def test_the_clip_has_the_mean_of_its_frames_in_full_batches(measure):
    evaluator = Brightness(BrightnessOptions(), Runtime(batch_size=2))
    for batch in (None, 1, 2):
        (found,) = measure(evaluator, film(1, 2, 4, 8, 16), batch=batch)
        assert found.per_frame.indices == (0, 1, 2, 3, 4)
        # The logarithms of 1, 2, 4, 8 and 16 are 0 to 4 times that of 2.
        assert found.value == pytest.approx(2 * np.log(2), rel=1e-15)
        assert found.note is None
    assert evaluator.sizes == [2, 2, 1] * 3
    assert (evaluator.specs, evaluator.weights) == ((BRIGHTNESS,), {})


def test_a_frame_counts_as_often_as_the_rule_names_it(measure):
    evaluator = Brightness(BrightnessOptions(frame_count=3), Runtime())
    (found,) = measure(evaluator, film(1, 4))
    # floor(linspace(0, 1, 3)) names frame 0 twice.
    assert found.value == pytest.approx(np.log(4) / 3, rel=1e-15)


def test_lost_frames_are_told_and_none_at_all_is_missing(measure):
    evaluator = Brightness(BrightnessOptions(), Runtime())
    (part,) = measure(evaluator, film(4, 4, 4), lost=(1,))
    assert (part.note, part.per_frame.indices) == ("2 of 3 frames could be read", (0, 2))
    (nothing,) = measure(evaluator, film(4, 4), lost=(0, 1))
    assert (nothing.value, nothing.reason) == (None, "no frame could be read")


@pytest.mark.filterwarnings("ignore:divide by zero")
def test_a_value_that_is_not_finite_leaves_none(measure):
    (found,) = measure(Brightness(BrightnessOptions(), Runtime()), film(4, 0))
    assert (found.value, found.reason) == (None, "the network's output is not finite")


def test_options_cannot_be_changed_and_unknown_ones_are_refused():
    with pytest.raises(ValidationError, match="frozen"):
        BrightnessOptions().frame_count = 3
    with pytest.raises(ValidationError, match="Extra inputs"):
        BrightnessOptions(frames=3)
