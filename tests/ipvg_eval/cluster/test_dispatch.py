"""Who measures what, and who is to blame, without any worker."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ipvg_eval.cluster.dispatch import Dispatcher


def _all(dispatcher, worker):
    taken = []
    while (work := dispatcher.take(worker)) is not None:
        taken.append(work)
    return taken


def test_a_worker_has_no_more_in_hand_than_its_depth():
    dispatcher = Dispatcher(range(10), depth=3)
    assert _all(dispatcher, "a") == [0, 1, 2]
    assert _all(dispatcher, "b") == [3, 4, 5]
    dispatcher.done("a", 1)
    assert _all(dispatcher, "a") == [6]


def test_a_dead_workers_samples_are_tried_alone_and_only_the_guilty_one_is_given_up():
    dispatcher = Dispatcher(range(6), depth=3)
    assert _all(dispatcher, "first") == [0, 1, 2]
    assert dispatcher.died("first") == []
    assert _all(dispatcher, "second") == [0]
    dispatcher.done("second", 0)
    assert _all(dispatcher, "second") == [1]
    assert dispatcher.died("second") == [1]
    assert _all(dispatcher, "third") == [2]
    dispatcher.done("third", 2)
    assert _all(dispatcher, "third") == [3, 4, 5]
    for work in (3, 4, 5):
        dispatcher.done("third", work)
    assert dispatcher.finished


def test_a_busy_worker_takes_suspects_only_when_nothing_else_is_left():
    dispatcher = Dispatcher(range(5), depth=1)
    assert _all(dispatcher, "busy") == [0]
    assert _all(dispatcher, "doomed") == [1]
    dispatcher.died("doomed")
    for work in (0, 2, 3):
        dispatcher.done("busy", work)
        assert _all(dispatcher, "busy") == [work + 1 if work else 2]
    dispatcher.done("busy", 4)
    assert _all(dispatcher, "busy") == [1]


def test_work_of_a_withdrawn_worker_is_nobodys_fault():
    dispatcher = Dispatcher(range(4), depth=2)
    assert _all(dispatcher, "gone") == [0, 1]
    dispatcher.withdrawn("gone")
    assert _all(dispatcher, "next") == [0, 1]
    dispatcher.died("next")
    assert _all(dispatcher, "third") == [0]
    dispatcher.withdrawn("third")
    assert _all(dispatcher, "fourth") == [0]
    assert dispatcher.died("fourth") == [0]


@settings(deadline=None, max_examples=200)
@given(
    count=st.integers(0, 30),
    depth=st.integers(1, 4),
    workers=st.integers(1, 5),
    deadly=st.sets(st.integers(0, 29)),
    data=st.data(),
)
def test_exactly_the_deadly_are_given_up_and_all_others_done_once(count, depth, workers, deadly, data):
    """Workers die of deadly work in any order; nothing else is ever lost, doubled or blamed."""
    dispatcher = Dispatcher(range(count), depth=depth)
    alive = dict.fromkeys(range(workers))
    in_hand = {worker: [] for worker in alive}
    names = iter(range(workers, 10_000))
    done, given_up, deaths = [], [], 0
    while not dispatcher.finished:
        for worker in alive:
            in_hand[worker] += _all(dispatcher, worker)
        worker = data.draw(st.sampled_from(sorted(w for w in alive if in_hand[w])))
        work = data.draw(st.sampled_from(in_hand[worker]))
        if work in deadly:
            deaths += 1
            given_up += dispatcher.died(worker)
            del alive[worker], in_hand[worker]
            replacement = next(names)
            alive[replacement], in_hand[replacement] = None, []
        else:
            in_hand[worker].remove(work)
            dispatcher.done(worker, work)
            done.append(work)
    present = deadly & set(range(count))
    assert sorted(given_up) == sorted(present)
    assert sorted(done) == sorted(set(range(count)) - present)
    assert len(present) <= deaths <= 2 * len(present)
