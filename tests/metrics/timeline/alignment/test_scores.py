"""What perfect, swapped, late and frozen videos score: values by hand, and laws."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvg_eval.metrics.timeline.alignment.chance_level import chance_iou
from ipvg_eval.metrics.timeline.alignment.event_grid import (
    EventGrid,
    action_classes,
    rescaled,
    snapped,
    window_width,
)
from ipvg_eval.metrics.timeline.alignment.interval_scores import interval_iou
from ipvg_eval.metrics.timeline.alignment.scores import (
    action_timeline_alignment,
    align,
    first_action_timeline_alignment,
    first_timing,
)
from ipvg_eval.metrics.timeline.alignment.temporal_grounding import ground

L = 2.0


def equal(count: int) -> list[tuple[float, float]]:
    return [(k * L, (k + 1) * L) for k in range(count)]


def in_order(actions) -> list[tuple[int, float, float]]:
    return [(k, i * L, (i + 1) * L) for i, k in enumerate(actions)]


def late(count: int) -> list[tuple[int, float, float]]:
    """Everything L/2 late; the first action is held, the last one is cut off by the video's end."""
    starts = [0.0, *(k * L + L / 2 for k in range(1, count))]
    return [
        (k, start, end) for k, (start, end) in enumerate(zip(starts, [*starts[1:], count * L], strict=True))
    ]


TABLE = {
    "perfect, 2": (equal(2), in_order([0, 1]), 1, 1, 1, 1),
    "perfect, 3": (equal(3), in_order([0, 1, 2]), 1, 1, 1, 1),
    "perfect, 4": (equal(4), in_order([0, 1, 2, 3]), 1, 1, 1, 1),
    "2 swapped": (equal(2), in_order([1, 0]), 0, 0, -1, 0),
    "3, first two swapped": (equal(3), in_order([1, 0, 2]), 0.333, 0.333, 0.333, 0.333),
    "3 reversed": (equal(3), in_order([2, 1, 0]), 0.333, 0.333, -1, 0.333),
    "2 late": (equal(2), late(2), 0.583, 0.75, 1, None),
    "3 late": (equal(3), late(3), 0.5, 0.667, 1, None),
    "4 late": (equal(4), late(4), 0.458, 0.625, 1, None),
    "unequal, cut at 3 s": ([(0, 2), (2, 5)], [(0, 0, 3), (1, 3, 5)], 0.667, 0.8, 1, 1),
    "static, 2": (equal(2), [], 0, 0.5, 0, 0.5),
    "static, 3": (equal(3), [], 0, 0.333, 0, 0.333),
    "static, 4": (equal(4), [], 0, 0.25, 0, 0.25),
    "first action throughout, 2": (equal(2), [(0, 0, 4)], 0, 0.5, 0, 0.5),
    "first action throughout, 3": (equal(3), [(0, 0, 6)], 0, 0.333, 0, 0.333),
    "first action throughout, 4": (equal(4), [(0, 0, 8)], 0, 0.25, 0, 0.25),
}


@pytest.mark.parametrize(
    ("events", "shown", "iou", "mof", "order", "recall"), TABLE.values(), ids=TABLE.keys()
)
def test_the_published_table(grid, seen, events, shown, iou, mof, order, recall):
    where = grid(events)
    found = align(seen(shown, where), None, where)
    assert found.mean_iou == pytest.approx(iou, abs=5e-4)
    assert found.mof == pytest.approx(mof, abs=5e-4)
    assert found.order == pytest.approx(order, abs=5e-4)
    if recall is not None:
        assert found.recall_at_1 == pytest.approx(recall, abs=5e-4)
    count = len(events)
    assert found.mof_corrected == pytest.approx((mof - 1 / count) / (1 - 1 / count), abs=1e-3)


@pytest.mark.parametrize("name", [name for name in TABLE if "late" not in name])
def test_the_table_with_windows_that_blur_the_borders(grid, seen, name):
    """Windows one second wide; in late videos they move the border between two actions."""
    events, shown, iou, mof, order, recall = TABLE[name]
    where = grid(events)
    found = align(seen(shown, where, width=1.0), None, where)
    assert [found.mean_iou, found.mof, found.order, found.recall_at_1] == pytest.approx(
        [iou, mof, order, recall], abs=5e-4
    )


def test_further_scores_by_hand(grid, seen):
    """Prompted 0-2 and 2-5, cut at 3 s: the inner border is 1 s off, the outer ones are right."""
    where = grid([(0, 2), (2, 5)])
    found = align(seen([(0, 0, 3), (1, 3, 5)], where), None, where)
    assert found.recall_at_half == 1
    assert found.boundary_error == pytest.approx(0.5)
    assert found.boundary_accuracy == 0.5
    assert found.lag == 1.0
    assert found.grounded.tolist() == [[0, 3], [3, 5]]
    chance = chance_iou(where)
    assert found.tim == pytest.approx((0.6 + 1 + (2 / 3 - chance) / (1 - chance)) / 3)


@pytest.mark.parametrize(("delay", "count"), [(0.0, 2), (0.5, 3), (1.0, 3), (1.5, 4)])
def test_lag_is_the_delay(grid, seen, delay, count):
    where = grid(equal(count))
    starts = [0.0, *(k * L + delay for k in range(1, count)), count * L]
    shown = [(k, starts[k], starts[k + 1]) for k in range(count)]
    assert align(seen(shown, where), None, where).lag == delay


def test_early_is_negative_lag_and_a_swap_has_none(grid, seen):
    where = grid(equal(3))
    early = align(seen([(0, 0, 1), (1, 1, 3), (2, 3, 6)], where), None, where)
    assert early.lag == -1.0
    pair = grid(equal(2))
    assert align(seen(in_order([1, 0]), pair), None, pair).lag is None


@settings(deadline=None, max_examples=60)
@given(cells=st.integers(2, 40), shift=st.integers(0, 40))
def test_a_rigid_shift_by_a_share_f_gives_1_minus_f_over_1_plus_f(grid, seen, cells, shift):
    """One event in a video long enough to hold it wherever it moves."""
    shift = min(shift, cells)
    length, moved, f = cells * 0.25, shift * 0.25, shift / cells
    where = grid([(1.0, 1.0 + length), (23, 24)])
    shown = seen([(0, 1 + moved, 1 + moved + length)], where)
    found = ground(shown[None], where)[0, 0]
    assert found.tolist() == [1 + moved, 1 + moved + length]
    assert interval_iou(found, np.array(where.intervals[0])) == pytest.approx((1 - f) / (1 + f))


def scores(found, *, localised: bool = True) -> list[float | None]:
    contrastive = [found.recall_at_1, found.mof, found.lag]
    return contrastive + ([found.mean_iou, found.order, found.boundary_error] if localised else [])


similarities = st.integers(2, 4).flatmap(
    lambda k: st.lists(
        st.lists(st.integers(-20, 20).map(lambda n: n / 10), min_size=12, max_size=12), min_size=k, max_size=k
    )
)
offset = st.integers(-30, 30).map(lambda n: n / 10)


def case(grid, rows) -> tuple[EventGrid, np.ndarray]:
    """Equal events over the 3 s of twelve windows."""
    return grid([(3 * k / len(rows), 3 * (k + 1) / len(rows)) for k in range(len(rows))]), np.array(rows)


@settings(deadline=None, max_examples=60)
@given(rows=similarities, factor=st.sampled_from([0.25, 0.5, 2.0, 8.0]), shift=offset)
def test_scale_and_offset_change_nothing(grid, rows, factor, shift):
    where, matrix = case(grid, rows)
    neutral = matrix.mean(axis=0)[::-1]
    before, after = (
        align(matrix, neutral, where),
        align(factor * matrix + shift, factor * neutral + shift, where),
    )
    assert scores(after) == pytest.approx(scores(before))


@settings(deadline=None, max_examples=60)
@given(rows=similarities, per_text=st.lists(offset, min_size=4, max_size=4),
       per_window=st.lists(offset, min_size=12, max_size=12))  # fmt: skip
def test_offsets_per_text_and_per_window_do_not_change_what_is_contrasted(grid, rows, per_text, per_window):
    where, matrix = case(grid, rows)
    moved = matrix + np.array(per_text[: len(rows)])[:, None] + np.array(per_window)
    before, after = align(matrix, None, where), align(moved, None, where)
    assert scores(after, localised=False) == pytest.approx(scores(before, localised=False))


@settings(deadline=None, max_examples=60)
@given(rows=similarities, data=st.data())
def test_listing_order_changes_nothing(grid, rows, data):
    where, matrix = case(grid, rows)
    order = data.draw(st.permutations(range(len(rows))))
    shuffled = grid([where.intervals[k] for k in order])
    assert scores(align(matrix[order], None, shuffled)) == pytest.approx(scores(align(matrix, None, where)))


@settings(deadline=None, max_examples=40)
@given(rows=similarities)
def test_every_score_keeps_its_range(grid, rows):
    where, matrix = case(grid, rows)
    found = align(matrix, None, where)
    for share in (found.recall_at_1, found.mof, found.mean_iou, found.recall_at_half, found.tim):
        assert 0 <= share <= 1
    assert -1 <= found.order <= 1
    assert -1 / (len(rows) - 1) - 1e-12 <= found.mof_corrected <= 1


def test_order_is_scipys_kendall_tau(grid, seen):
    where = grid(equal(5))
    for seed in range(5):
        actions = np.random.default_rng(seed).permutation(5)
        found = align(seen(in_order(actions), where), None, where)
        assert found.order == pytest.approx(scipy.stats.kendalltau(range(5), actions).statistic)


def noisy(grid, seen, count: int, snr: float, draws: int = 150):
    where = grid([(k * 5 / count, (k + 1) * 5 / count) for k in range(count)])
    signal = seen([(k, *where.intervals[k]) for k in range(count)], where)
    rng = np.random.default_rng(7)
    found = []
    for _ in range(draws):
        rows = signal * snr + rng.standard_normal(signal.shape)
        found.append(align(rows, rng.standard_normal(signal.shape[1]), where))
    return found


@pytest.mark.parametrize("count", [2, 3, 4])
def test_scores_fall_smoothly_with_noise(grid, seen, count):
    curve = []
    for snr in (8, 4, 2, 1, 0.5, 0):
        found = noisy(grid, seen, count, snr)
        curve.append(
            [np.mean([getattr(f, n) for f in found]) for n in ("mean_iou", "mof", "order", "recall_at_1")]
        )
    steps = np.diff(np.array(curve), axis=0)
    assert steps.max() < 0.02
    assert (curve[0] - np.array(curve[-1])).min() > 0.5
    assert curve[-1] == pytest.approx(
        [chance_iou(found_grid(grid, count)), 1 / count, 0, 1 / count], abs=0.12
    )


def found_grid(grid, count):
    return grid([(k * 5 / count, (k + 1) * 5 / count) for k in range(count)])


@pytest.mark.parametrize(("snr", "iou"), [(2, 0.80), (1, 0.59)])
def test_two_events_in_noise_score_as_published(grid, seen, snr, iou):
    """Noise of unit variance in each text's row and in the neutral one."""
    assert np.mean([f.mean_iou for f in noisy(grid, seen, 2, snr, 300)]) == pytest.approx(iou, abs=0.03)


@pytest.mark.parametrize(("count", "expected"), [(2, 0.31), (3, 0.25), (4, 0.20)])
def test_what_noise_scores(grid, count, expected):
    assert chance_iou(found_grid(grid, count)) == pytest.approx(expected, abs=0.01)


def test_one_event_has_no_order_recall_or_share(grid, seen):
    where = grid([(1, 3)], duration=5)
    found = align(seen([(0, 1, 3)], where), None, where)
    assert (found.order, found.recall_at_1, found.mof, found.mof_corrected, found.lag) == (None,) * 5
    assert found.mean_iou == 1
    assert found.tim == 1


def test_one_event_that_fills_the_video_cannot_be_localised(grid, seen):
    where = grid([(0, 5)])
    found = align(seen([(0, 0, 5)], where), None, where)
    assert (found.mean_iou, found.boundary_error, found.tim) == (None, None, None)


def test_gaps_are_background_and_out_of_mof(grid, seen):
    """Events 0-1 and 2-5: what happens in between counts for neither."""
    where = grid([(0, 1), (2, 5)])
    good = align(seen([(0, 0, 1), (1, 2, 5)], where), None, where)
    assert [good.mean_iou, good.mof, good.recall_at_1] == [1, 1, 1]
    held = align(seen([(0, 0, 2), (1, 2, 5)], where), None, where)
    assert held.mof == 1
    assert held.mean_iou == pytest.approx((1 / 2 + 1) / 2)


def test_overlaps_have_two_right_answers(grid, seen):
    """Prompted 0-3 and 1-5. Between 1 s and 3 s either action is right."""
    where = grid([(0, 3), (1, 5)])
    for border in (1, 2, 3):
        assert align(seen([(0, 0, border), (1, border, 5)], where), None, where).mof == 1
    assert align(seen([(0, 0, 4), (1, 4, 5)], where), None, where).mof == pytest.approx(16 / 20)


def test_order_only_counts_events_with_distinct_centres(grid, seen):
    where = grid([(0, 4), (1, 3)])
    assert align(seen([(0, 0, 2), (1, 2, 4)], where), None, where).order is None


def test_a_repeated_action_is_one_class_and_found_as_often_as_prompted(grid, seen):
    """wave, sit, wave: both waves are one action, each found in its place."""
    events, classes = [(0, 2), (2, 3), (3, 5)], (0, 1, 0)
    where = grid(events, classes=classes)
    both = [(0, 0, 2), (2, 0, 2), (1, 2, 3), (0, 3, 5), (2, 3, 5)]
    found = align(seen(both, where), None, where)
    assert found.grounded.tolist() == [[0, 2], [2, 3], [3, 5]]
    assert [found.mean_iou, found.mof, found.order, found.recall_at_1] == [1, 1, 1, 1]


def test_an_action_repeated_a_hundred_times_is_found_a_hundred_times(grid, seen):
    where = grid([(k, k + 0.5) for k in range(100)], classes=[0] * 100)
    shown = [(k, start, end) for k in range(100) for start, end in where.intervals]
    found = align(seen(shown, where), None, where)
    assert found.mean_iou == 1
    assert found.grounded.tolist() == [list(interval) for interval in where.intervals]


def test_a_repeated_action_without_a_break_is_one_interval_split_as_prompted(grid, seen):
    where = grid([(0, 1), (1, 3), (3, 5)], classes=(0, 0, 1))
    found = align(seen([(0, 0, 3), (1, 0, 3), (2, 3, 5)], where), None, where)
    assert found.grounded.tolist() == [[0, 1], [1, 3], [3, 5]]
    assert found.order == 1


def test_one_action_throughout_a_timeline_is_no_contrast(grid):
    where = grid([(0, 2), (2, 4)], classes=(0, 0))
    found = align(np.ones((2, 16)), None, where)
    assert (found.mof, found.order, found.recall_at_1, found.mean_iou, found.tim) == (None,) * 5


def test_texts_that_name_one_action():
    assert action_classes(["She waves.", "she  WAVES", "She sits"]) == (0, 0, 1)
    near = np.array([[1, 0.2, 0.96], [0.2, 1, 0.95], [0.96, 0.95, 1]])
    assert action_classes(["a", "b", "c"], near) == (0, 1, 0)


def test_a_shorter_video_loses_the_time_it_lacks(grid, seen):
    """Prompted 0-2 and 2-4; the video stops at 3 s, perfect so far."""
    where = grid([(0, 2), (2, 4)], duration=3)
    found = align(np.where(where.there, seen([(0, 0, 2), (1, 2, 3)], where), np.nan), None, where)
    assert found.mean_iou == pytest.approx((1 + 1 / 2) / 2)
    assert found.mof == pytest.approx(3 / 4)
    gone = grid([(0, 2), (2, 4)], duration=2)
    lost = align(np.where(gone.there, seen([(0, 0, 2)], gone), np.nan), None, gone)
    assert lost.mof <= 0.5
    assert lost.mean_iou == 0


def test_a_longer_video_is_not_punished_for_holding_the_last_action(grid, seen):
    where = grid([(0, 2), (2, 4)], duration=6)
    found = align(seen([(0, 0, 2), (1, 2, 6)], where), None, where)
    assert [found.mean_iou, found.mof] == [1, 1]
    assert found.grounded.tolist() == [[0, 2], [2, 4]]
    after = align(seen([(0, 0, 4), (1, 4, 6)], where), None, where)
    assert np.isnan(after.grounded[1]).all()


@pytest.mark.parametrize(
    ("duration", "fps", "last"),
    [(5.0, 24, 5.0), (4.8, 24, 4.8), (5.25, 24, 5.25), (5.3, 24, 5.0), (4.7, 24, 5.0), (4.6, 5, 4.6)],
)
def test_the_timeline_ends_with_the_video_where_they_almost_agree(duration, fps, last):
    """Within 0.25 s, or two frames where those last longer."""
    assert snapped(((0, 2), (2, 5)), duration=duration, fps=fps) == ((0, 2), (2, last))


def test_an_event_is_never_snapped_away():
    assert snapped(((0, 4.9), (4.9, 5)), duration=4.8, fps=24) == ((0, 4.9), (4.9, 5))


def test_rescaled_events_and_window_widths():
    assert rescaled(((0, 2), (2, 4)), duration=8) == ((0, 4), (4, 8))
    assert window_width(((0, 2), (2, 4))) == 1
    assert window_width(((0, 0.5), (2, 4))) == 0.5


def test_an_event_between_two_window_centres_has_the_window_around_it(grid):
    where = grid([(0.15, 0.24), (0.5, 1)])
    assert where.mask.tolist() == [[True, False, False, False], [False, False, True, True]]


def test_rounding_noise_of_float32_is_a_tie(grid):
    where = grid(equal(3))
    rows = 0.3 + 1e-8 * np.random.default_rng(0).standard_normal((3, 24))
    found = align(rows, None, where)
    assert [found.mof, found.mean_iou, found.order] == pytest.approx([1 / 3, 0, 0])


def test_the_first_versions_timing_and_combination():
    assert first_timing(0.5, -1.0, 0.25) == 0.25
    assert first_timing(None, None, 0.5) == 0.5
    assert first_timing(None, None, None) is None
    assert first_action_timeline_alignment(semantic=0.5, timing=0.5, consistency=0.5) == pytest.approx(0.5)
    assert first_action_timeline_alignment(semantic=1, timing=0, consistency=1) == 0
    assert first_action_timeline_alignment(semantic=1, timing=None, consistency=1) is None


def test_the_combination_is_0_at_chance_and_signed():
    assert action_timeline_alignment(semantic=0.5, timing=0.5, consistency=0.8) == pytest.approx(0.2)
    assert action_timeline_alignment(semantic=0.5, timing=-0.5, consistency=0.8) == pytest.approx(-0.2)
    assert action_timeline_alignment(semantic=-0.5, timing=-0.5, consistency=1) == 0
    assert action_timeline_alignment(semantic=None, timing=1, consistency=1) is None
