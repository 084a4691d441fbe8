"""The order of work in a worker's one network thread."""

from __future__ import annotations

import threading

import pytest

from ipvg_eval.cluster.networks import NetworkThread


def _ask(networks, name, log, gate=None):
    def begin():
        if gate is not None:
            gate.wait(60)
        log.append(f"begin {name}")
        threads.add(threading.current_thread())

        def finish():
            log.append(f"finish {name}")
            threads.add(threading.current_thread())
            return name

        return finish

    threads = log.threads
    return networks.submit(begin)


class _Log(list):
    def __init__(self):
        super().__init__()
        self.threads = set()


@pytest.mark.parametrize(
    ("window", "order"),
    [
        (1, "begin a, finish a, begin b, finish b, begin c, finish c"),
        (2, "begin a, begin b, finish a, begin c, finish b, finish c"),
        (8, "begin a, begin b, begin c, finish a, finish b, finish c"),
    ],
)
def test_work_is_finished_in_order_as_late_as_the_window_allows(window, order):
    networks, log, gate = NetworkThread(), _Log(), threading.Event()
    networks.window = window
    futures = [_ask(networks, name, log, gate if name == "a" else None) for name in "abc"]
    gate.set()
    assert [future.result(60) for future in futures] == ["a", "b", "c"]
    assert log == order.split(", ")
    assert len(log.threads) == 1


def test_nothing_waits_for_work_that_nobody_asked_for():
    networks, log = NetworkThread(), _Log()
    networks.window = 8
    assert _ask(networks, "a", log).result(60) == "a"


def test_what_is_raised_reaches_whoever_asked_and_nobody_else():
    networks, log = NetworkThread(), _Log()

    def broken():
        raise ValueError("first step")

    def broken_later():
        def finish():
            raise ValueError("second step")

        return finish

    futures = [networks.submit(broken), networks.submit(broken_later), _ask(networks, "a", log)]
    with pytest.raises(ValueError, match="first step"):
        futures[0].result(60)
    with pytest.raises(ValueError, match="second step"):
        futures[1].result(60)
    assert futures[2].result(60) == "a"
    assert networks.call(lambda: 7) == 7
