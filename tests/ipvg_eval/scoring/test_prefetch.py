"""Work that is prepared in threads comes out in order, whatever goes wrong on the way."""

from __future__ import annotations

import threading
import time

import pytest

from ipvg_eval.scoring.prefetch import prefetch


def _read(channel):
    items = []
    while (item := channel.get()) is not None:
        items.append(item)
    return items


def _run(works, produce, tools=2, cancel=lambda _: None):
    return prefetch(works, produce, list(range(tools)), cancel=cancel)


@pytest.mark.parametrize("tools", [1, 2, 7])
def test_items_come_in_order(tools):
    def produce(work, channel, _):
        time.sleep(0.002 * (work % 3))
        for item in range(5):
            channel.put((work, item))
        channel.put(None)

    seen = [(work, _read(channel)) for work, channel in _run(range(12), produce, tools)]
    assert seen == [(work, [(work, item) for item in range(5)]) for work in range(12)]


def test_a_failure_reaches_the_reader_at_its_turn_and_the_rest_goes_on():
    def produce(work, channel, _):
        if work == 2:
            raise ValueError("two")
        channel.put(work)
        channel.put(None)

    seen = []
    for _, channel in _run(range(5), produce):
        try:
            seen.append(_read(channel))
        except ValueError as error:
            seen.append(str(error))
    assert seen == [[0], [1], "two", [3], [4]]


def test_what_the_reader_leaves_unread_holds_nobody_up():
    def produce(work, channel, _):
        for _ in range(100):
            channel.put(work)

    assert [work for work, _ in _run(range(6), produce)] == list(range(6))


def test_little_is_prepared_ahead():
    begun = []

    def produce(work, channel, _):
        begun.append(work)
        channel.put(None)

    for work, channel in _run(range(20), produce, tools=2):
        _read(channel)
        assert max(begun) <= work + 3


def test_stopping_early_cancels_the_tools_and_ends_the_threads():
    release, cancelled = threading.Event(), []

    def produce(work, channel, _):
        channel.put(work)
        release.wait(10)
        channel.put(None)

    def cancel(tool):
        cancelled.append(tool)
        release.set()

    turns = _run(range(9), produce, cancel=cancel)
    next(turns)
    before = time.monotonic()
    turns.close()
    assert cancelled == [0, 1]
    assert time.monotonic() - before < 5
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("prefetch")]
