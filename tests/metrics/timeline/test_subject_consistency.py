"""CON from the subjects' crops: closed forms, and planted subjects in changing scenes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from planted_things import ColourDetector, clip_of, framed, quick_dino, scene

from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.subject.appearances import Appearances
from ipvg_eval.metrics.subject.evaluator import SubjectMetrics, SubjectOptions
from ipvg_eval.metrics.target import Reference, Target
from ipvg_eval.metrics.timeline.configuration import TimelineAlignmentOptions
from ipvg_eval.metrics.timeline.evaluator import TimelineAlignment
from ipvg_eval.metrics.timeline.scorers.prototype_encoder import PrototypeEncoder
from ipvg_eval.metrics.timeline.scorers.text_video_scorer import EmbeddingScorer
from ipvg_eval.metrics.timeline.subject_consistency import crop_consistency
from ipvg_eval.metrics.weights import RandomWeights

TIMES = tuple(i / 4 for i in range(8))
HALVES = ((0.0, 1.0), (1.0, 2.0))
NOWHERE = (math.nan, math.nan)


def seen(*subjects) -> Appearances:
    """One list of eight directions per subject; an angle in degrees, or None where it was not found."""
    rows = np.array(
        [
            [NOWHERE if a is None else (math.cos(math.radians(a)), math.sin(math.radians(a))) for a in angles]
            for angles in subjects
        ],
        dtype=np.float32,
    )
    return Appearances(
        indices=tuple(range(8)), rows=rows.transpose(1, 0, 2), detected=True, note="the subjects' crops"
    )


def con(appearances, intervals=HALVES, duration=2.0):
    return crop_consistency(appearances, intervals, TIMES, duration)


def test_a_subject_that_stays_the_same_is_perfect():
    found = con(seen([30] * 8))
    assert (found.mean, found.least, found.reason) == (pytest.approx(1), pytest.approx(1), None)


def test_the_cosine_between_events_counts_and_its_mean_over_subjects():
    found = con(seen([0] * 4 + [60] * 4, [0] * 8))
    assert found.mean == pytest.approx((0.5 + 1) / 2, abs=1e-6)
    assert found.least == pytest.approx(0.5, abs=1e-6)


def test_three_events_have_three_pairs():
    thirds = ((0.0, 0.5), (0.5, 1.0), (1.0, 2.0))
    found = con(seen([0, 0, 60, 60, 90, 90, 90, 90]), thirds)
    pairs = [math.cos(math.radians(angle)) for angle in (60, 90, 30)]
    assert found.mean == pytest.approx(sum(pairs) / 3, abs=1e-6)
    assert found.least == pytest.approx(0, abs=1e-6)


def test_frames_without_the_subject_cost_coverage():
    found = con(seen([0, None, 0, 0, 0, 0, None, None]))
    assert found.mean == pytest.approx(5 / 8)
    assert "found in 62% of the events' frames" in found.note


def test_frames_outside_of_every_event_do_not_count():
    found = con(seen([0, 0, None, None, 0, 0, None, None]), ((0.0, 0.5), (1.0, 1.5)))
    assert found.mean == pytest.approx(1)


def test_opposite_appearances_are_not_worth_less_than_nothing():
    assert con(seen([0] * 4 + [180] * 4)).mean == 0


@pytest.mark.parametrize("angles", [[0] * 4 + [None] * 4, [None] * 8])
def test_hiding_a_subject_does_not_pay(angles):
    found = con(seen(angles))
    assert (found.mean, found.least, found.reason) == (0, 0, None)
    assert "fewer than two events" in found.note


def test_the_halves_of_a_single_event_are_compared():
    found = con(seen([0] * 4 + [60] * 4), ((0.0, 2.0),))
    assert found.mean == pytest.approx(0.5, abs=1e-6)


def test_events_behind_the_videos_end_leave_nothing_to_compare():
    found = con(seen([0] * 8), ((0.0, 2.0), (2.0, 4.0)))
    assert found.mean is None
    assert found.reason == "fewer than two events were reached"


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.none() | st.floats(0, 360), min_size=8, max_size=8),
    st.lists(st.none() | st.floats(0, 360), min_size=8, max_size=8),
)
def test_neither_the_order_nor_the_length_of_rows_matters(one, other):
    straight, swapped = con(seen(one, other)), con(seen(other, one))
    assert straight.mean == pytest.approx(swapped.mean, abs=1e-9)
    assert straight.least == pytest.approx(swapped.least, abs=1e-9)
    assert 0 <= straight.least <= straight.mean + 1e-9 <= 1 + 2e-9
    long = seen(one, other)
    scaled = Appearances(indices=long.indices, rows=long.rows * 7, detected=True, note=long.note)
    assert con(scaled).mean == pytest.approx(straight.mean, abs=1e-6)


@pytest.fixture(scope="module", autouse=True)
def _quick_network():
    """Two blocks of DINOv2 whose random weights tell pictures apart."""
    with quick_dino():
        yield


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """Eight frames against two events that differ in their ground; the same man, another one, or none."""
    eileen, other = framed("man", "astronaut"), framed("man", "camera")
    path = tmp_path_factory.mktemp("reference") / "man.png"
    Image.fromarray(eileen).save(path)
    target = Target(
        sample_id="s",
        references=(Reference(path=path, label="man"),),
        prompt="",
        timeline="0-1s: he stands in the dark; 1-2s: he stands in the light",
    )
    runtime = Runtime(weights=RandomWeights(), batch_size=3)
    examples = {
        "he stands in the dark": [scene((eileen, 10, 10), ground=20)],
        "he stands in the light": [scene((eileen, 10, 10), ground=220)],
    }
    rules = SubjectOptions(frame_count=8)
    made = {
        "crops": TimelineAlignment(
            TimelineAlignmentOptions(subject=rules),
            runtime,
            scorer=EmbeddingScorer(PrototypeEncoder(examples), 3),
            subjects=SubjectMetrics(rules, runtime, detector=ColourDetector()),
        ),
        "frames": TimelineAlignment(
            TimelineAlignmentOptions(), runtime, scorer=EmbeddingScorer(PrototypeEncoder(examples), 3)
        ),
    }

    def run(evaluator, second):
        things = [(eileen, 10, 10)], [] if second is None else [(second, 90, 40)]
        frames = np.stack([scene(*things[i // 4], ground=(20, 220)[i // 4]) for i in range(8)])
        clip = clip_of(8)
        looking = evaluator.start(target, clip)
        wanted = list(evaluator.frames(clip))
        looking.add(wanted, frames[wanted])
        found = looking.finish()
        assert [m.name for m in found] == [spec.name for spec in evaluator.specs]
        return {m.name: m for m in found}

    return {
        (kind, name): run(made[kind], second)
        for kind in made
        for name, second in (("same", eileen), ("another", other), ("none", None))
    }


def test_a_wanted_change_of_scene_costs_the_subject_nothing(measured):
    crops, frames = measured["crops", "same"], measured["frames", "same"]
    assert crops["timeline_con"].value == pytest.approx(1, abs=1e-6)
    assert frames["timeline_con"].value < 0.9
    assert crops["timeline_ata"].value > frames["timeline_ata"].value
    assert "the subjects' crops, found in 100% of the events' frames" in crops["timeline_con"].note
    assert "the whole frame is the crop" in frames["timeline_con"].note


def test_another_subject_in_the_second_event_is_seen(measured):
    con = {name: measured["crops", name]["timeline_con"].value for name in ("same", "another", "none")}
    assert con["same"] > con["another"] + 0.01
    assert con["none"] == 0
    assert measured["crops", "none"]["timeline_ata"].value == 0


def test_the_subjects_own_metrics_stand_behind_the_timelines(measured):
    assert measured["crops", "same"]["subject_coverage"].value == 1
    assert measured["crops", "none"]["subject_coverage"].value == 0.5
    assert "subject_coverage" not in measured["frames", "same"]
    assert measured["crops", "same"]["timeline_tim"].value == measured["frames", "same"]["timeline_tim"].value
