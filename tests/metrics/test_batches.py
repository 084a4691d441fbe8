"""Batches cross video borders without any frame noticing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvg_eval.metrics.batches import Batches, FixedBatches
from ipvg_eval.metrics.clip.encoder import ClipEncoder
from ipvg_eval.metrics.faces.arcface import ArcFace
from ipvg_eval.metrics.faces.curricularface import CurricularFace
from ipvg_eval.metrics.faces.inception import FidInception, ImagenetInception
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.subject.dino import DinoEncoder
from ipvg_eval.metrics.weights import weight_source

RUNTIME = Runtime(weights=weight_source("random:0"))


class Doubler:
    """Twice the first pixel of every item; remembers the batches it saw."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []

    def __call__(self, items):
        assert len({item.shape for item in items}) == 1
        self.batches.append([int(item.flat[0]) for item in items])
        return np.array([[2.0 * item.flat[0]] for item in items], dtype=np.float32)


class Poisoned(Doubler):
    """Raises for every batch that holds 13."""

    def __call__(self, items):
        rows = super().__call__(items)
        if 13 in self.batches[-1]:
            raise RuntimeError("thirteen")
        return rows


def item(value, shape=(1,)):
    return np.full(shape, value, dtype=np.uint8)


def values(ticket):
    indices, rows = ticket.finish()
    return {index: float(row[0]) for index, row in zip(indices, rows, strict=True)}


def test_a_batch_runs_when_it_is_full_whoever_fills_it():
    seen = Doubler()
    batches = Batches(seen, 4, crossing=True)
    first, second = batches.ticket(), batches.ticket()
    for index in range(3):
        first.add(index, item(index))
    assert seen.batches == []
    second.add(0, item(10))
    assert seen.batches == [[0, 1, 2, 10]]
    assert values(first) == {0: 0, 1: 2, 2: 4}
    second.add(7, item(20))
    assert values(second) == {0: 20, 7: 40}
    assert seen.batches[1:] == [[20, 20, 20, 20]], "filled up with copies"


def test_without_crossing_every_video_has_batches_of_its_own():
    seen = Doubler()
    batches = Batches(seen, 4)
    first, second = batches.ticket(), batches.ticket()
    first.add(0, item(1))
    second.add(0, item(2))
    assert values(second) == {0: 4}
    assert values(first) == {0: 2}
    assert seen.batches == [[2], [1]]


@pytest.mark.parametrize("crossing", [True, False])
def test_shapes_never_share_a_batch(crossing):
    seen = Doubler()
    ticket = Batches(seen, 3, crossing=crossing).ticket()
    for index, shape in enumerate([(1,), (1,), (2,), (1,)]):
        ticket.add(index, item(index, shape))
    assert values(ticket) == {0: 0, 1: 2, 2: 4, 3: 6}


def test_a_video_without_frames_costs_nothing():
    seen = Doubler()
    batches = Batches(seen, 3, crossing=True)
    other = batches.ticket()
    other.add(0, item(1))
    assert batches.ticket().finish()[1].shape == (0, 0)
    assert seen.batches == []


def test_the_size_may_depend_on_the_shape():
    seen = Doubler()
    ticket = Batches(seen, lambda item: item.size).ticket()
    for index in range(4):
        ticket.add(index, item(index, (2,)))
    assert seen.batches == [[0, 1], [2, 3]]
    with pytest.raises(ValueError, match="at least one"):
        FixedBatches(seen, 0)


def test_a_batch_that_fails_is_tried_video_by_video():
    seen = Poisoned()
    batches = Batches(seen, 3, crossing=True)
    first, bad, last = (batches.ticket() for _ in range(3))
    first.add(0, item(1))
    bad.add(0, item(13))
    last.add(0, item(2))
    assert seen.batches == [[1, 13, 2], [1, 1, 1], [13, 13, 13], [2, 2, 2]]
    assert values(first) == {0: 2}
    assert values(last) == {0: 4}
    for use in (bad.finish, lambda: bad.add(1, item(3))):
        with pytest.raises(RuntimeError, match="thirteen"):
            use()
    last.add(1, item(5))
    assert values(last) == {0: 4, 1: 10}, "a ticket stays valid behind a neighbour's failure"


def test_a_video_given_up_half_way_costs_its_neighbours_nothing():
    seen = Doubler()
    batches = Batches(seen, 3, crossing=True)
    given_up, other = batches.ticket(), batches.ticket()
    given_up.add(0, item(1))
    del given_up
    other.add(0, item(2))
    assert values(other) == {0: 4}


@settings(max_examples=60, deadline=None)
@given(
    arrivals=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 255), st.integers(1, 2)), max_size=25),
    size=st.integers(1, 5),
    poisoned=st.booleans(),
)
def test_no_order_of_arrival_changes_a_row(arrivals, size, poisoned):
    batches = Batches(Poisoned() if poisoned else Doubler(), size, crossing=True)
    tickets = [batches.ticket() for _ in range(4)]
    expected = [{} for _ in tickets]
    spoiled = set()
    for place, (number, value, width) in enumerate(arrivals):
        spoiled |= {number} if poisoned and value == 13 else set()
        expected[number][place] = 2.0 * value
        try:
            tickets[number].add(place, item(value, (width,)))
        except RuntimeError:
            assert number in spoiled
    for number, ticket in enumerate(tickets):
        if number in spoiled:
            with pytest.raises(RuntimeError):
                ticket.finish()
        else:
            assert values(ticket) == expected[number]


def _pictures(side, count=6):
    return list(np.random.default_rng(side).integers(0, 256, (count, side, side, 3), dtype=np.uint8))


def _clip():
    return ClipEncoder.load("clip_vit_b32", RUNTIME).images, _pictures(224)


def _dino():
    return DinoEncoder(RUNTIME).images, _pictures(224)


def _curricular():
    network = CurricularFace(RUNTIME)
    return lambda crops: network.embed(np.stack(crops)), _pictures(224)


def _arc():
    network = ArcFace(RUNTIME)
    return lambda crops: network.embed(np.stack(crops)), _pictures(112)


def _imagenet():
    network = ImagenetInception(RUNTIME)
    return lambda crops: network.features(np.stack(crops)), _pictures(224)


def _fid():
    network = FidInception(RUNTIME)
    return lambda crops: network.features(np.stack(crops)), _pictures(224)


@pytest.mark.parametrize("make", [_clip, _dino, _curricular, _arc, _imagenet, _fid])
def test_rows_of_full_size_networks_do_not_depend_on_place_or_neighbours(make):
    """To the last bit, which is what lets videos share batches of one size."""
    encode, (mine, *others) = make()
    size = 3
    alone = encode([mine] * size)
    assert all(np.array_equal(row, alone[0]) for row in alone)
    for place in (0, size - 1):
        neighbours = others[place : place + size]
        neighbours[place] = mine
        rows = encode(neighbours)
        assert np.array_equal(rows[place], alone[0])
        assert not np.array_equal(rows[1], alone[0])
