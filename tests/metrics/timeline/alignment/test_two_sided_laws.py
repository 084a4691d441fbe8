"""Laws of TIM, SEM, ATA and success, on simulated embeddings whose timing is known."""

from __future__ import annotations

import importlib.util
import itertools
import sys
from pathlib import Path

import numpy as np
import pytest

from ipvg_eval.metrics.timeline.alignment.distractor_contrast import (
    all_others,
    distractor_shares,
    every_action_present,
    mean_two_sided,
    timeline_place,
    timelines_of,
)
from ipvg_eval.metrics.timeline.alignment.event_grid import EventGrid
from ipvg_eval.metrics.timeline.alignment.permuted_timing import (
    permuted_timing,
    presence_in_time,
    text_orders,
)
from ipvg_eval.metrics.timeline.alignment.scores import align

_PATH = Path(__file__).resolve().parents[4] / "benchmarks" / "timeline_simulation.py"
_SPEC = importlib.util.spec_from_file_location("timeline_simulation", _PATH)
simulation = importlib.util.module_from_spec(_SPEC)
sys.modules[_SPEC.name] = simulation
_SPEC.loader.exec_module(simulation)

UNEQUAL = {2: ((0, 0.5), (0.5, 4)), 3: ((0, 3), (3, 3.5), (3.5, 5)), 4: ((0, 2), (2, 2.5), (2.5, 5), (5, 6))}


def drawn(count, shown, seeds, **how):
    how.setdefault("amplitude", simulation.STRONG)
    return [simulation.draw(seed, count, shown, **how) for seed in seeds]


def mean(found, name):
    return float(np.mean([getattr(one, name) for one in found]))


@pytest.mark.parametrize("events", [simulation.EVENTS, UNEQUAL], ids=["even", "uneven"])
@pytest.mark.parametrize("count", [2, 3, 4])
def test_chance_is_0_whatever_a_video_that_shows_nothing_does(count, events):
    """Law 1, over 400 draws at each of four slopes, each within 3 standard errors as well."""
    every = []
    for place, slope in enumerate((0.0, 0.03, 0.1, 0.3)):
        seeds = range(place * 400, place * 400 + 400)
        found = drawn(count, (), seeds, amplitude=0.0, drift=slope, events=events[count])
        for name in ("tim", "ata"):
            values = [getattr(one, name) for one in found]
            assert abs(np.mean(values)) <= 3 * np.std(values) / 20
        every += found
    assert abs(mean(every, "tim")) <= 0.03
    assert abs(mean(every, "ata")) <= 0.03
    assert mean(every, "success") == pytest.approx(0.05, abs=0.02)


@pytest.mark.parametrize("count", [2, 3, 4])
def test_choosing_among_drifting_stills_does_not_pay(count):
    """Law 2."""
    two = drawn(count, (), range(150), amplitude=0.0, drift=simulation.DRIFT, tries=2)
    eight = drawn(count, (), range(75), amplitude=0.0, drift=simulation.DRIFT, tries=8)
    assert mean(two, "ata") <= 0.15
    assert mean(eight, "ata") <= 0.2
    assert mean(eight, "success") <= 0.4


def deviations(events):
    """What is shown, from perfect to reversed; delays in seconds."""
    end, count = events[-1][1], len(events)
    perfect = [(s, e, k) for k, (s, e) in enumerate(events)]
    return {
        "perfect": perfect,
        **{by: [(s + by if k else 0.0, e + by, k) for s, e, k in perfect] for by in (0.5, 1.0, 1.5)},
        "missing": [*perfect[:-2], (perfect[-2][0], end, count - 2)],
        "reversed": [(end - e, end - s, k) for s, e, k in perfect],
    }


def assert_falls(found, *names):
    for score in ("tim", "ata"):
        values = [mean(found[name], score) for name in names]
        assert all(a > b for a, b in itertools.pairwise(values)), (score, names, values)


@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize("length", [None, 4.0], ids=["of the design", "of 4 s"])
def test_the_closer_to_the_timeline_the_higher(count, length):
    """Laws 3 and 4: delays cost in their order and reversal most, whatever the events' lengths.

    One missing event costs more than every delay only where the delays are well below the events' length:
    with 1.25 s for an event, a delay of 1.5 s shows K - 1 of K actions at another's time, one missing event
    one of K.
    """
    events = simulation.EVENTS[count]
    if length is not None:
        events = [(length * k, length * (k + 1)) for k in range(count)]
    found = {
        name: drawn(count, shown, range(20), events=events) for name, shown in deviations(events).items()
    }
    assert_falls(found, "perfect", 0.5, 1.0, 1.5, "reversed")
    assert_falls(found, "perfect", "missing", "reversed")
    if length is not None:
        assert_falls(found, 1.5, "missing")
    if length is None and count == 4:
        assert_falls(found, "missing", 1.0)
    assert all(one.tim < 0 and one.ata <= 0 for one in found["reversed"])
    assert all(one.success for one in found["perfect"])


DRIFTS = [0.0, 0.01, 0.02, 0.025, 0.03, 0.05, 0.1, 0.2]


def moves(count, shown, amplitude, drift):
    """By how much TIM moves with features moved by 1e-3, in sixty draws."""
    found = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        where = simulation.grid_of(simulation.EVENTS[count])
        world = simulation.make_world(rng, count)
        video = simulation.make_video(rng, world, simulation.shown_mask(where, shown), amplitude, drift=drift)
        step = rng.normal(0, 1, video.shape)
        step *= 1e-3 / np.linalg.norm(step, axis=1, keepdims=True)
        before, after = (permuted_timing(world.texts @ one.T, None, where) for one in (video, video + step))
        found.append(abs(after - before))
    return np.array(found)


@pytest.mark.parametrize("drift", DRIFTS)
@pytest.mark.parametrize("count", [2, 3, 4])
def test_there_is_no_cliff_where_actions_are_seen(count, drift):
    """Law 5, of every single video, also of those in which the actions are weak."""
    perfect = [(s, e, k) for k, (s, e) in enumerate(simulation.EVENTS[count])]
    assert moves(count, perfect, simulation.WEAK, drift).max() <= 0.05


@pytest.mark.parametrize("drift", DRIFTS)
@pytest.mark.parametrize("count", [2, 3, 4])
def test_there_is_no_cliff_where_nothing_is_shown(count, drift):
    """Law 5, in the mean: windows and ranks are counted, so that a single video of noise can still step."""
    found = moves(count, (), 0.0, drift)
    assert found.mean() <= 0.05
    assert np.mean(found <= 0.05) >= 0.85


PRESENCE = {
    "gap": ([(0, 2), (3, 5)], [(0, 2, 0), (3, 5, 1)], [(0, 2.5, 0), (2.5, 5, 1)]),
    "gap, filled by one": ([(0, 2), (3, 5)], [(0, 2, 0), (3, 5, 1)], [(0, 3, 0), (3, 5, 1)]),
    "overlap": ([(0, 3), (2, 5)], [(0, 3, 0), (2, 5, 1)], [(0, 2.5, 0), (2.5, 5, 1)]),
    "short event": (
        [(0, 2), (2, 2.3), (2.3, 4.3)],
        [(0, 2, 0), (2, 2.3, 1), (2.3, 4.3, 2)],
        [(0, 2.15, 0), (2.15, 4.3, 2)],
    ),
}


@pytest.mark.parametrize(("events", "kept", "lost"), PRESENCE.values(), ids=PRESENCE.keys())
def test_gaps_overlaps_and_short_events_count(events, kept, lost):
    """Law 6: a gap kept, an overlap kept and an event of .3 s shown are worth more than without."""
    right, wrong = (drawn(len(events), shown, range(20), events=events) for shown in (kept, lost))
    for name in ("tim", "ata"):
        assert mean(right, name) > mean(wrong, name) + 0.02


@pytest.mark.parametrize("count", [2, 3, 4, 5, 9])
def test_a_perfect_noiseless_video_has_1(grid, seen, count):
    """Law 7."""
    events = [(2.0 * k, 2.0 * k + 2.0) for k in range(count)]
    where = grid(events)
    shown = seen([(k, s, e) for k, (s, e) in enumerate(events)], where)
    assert permuted_timing(shown, None, where) == pytest.approx(1.0, abs=1e-12)


def test_scale_offsets_and_listing_order_do_not_matter(grid):
    """Law 7: M to aM + b, offsets per text, per window (of the neutral text as well), listing order."""
    rng = np.random.default_rng(3)
    for count in (2, 3, 5):
        events = [(1.5 * k, 1.5 * k + 1.5) for k in range(count)]
        where = grid(events)
        cells = len(where.present)
        matrix, neutral = rng.normal(0, 1, (count, cells)), rng.normal(0, 1, cells)
        given = permuted_timing(matrix, neutral, where)
        texts, windows = rng.normal(0, 1, (count, 1)), rng.normal(0, 1, cells)
        assert permuted_timing(3 * matrix + 7, 3 * neutral, where) == pytest.approx(given)
        assert permuted_timing(matrix + texts, neutral, where) == pytest.approx(given)
        assert permuted_timing(matrix + windows, neutral + windows, where) == pytest.approx(given)
        turned = grid(events[::-1])
        assert permuted_timing(matrix[::-1], neutral, turned) == pytest.approx(given)


def test_the_terms_of_the_given_order_are_those_of_the_columns(grid):
    """T of two events from the published columns: MoF, order and IoU corrected, presence in time by numpy."""
    rng = np.random.default_rng(8)
    where = grid([(0, 2), (2, 5)])
    for _ in range(20):
        matrix = rng.normal(0, 1, (2, 20))
        both = []
        for rows in (matrix, matrix[::-1]):
            found = align(rows, None, where)
            pairs = zip(rows, where.mask, strict=True)
            in_time = np.mean([np.corrcoef(row, mask)[0, 1] for row, mask in pairs])
            iou = (found.mean_iou - found.chance) / (1 - found.chance)
            both.append(np.mean([found.mof_corrected, found.order, iou, in_time]))
        expected = (both[0] - np.mean(both)) / (1 - np.mean(both))
        assert permuted_timing(matrix, None, where) == pytest.approx(expected)


def test_what_is_repeated_is_one_action_and_one_action_has_no_order(grid, seen):
    events = [(0, 2), (2, 4), (4, 6)]
    where = grid(events, classes=[0, 1, 0])
    shown = seen([(0, 0, 2), (1, 2, 4), (0, 4, 6), (2, 0, 2), (2, 4, 6)], where)
    assert permuted_timing(shown, None, where) == pytest.approx(1.0)
    assert permuted_timing(shown, None, grid(events, classes=[0, 0, 0])) is None


def test_a_video_that_lacks_the_last_event_loses_its_share(grid, seen):
    where = grid([(0, 2), (2, 4)], duration=2.0)
    found = presence_in_time(seen([(0, 0, 2)], where), where)
    assert found[1, 1] == 0


def test_orders_hold_the_given_one_first():
    assert len(text_orders(4)) == 24
    many = text_orders(9)
    assert many.shape == (200, 9)
    assert many[0].tolist() == list(range(9))
    assert (np.sort(many, axis=1) == np.arange(9)).all()


def test_256_events_are_bounded(grid):
    where = grid([(k / 20, (k + 1) / 20) for k in range(256)])
    matrix = np.random.default_rng(0).normal(0, 1, (256, len(where.present)))
    found = permuted_timing(matrix, None, where)
    assert abs(found) < 0.2
    assert timeline_place(matrix, matrix[:50] * 0.9, where) is not None


def test_shares_by_hand():
    own = np.array([0.3, 0.2, np.nan])
    others = np.array([[0.1, 0.2, 0.1], [0.2, 0.3, 0.1], [0.4, np.nan, 0.1], [0.3, np.nan, 0.1]])
    found = distractor_shares(own, others)
    assert found[:2].tolist() == [2.5 / 4, 0.5 / 2]
    assert np.isnan(found[2])
    assert np.isnan(distractor_shares(own[:1], np.empty((0, 1)))).all()
    assert mean_two_sided(np.array([1.0, -0.5, np.nan])) == pytest.approx(0.5 / 3)
    assert every_action_present(np.array([0.9, 1.0]))
    assert not every_action_present(np.array([0.89, 1.0]))
    assert not every_action_present(np.array([np.nan, 1.0]))


def test_other_actions_of_the_timeline_are_distractors_too():
    own = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]])
    rows = all_others(np.array([[0.0, 0.0, 0.0]]), own, [0, 1, 0])
    np.testing.assert_array_equal(rows, [[0, 0, 0], [np.nan, 2, np.nan], [4, np.nan, 6]])


def test_the_place_by_hand():
    """One event of two windows: the contrasts of 20 distractors are -5 to 4.5, of which six reach 1.75."""
    where = EventGrid(intervals=((0.0, 0.5),), classes=(0,), span=1.0, present=(True,) * 4)
    contrast = np.array([1.0, 1.0, 0.0, 0.0])
    rows = np.outer(np.arange(-5.0, 5.0, 0.5), contrast)
    place = timeline_place(1.75 * contrast[None], rows, where)
    assert place == pytest.approx(6 / 20, abs=0.1)  # 199 draws from twenty
    assert timeline_place(6.0 * contrast[None], rows, where) == 1 / 200
    assert timeline_place(-6.0 * contrast[None], rows, where) == 1.0
    assert timeline_place(6.0 * contrast[None], rows[:19], where) == 1 / 200
    assert timeline_place(6.0 * contrast[None], rows[:18], where) is None
    assert timeline_place(contrast[None], np.empty((0, 4)), where) is None
    whole = EventGrid(intervals=((0.0, 1.0),), classes=(0,), span=1.0, present=(True,) * 4)
    assert timeline_place(contrast[None], rows, whole) is None


def test_few_distractors_make_few_timelines():
    assert [timelines_of(*pair) for pair in ((19, 1), (5, 2), (1, 3), (2, 3), (0, 2))] == [19, 20, 1, 8, 0]
