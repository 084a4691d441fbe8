"""The stages of a stopwatch add up to the whole."""

from __future__ import annotations

import threading
import time

import pytest

from ipvg_eval.metrics.timing import REST, Stage, Stopwatch, beside, running, stage


def test_stages_add_up_to_the_wall_time():
    stopwatch = Stopwatch()
    started = time.perf_counter()
    with stopwatch.running():
        for _ in range(3):
            with stage("measure"), stage("network", "clip"):
                time.sleep(0.01)
        with stage("write"):
            time.sleep(0.01)
    wall = time.perf_counter() - started
    assert 0.04 <= stopwatch.total <= wall
    assert stopwatch.spent.keys() == {
        REST,
        Stage(kind="measure"),
        Stage(kind="network", name="clip"),
        Stage(kind="write"),
    }
    assert stopwatch.spent[Stage(kind="network", name="clip")].calls == 3
    assert stopwatch.spent[Stage(kind="network", name="clip")].seconds >= 0.03
    assert stopwatch.spent[REST].calls == 1


def test_only_the_innermost_clock_runs():
    stopwatch = Stopwatch()
    with stopwatch.running(), stage("measure"), stage("network", "clip"):
        time.sleep(0.05)
    inner = stopwatch.spent[Stage(kind="network", name="clip")].seconds
    outer = stopwatch.spent[Stage(kind="measure")].seconds
    assert inner >= 0.05
    assert outer + inner + stopwatch.spent[REST].seconds == pytest.approx(stopwatch.total)
    assert outer <= stopwatch.total - 0.05, "what it calls is not counted twice"


def test_an_error_ends_its_stages():
    stopwatch = Stopwatch()
    with stopwatch.running():
        with pytest.raises(KeyError), stage("measure"), stage("network", "clip"):
            raise KeyError
        with stage("write"):
            pass
    assert stopwatch.spent[Stage(kind="write")].calls == 1
    assert running() is None


def test_nothing_happens_where_no_stopwatch_runs():
    with stage("network", "clip"):
        pass
    with beside(None, "decode"):
        pass
    assert running() is None


def test_a_stopwatch_goes_on_where_it_stopped():
    stopwatch, started = Stopwatch(), time.perf_counter()
    for _ in range(2):
        with stopwatch.running(), stage("write"):
            pass
        time.sleep(0.05)
    assert stopwatch.spent[Stage(kind="write")].calls == 2
    assert stopwatch.total <= time.perf_counter() - started - 0.1, "time between the two is nobody's"


def test_other_threads_are_kept_apart():
    stopwatch = Stopwatch()

    def decode():
        for _ in range(100):
            with stage("network", "clip"), beside(stopwatch, "decode"):
                pass

    with stopwatch.running():
        threads = [threading.Thread(target=decode) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert stopwatch.beside["decode"].calls == 400
    assert stopwatch.spent.keys() == {REST}
