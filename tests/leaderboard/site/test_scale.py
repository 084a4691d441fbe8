from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ipvg_eval.core.page import round_step
from ipvg_eval.leaderboard.site.scale import rank_scale, value_scale

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: round(x, 6))


@settings(max_examples=200, deadline=None)
@given(st.lists(NUMBERS | st.none(), max_size=8))
def test_every_value_and_tick_lies_on_the_scale(values: list[float | None]) -> None:
    scale = value_scale(values)
    places = [float(scale.at(value).removesuffix("%")) for value in values if value is not None]
    places += [float(scale.at(mark).removesuffix("%")) for mark, _ in scale.ticks]
    assert all(0 <= place <= 100 for place in places)
    assert 1 <= len(scale.ticks) <= 9
    labels = [label for _, label in scale.ticks]
    assert len(set(labels)) == len(labels)


@settings(deadline=None)
@given(st.floats(1e-9, 1e9))
def test_a_round_step_is_no_smaller_and_not_much_larger(step: float) -> None:
    assert step * (1 - 1e-8) <= round_step(step) <= 2.5 * step
    assert f"{round_step(step):.6e}"[:3] in {"1.0", "2.0", "2.5", "5.0"}


def test_labels_say_what_ticks_are() -> None:
    assert [label for _, label in value_scale([0.0, 1.0]).ticks] == ["0.0", "0.5", "1.0"]
    assert value_scale([0.25, 0.25]).ticks


def test_ranks_begin_at_one_and_have_few_labels() -> None:
    assert rank_scale(3).ticks == ((1, "1"), (2, "2"), (3, "3"))
    marks = [mark for mark, _ in rank_scale(50).ticks]
    assert marks[0] == 1
    assert marks[-1] == 50
    assert len(marks) <= 12
