"""Which samples stand out, and what the identity table says."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvg_eval.core.row import Status
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.report.ranking import by_identity, extremes
from ipvg_eval.report.samples import Sample


def spec(higher_is_better: bool | None) -> MetricSpec:
    return MetricSpec(
        name="m",
        version=1,
        higher_is_better=higher_is_better,
        bounds=(None, None),
        title="M",
        summary="",
        source="",
    )


def samples(values: Sequence[float | None], identities: Sequence[str] | None = None) -> list[Sample]:
    return [
        Sample(
            sample=f"s{k}",
            identity=identities[k] if identities else "one",
            video=f"s{k}.mp4",
            status=Status.SCORED if value is not None else Status.MISSING,
            reason=None,
            damage=None,
            facts="",
            fps=None,
            duration=None,
            timeline=None,
            values={"m": value},
            remarks=(),
        )
        for k, value in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("higher", "first", "last"),
    [
        (True, ("s3", "s0"), ("s2", "s4")),
        (False, ("s2", "s4"), ("s3", "s0")),
        (None, ("s3", "s0"), ("s2", "s4")),
    ],
)
def test_direction_decides_which_end_is_best(
    higher: bool | None, first: tuple[str, ...], last: tuple[str, ...]
) -> None:
    ends = extremes(samples([3.0, None, 1.0, 4.0, 2.0]), spec(higher), each=2)
    assert (ends.first, ends.last) == (first, last)


def test_equal_values_keep_the_order_of_the_test_set() -> None:
    ends = extremes(samples([1.0, 1.0, 1.0, 0.0]), spec(True), each=2)
    assert ends.first == ("s0", "s1")
    assert ends.last == ("s3",), "what is as good as the best is not among the worst"


@pytest.mark.parametrize("count", [2, 3, 6])
def test_nothing_is_best_or_worst_where_all_values_are_equal(count: int) -> None:
    ends = extremes(samples([1.0] * count), spec(True), each=2)
    assert (ends.first, ends.last) == ((), ())


@settings(deadline=None, max_examples=100)
@given(
    values=st.lists(st.none() | st.floats(-10, 10), max_size=12),
    higher=st.sampled_from([True, False]),
    each=st.integers(1, 4),
)
def test_best_and_worst_never_overlap_and_bound_the_rest(
    values: list[float | None], higher: bool, each: int
) -> None:
    ends = extremes(samples(values), spec(higher), each=each)
    known = {f"s{k}": value for k, value in enumerate(values) if value is not None}
    assert not set(ends.first) & set(ends.last)
    if len(set(known.values())) > 1:
        assert ends.first
        assert ends.last
        assert not {known[name] for name in ends.first} & {known[ends.last[0]]}
        assert not {known[name] for name in ends.last} & {known[ends.first[0]]}
    if len(set(known.values())) == len(known):
        assert len(ends.first) + len(ends.last) == min(2 * each, len(known))
    sign = 1 if higher else -1
    for name, value in known.items():
        assert name in ends.first or all(sign * known[best] >= sign * value for best in ends.first)
        assert name in ends.last or all(sign * known[worst] <= sign * value for worst in ends.last)


def test_identities_are_averaged_over_what_is_there() -> None:
    rows = samples([1.0, None, 3.0, None, 5.0], ["a", "a", "b", "c", "b"])
    table = by_identity(rows, [spec(True)])
    assert [(one.identity, one.samples, one.scored, one.means[0].mean) for one in table] == [
        ("a", 2, 1, 1.0),
        ("b", 2, 2, 4.0),
        ("c", 1, 0, None),
    ]


@pytest.mark.parametrize(
    ("higher", "levels"),
    [(True, [0, 1, 4, None]), (False, [4, 3, 0, None]), (None, [None] * 4)],
)
def test_the_deepest_tint_is_the_best(higher: bool | None, levels: list[int | None]) -> None:
    table = by_identity(samples([0.0, 0.3, 1.0, None], ["a", "b", "c", "d"]), [spec(higher)])
    assert [one.means[0].level for one in table] == levels


def test_equal_identities_have_no_tint() -> None:
    table = by_identity(samples([0.5, 0.5], ["a", "b"]), [spec(True)])
    assert [one.means[0].level for one in table] == [None, None]
