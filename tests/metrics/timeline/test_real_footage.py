"""Real footage in the right order, swapped, late, frozen, too short and too long, through the evaluators.

The scorer stands in for a text-video model: every text is known by example pictures. What holds here is that
frames, times, windows and scores are put together rightly. Whether a network tells
one action from another is not shown.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from ipvg_eval.metrics.errors import MetricsError, ProtocolError
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.timeline.alignment.temporal_grounding import grounded_intervals
from ipvg_eval.metrics.timeline.evaluator import TimelineAlignment, TimelineAlignmentOptions
from ipvg_eval.metrics.timeline.frame_sampling import sample
from ipvg_eval.metrics.timeline.lite.evaluator import LiteTimeline, LiteTimelineOptions
from ipvg_eval.metrics.timeline.scorers.prototype_encoder import PrototypeEncoder

A, B, C, D = "An astronaut poses", "An officer poses", "Coffee is served", "A cat looks up"
TIMELINE = f"0–2s: [{A}]; 2–4s: [{B}]; 4–6s: [{C}]"


@pytest.fixture(scope="module")
def evaluator(examples, tmp_path_factory):
    """As a protocol builds it: the examples are picture files."""
    folder = tmp_path_factory.mktemp("examples")
    listed: dict[str, list[str]] = {}
    for text, pictures in examples.items():
        for picture in pictures:
            name = f"{len(listed)}-{len(listed.get(text, []))}.png"
            Image.fromarray(picture).save(folder / name)
            listed.setdefault(text, []).append(name)
    path = folder / "examples.json"
    path.write_text(json.dumps(listed))
    return TimelineAlignment(
        TimelineAlignmentOptions(scorer="prototypes", examples=path), Runtime(batch_size=5)
    )


@pytest.fixture(scope="module")
def lite():
    return LiteTimeline(LiteTimelineOptions(), Runtime())


@pytest.fixture(scope="module")
def results(film, evaluator, lite):
    films = {
        "right": film((A, 2), (B, 2), (C, 2)),
        "24 fps": film((A, 2), (B, 2), (C, 2), fps=24),
        "swapped": film((B, 2), (A, 2), (C, 2)),
        "reversed": film((C, 2), (B, 2), (A, 2)),
        "late": film((A, 3), (B, 2), (C, 1)),
        "frozen": film((A, 6), still=True),
        "one action": film((A, 6)),
        "short": film((A, 2), (B, 2)),
        "long": film((A, 2), (B, 2), (C, 4)),
    }
    return {
        name: {**one.measure(evaluator, TIMELINE), **one.measure(lite, TIMELINE)}
        for name, one in films.items()
    }


def value(results, shown: str, name: str) -> float | None:
    return results[shown][name].value


def test_the_right_film_is_nearly_perfect(results):
    for name in ("timeline_tim", "timeline_miou", "timeline_mof", "timeline_order", "timeline_recall_at_1"):
        assert value(results, "right", name) > 0.95, name
    assert value(results, "right", "timeline_boundary_error") < 0.125
    assert value(results, "right", "timeline_lag") == 0
    assert value(results, "right", "timeline_excess") == pytest.approx(0)
    assert value(results, "right", "timeline_events") == 3
    assert value(results, "right", "lite_boundary_match") > 0.8


@pytest.mark.parametrize("wrong", ["swapped", "reversed", "late", "frozen", "one action", "short"])
@pytest.mark.parametrize("name", ["tim", "ata", "miou", "mof", "sem"])
def test_the_right_film_scores_above_every_wrong_one(results, wrong, name):
    name = f"timeline_{name}"
    assert value(results, "right", name) > value(results, wrong, name) + 0.03


@pytest.mark.parametrize(
    ("shown", "order"), [("swapped", 1 / 3), ("reversed", -1), ("late", 1), ("frozen", 0)]
)
def test_the_order_is_that_of_the_table(results, shown, order):
    assert value(results, shown, "timeline_order") == pytest.approx(order)


def test_late_and_swapped_films_score_as_the_table_says(results):
    """The table's values, give or take a window per border."""
    assert value(results, "late", "timeline_miou") == pytest.approx(0.5, abs=0.08)
    assert value(results, "late", "timeline_mof") == pytest.approx(2 / 3, abs=0.05)
    assert value(results, "late", "timeline_lag") == pytest.approx(1.0, abs=0.25)
    assert value(results, "swapped", "timeline_miou") == pytest.approx(1 / 3, abs=0.05)
    assert value(results, "swapped", "timeline_mof") == pytest.approx(1 / 3, abs=0.05)


def test_a_frozen_film_cannot_win_on_consistency(results):
    assert value(results, "frozen", "timeline_con") > value(results, "right", "timeline_con")
    assert value(results, "frozen", "timeline_con") > 0.99
    assert value(results, "frozen", "timeline_ata") == 0
    assert value(results, "frozen", "timeline_mof") == pytest.approx(1 / 3)
    assert value(results, "frozen", "timeline_lag") is None
    assert "frozen" in results["frozen"]["timeline_mof"].note
    assert value(results, "frozen", "lite_boundary_match") == 0


def test_another_frame_rate_changes_nothing_but_rounding(results):
    for name in ("timeline_tim", "timeline_miou", "timeline_mof", "timeline_sem", "timeline_con"):
        assert value(results, "24 fps", name) == pytest.approx(value(results, "right", name), abs=0.02)
    grounded = [results[name]["timeline_miou"].features.reference for name in ("right", "24 fps")]
    assert np.abs(grounded[0] - grounded[1]).max() <= 0.25


def test_a_short_film_loses_its_last_event_and_a_long_one_nothing(results):
    assert value(results, "short", "timeline_excess") == pytest.approx(-2)
    assert "1 of 3 events lie behind the video's end" in results["short"]["timeline_sem"].note
    assert "ends at 6 s, the video at 4 s" in results["short"]["timeline_miou"].note
    assert value(results, "short", "timeline_mof") <= 0.67
    assert value(results, "long", "timeline_excess") == pytest.approx(2)
    assert value(results, "long", "timeline_miou") > 0.95
    assert value(results, "long", "timeline_miou_rescaled") < 0.8


def test_a_film_that_ends_before_its_timeline_begins_has_no_whole_score(film, evaluator):
    found = film((A, 2), (B, 2)).measure(evaluator, f"10–12s: [{A}]; 12–14s: [{B}]")
    assert found["timeline_miou"].value == 0
    assert found["timeline_sem"].value == 0
    assert found["timeline_ata"].value is None
    assert (
        found["timeline_ata"].reason == found["timeline_con"].reason == "fewer than two events were reached"
    )


def test_change_points_are_blind_to_what_is_shown(results):
    """The proxy's stated limit: a cut at the right moment is all it sees."""
    assert value(results, "swapped", "lite_boundary_match") > 0.8
    assert value(results, "late", "lite_boundary_match") < 0.2
    assert value(results, "one action", "lite_boundary_match") < 0.5


def test_curves_and_intervals_are_kept_for_the_report(results):
    found = results["right"]
    curves, grounded = found["timeline_miou"].features.rows, found["timeline_miou"].features.reference
    assert curves.shape == (24, 3)
    assert (curves.argmax(axis=1) == np.repeat([0, 1, 2], 8)).mean() > 0.9
    assert grounded.reshape(3, 2) == pytest.approx(np.array([[0, 2], [2, 4], [4, 6]]), abs=0.25)
    assert grounded_intervals(found["timeline_miou"].features)[1] == pytest.approx((2, 4), abs=0.25)
    assert grounded_intervals(results["frozen"]["timeline_miou"].features) == [None] * 3
    assert found["timeline_con"].features.rows.shape == (24, 96)
    shown = found["timeline_clip_t"].per_frame
    assert shown.indices == tuple(sorted(shown.indices))
    assert len(shown.values) == 24
    assert set(found["timeline_mof"].per_frame.values) <= {0.0, 1.0}


def test_batches_of_any_size_give_the_same(film, evaluator):
    one = film((A, 1), (B, 1))
    timeline = f"0-1s: {A}; 1-2s: {B}"
    index_by_index = one.measure(evaluator, timeline, batch=1)
    at_once = one.measure(evaluator, timeline, batch=1000)
    assert {n: m.value for n, m in index_by_index.items()} == {n: m.value for n, m in at_once.items()}


def test_a_damaged_end_costs_the_events_in_it(film, evaluator):
    found = film((A, 2), (B, 2), (C, 2)).measure(evaluator, TIMELINE, lost=lambda index: index >= 64)
    assert "16 of 24 frames could be read" in found["timeline_tim"].note
    assert found["timeline_miou"].value < 0.8
    assert found["timeline_con"].value < 0.67
    nothing = film((A, 1)).measure(evaluator, TIMELINE, lost=lambda _: True)
    assert {m.reason for m in nothing.values()} == {"no frame could be read"}


@pytest.mark.parametrize("timeline", [None, "a walk in the park", "[]", "5-3s: walks"])
def test_without_a_timeline_everything_is_missing_with_the_reason(film, evaluator, lite, timeline):
    one = film((A, 1))
    for measured in (one.measure(evaluator, timeline), one.measure(lite, timeline)):
        assert all(m.value is None for m in measured.values())
        word = "no timeline" if timeline is None else "cannot be used"
        assert all(word in m.reason for m in measured.values())


def test_a_timeline_of_very_many_events_is_refused_with_the_reason(film, evaluator):
    many = "; ".join(f"{k / 100}-{(k + 1) / 100}s: [{A}]" for k in range(300))
    found = film((A, 1)).measure(evaluator, many)
    assert {m.reason for m in found.values()} == {"the timeline has 300 events, more than 256"}


def test_one_event_has_no_order_and_its_reason(film, evaluator, lite):
    one = film((B, 1), (A, 2))
    found = one.measure(evaluator, f"1-3s: {A}")
    missing = ["recall_at_1", "mof", "mof_corrected", "order", "lag"]
    assert [name for name in missing if found[f"timeline_{name}"].value is not None] == []
    assert "one action only" in found["timeline_order"].reason
    assert found["timeline_miou"].value > 0.9
    assert "one action only" in found["timeline_tim"].reason
    assert "two halves" in found["timeline_con"].note
    assert found["timeline_ata"].reason == found["timeline_tim"].reason
    assert found["timeline_sem"].value > 0.5
    assert "fewer than 19 timelines" in found["timeline_success"].reason
    assert found["timeline_p"].reason == found["timeline_success"].reason
    assert one.measure(lite, f"0-3s: {A}")["lite_boundary_match"].reason is not None


def test_events_in_other_units_are_pointed_out(film, evaluator):
    one = film((A, 2), (B, 2))
    frames = one.measure(evaluator, f"0-32: [{A}]; 32-64: [{B}]")
    assert "look like frames" in frames["timeline_excess"].note
    assert frames["timeline_miou_rescaled"].value > 0.95
    milliseconds = one.measure(evaluator, f"0-2000: [{A}]; 2000-4000: [{B}]")
    assert "look like milliseconds" in milliseconds["timeline_tim"].reason
    endless = one.measure(evaluator, f"0-900000000: [{A}]")
    assert "longer than an hour" in endless["timeline_tim"].reason


def test_the_proxy_says_what_is_odd_about_its_timeline(film, lite):
    one = film((A, 2), (B, 2))
    lost = one.measure(lite, f"0-2s: [{A}]; 2-4s: [{B}]; 4-3s: [{C}]")["lite_boundary_match"]
    assert lost.value > 0.8
    assert "ends at 3 s, not after it starts at 4 s" in lost.note
    frames = one.measure(lite, f"0-32: [{A}]; 32-64: [{B}]")["lite_boundary_match"]
    assert (frames.value, frames.reason) == (None, "no boundary between events lies inside the video")
    assert "look like frames" in frames.note


def test_a_text_without_an_example_is_refused(film, evaluator):
    with pytest.raises(MetricsError, match="no example shows 'A dog barks'"):
        film((A, 1)).measure(evaluator, "0-1s: A dog barks")


@pytest.mark.parametrize("content", ["", "[]", '{"a": "b.png"}', '{"a": []}'])
def test_unusable_examples_are_refused(tmp_path, content):
    path = tmp_path / "examples.json"
    path.write_text(content)
    with pytest.raises(ProtocolError, match="examples"):
        PrototypeEncoder.read(path)
    with pytest.raises(ProtocolError, match="example pictures"):
        TimelineAlignment(TimelineAlignmentOptions(scorer="prototypes"), Runtime())


def test_a_variable_frame_rate_is_followed_by_presentation_times(variable):
    """Four frames in the first second, one in the next three."""
    looked = sample(variable, rate=2, limit=100)
    assert looked.moments.tolist() == [0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3.25, 3.75]
    assert looked.frames.tolist() == [1, 3, 4, 4, 4, 4, 4, 4]
    assert looked.wanted == (1, 3, 4)
    assert len(sample(variable, rate=2, limit=3).moments) == 3
