"""Reading and writing timelines."""

from __future__ import annotations

import pytest
from growth import growth
from hypothesis import given, settings
from hypothesis import strategies as st
from timeline_corpus import CORPUS, WAVES_AND_SITS

from ipvg_eval.core.timeline import Event, format_timeline, parse_timeline
from ipvg_eval.core.timeline.check import video_problems
from ipvg_eval.core.timeline.ranges import read_time
from ipvg_eval.core.timeline.wording import clean

AB = [(0.0, 2.0, "A"), (2.0, 5.0, "B")]
DASHES = [*"‐‑‒–—―−-~～〜→", "->", " to ", " until ", " – "]


def triples(source) -> list[tuple[float, float, str]]:
    return [(e.start, e.end, e.description) for e in parse_timeline(source).events]


def codes(source) -> list[str]:
    return [problem.code for problem in parse_timeline(source).problems]


@pytest.mark.parametrize("dash", DASHES)
@pytest.mark.parametrize("unit", ["s", " s", "sec", " seconds", "秒", "S"])
def test_every_dash_and_unit(dash, unit):
    assert triples(f"0{dash}2{unit}: [A]; 2{dash}5{unit}: [B]") == AB
    assert triples(f"0{unit}{dash}2{unit} A; 2{unit}{dash}5{unit} B") == AB


@pytest.mark.parametrize(("text", "events"), CORPUS)
def test_timelines_as_people_write_them(text, events):
    assert triples(text) == events


def test_the_corpus_is_large_and_says_nothing_twice():
    assert len({text for text, _ in CORPUS}) == len(CORPUS) >= 150


@pytest.mark.parametrize(
    "text",
    [text for text, events in CORPUS if events == WAVES_AND_SITS],
)
def test_nothing_is_wrong_with_the_same_timeline_in_any_shape(text):
    assert parse_timeline(text).problems == ()


@pytest.mark.parametrize(
    "text",
    [
        "picks up 2-3 apples",
        "a 10-year-old boy",
        "2-3 shoes, 5 to 6 steps",
        "2024-05-06: a note, on 1/2-3 cups",
        "between 2 and 5 metres",
        "v0-2s, mp4-5s",
        "score 3-2 (4-5 at home)",
        "",
        "a timeline without times",
    ],
)
def test_a_pair_of_numbers_alone_is_no_event(text):
    timeline = parse_timeline(text)
    assert timeline.events == ()
    assert [problem.code for problem in timeline.problems] == ["timeline-empty"]


def test_numbers_inside_an_action_stay_in_it():
    assert triples("0–2s: [picks up 2-3 apples at [0-1s]]; 2-5s: he waits 3-4 turns") == [
        (0.0, 2.0, "picks up 2-3 apples at [0-1s]"),
        (2.0, 5.0, "he waits 3-4 turns"),
    ]


def test_one_pair_of_brackets_around_an_action_is_taken_off():
    assert triples("0-2s: [[A] and (B)]; 2-5s: [A] then [B]") == [
        (0.0, 2.0, "[A] and (B)"),
        (2.0, 5.0, "[A] then [B]"),
    ]


def test_control_characters_are_spaces():
    """A terminal would obey them."""
    assert triples("0-2s: [A\x1b\x00b\x9b]") == [(0.0, 2.0, "A b")]
    assert triples([{"start": 0, "end": 2, "description": "\x07A\x1b"}]) == [(0.0, 2.0, "A")]
    assert codes([{"start": 0, "end": 2, "description": "\x1b"}])[-1] == "timeline-description-empty"


def test_decimals_with_point_or_comma():
    assert triples("0,5–2.25 s: A; 2,25s-3s: B")[0] == (0.5, 2.25, "A")


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("3-2s: A", "timeline-reversed"),
        ("2-2s: A", "timeline-reversed"),
        ("-1-2s: A", "timeline-time-negative"),
        ([{"start": float("nan"), "end": 2, "description": "A"}], "timeline-time-invalid"),
        ([{"start": 0, "end": float("inf"), "description": "A"}], "timeline-time-invalid"),
        ([{"start": 0, "end": 10**400, "description": "A"}], "timeline-time-invalid"),
        ([{"start": 0, "end": "soon", "description": "A"}], "timeline-time-invalid"),
        ([{"start": True, "end": 2, "description": "A"}], "timeline-time-invalid"),
        ([{"start": -1, "end": 2, "description": "A"}], "timeline-time-negative"),
        ([{"end": 2, "description": "A"}], "timeline-key-missing"),
        ([{"start": 0, "end": 2}], "timeline-key-missing"),
        ([{"start": 0, "end": 2, "description": 7}], "timeline-description-invalid"),
        ([{"start": 0, "end": 2, "description": " "}], "timeline-description-empty"),
        ("0-2s: ", "timeline-description-empty"),
        ({"global_prompt": "x"}, "timeline-key-missing"),
        ([[1, 2]], "timeline-key-missing"),
    ],
)
def test_an_unsound_event_is_reported_and_the_others_stay(source, code):
    alone = parse_timeline(source)
    assert alone.events == ()
    assert not alone.ok
    assert [p.code for p in alone.problems] == ["timeline-empty", code]
    assert all(p.message and p.action for p in alone.problems)
    good = {"start": 0, "end": 4, "description": "good"}
    if isinstance(source, list) and isinstance(source[0], dict):
        both = parse_timeline([*source, good])
        assert [e.description for e in both.events] == ["good"]
        assert [p.code for p in both.problems] == [code]


def test_gaps_and_overlaps_are_warnings():
    assert codes("0-2s: A; 2-3s: B") == []
    assert codes("1-2s: A; 3-4s: B") == ["timeline-gap", "timeline-gap"]
    assert codes("0-3s: A; 2-4s: B") == ["timeline-overlap"]
    assert parse_timeline("0-3s: A; 2-4s: B").ok


@pytest.mark.parametrize(
    ("end", "found"),
    [
        (5, []),
        (5.2, []),
        (6, ["timeline-beyond-video"]),
        (5000, ["timeline-unit"]),
        (120, ["timeline-unit"]),
        (1, ["timeline-unit"]),
        (40, ["timeline-beyond-video"]),
        (3.9, []),
    ],
)
def test_a_timeline_that_does_not_fit_the_video(end, found):
    """A video of 5 s at 24 frames per second: 5000 ms, 120 frames, 1 whole."""
    timeline = parse_timeline([{"start": 0, "end": end, "description": "A"}])
    assert [p.code for p in video_problems(timeline, duration=5.0, fps=24.0)] == found


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("2.5s", 2.5), ("1:02.5", 62.5), ("1:00:01", 3601.0), ("250 ms", 0.25), (".5", 0.5), ("-3", -3.0)],
)
def test_single_times(text, seconds):
    assert read_time(text) == seconds


descriptions = st.text(max_size=40).map(clean).filter(bool)
brackety = st.text(st.sampled_from("[](){}【】 0123-s:;,aé秒\n"), max_size=20).map(clean).filter(bool)
moments = st.one_of(
    st.floats(0, 1e6, allow_nan=False),
    st.floats(min_value=0, allow_nan=False, allow_infinity=False),
    st.integers(0, 10_000).map(lambda n: n / 100),
)


@st.composite
def timelines(draw):
    events = []
    for _ in range(draw(st.integers(1, 6))):
        times = sorted(draw(st.lists(moments, min_size=2, max_size=2, unique=True)))
        text = draw(st.one_of(descriptions, brackety))
        events.append(Event(start=times[0] + 0.0, end=times[1], description=text))
    return tuple(sorted(events, key=lambda e: (e.start, e.end, e.description)))


@settings(deadline=None, max_examples=400)
@given(timelines())
def test_what_is_written_reads_back_the_same(events):
    timeline = parse_timeline(format_timeline(events))
    assert timeline.events == events
    assert timeline.ok


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=200) | st.text(st.sampled_from("0129.,:;-–~→s[](){}\"' \nmto秒"), max_size=200))
def test_any_text_gives_sound_events_or_problems(text):
    timeline = parse_timeline(text)
    assert timeline.events or not timeline.ok
    for event in timeline.events:
        assert 0 <= event.start < event.end
        assert event.description == clean(event.description) != ""
    assert list(timeline.events) == sorted(timeline.events, key=lambda e: (e.start, e.end, e.description))


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["events", "start", "end", "description", "entities", "x"]), inner)
    ),
    max_leaves=12,
)


@settings(deadline=None, max_examples=200)
@given(
    st.lists(json_values, max_size=4) | st.dictionaries(st.sampled_from(["events", "entities"]), json_values)
)
def test_any_json_gives_sound_events_or_problems(value):
    timeline = parse_timeline(value)
    assert timeline.events or not timeline.ok


HOSTILE = [
    "0-", "[", "][", "0-2s:[", "1", " ", "0 ", "(0-2s)", "[{", "0:00", "- ", "from ", "1,", "\n", "１",
    "0-2s: a [b ", "0.0.", "->", "{\"events\":", "[0-2s: ", "ﷺ", "0—", "0 to ",
]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_text_is_read_in_linear_time(piece):
    """Ten times the text takes about ten times as long: far from the hundred of a quadratic reader."""

    text = (piece * (100_000 // len(piece) + 1))[:100_000]
    assert growth(lambda length: parse_timeline(text[:length]), 10_000, 100_000) < 30
