"""Events to prompt with are those that are scored, and latent frames belong to them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from timeline_corpus import CORPUS

from ipvg_eval.core.timeline import Event, parse_timeline
from ipvg_eval.reference_generator.errors import SampleFailed
from ipvg_eval.reference_generator.preset import load_settings
from ipvg_eval.reference_generator.rewriting.prompts import prepare_texts
from ipvg_eval.reference_generator.schedule import frame_events, readable_timeline, timeline_seconds


@pytest.mark.parametrize(("text", "expected"), [pair for pair in CORPUS if pair[1]])
def test_the_models_are_told_what_is_scored(jobs, text, expected):
    """The prompt of every event is its description as the scorer reads it, in its order."""
    texts = prepare_texts(replace(jobs[0], timeline=text, prompt=text), load_settings("vace-1.3b"), None)
    assert texts.video == tuple(description for _, _, description in expected)
    read = readable_timeline(text).events
    assert read == parse_timeline(text).events
    assert [(event.start, event.end, event.description) for event in read] == expected
    assert texts.events == (read if len(read) > 1 else ())
    assert timeline_seconds(text) == max(end for _, end, _ in expected)


@pytest.mark.parametrize("text", [text for text, expected in CORPUS if not expected])
def test_what_is_not_scored_is_not_made(text):
    with pytest.raises(SampleFailed, match="holds no event") as failed:
        readable_timeline(text)
    assert failed.value.hint
    assert timeline_seconds(text) is None


def test_an_event_that_is_left_out_is_told(jobs):
    job = replace(jobs[0], timeline="0-2s: waves; 5-3s: turns; 2-5s: sits", prompt="A man")
    texts = prepare_texts(job, load_settings("vace-1.3b"), None)
    assert texts.video == ("A man. waves", "A man. sits")
    assert texts.notes == ("Event 2: it ends at 3 s, not after it starts at 5 s.",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2-1s: back", "it ends at 1 s, not after it starts at 2 s"),
        ('[{"start": 0, "end": 1}]', "event 1 has no 'description'"),
        ('[{"start": "soon", "end": 1, "description": "x"}]', "start is 'soon', not a time"),
    ],
)
def test_a_failed_sample_says_what_is_wrong(text, message):
    with pytest.raises(SampleFailed, match=message):
        readable_timeline(text)


def test_latent_frames_belong_to_the_event_at_their_middle():
    # 16 frames/s: latent frame k holds pictures 4k-3..4k, its middle is at (4k - 1.5) / 16 s.
    events = (Event(start=0, end=0.25, description="a"), Event(start=0.25, end=0.6, description="b"))
    assert frame_events(events, frames=9, fps=16) == [0, 0, 1]
    # The same frames later in the video: 8.. begin at 0.5 s.
    assert frame_events(events, frames=9, fps=16, first_frame=8) == [1, 1, 1]
    gap = (Event(start=0.2, end=0.3, description="a"), Event(start=0.5, end=0.6, description="b"))
    assert frame_events(gap, frames=17, fps=16) == [0, 0, 0, 1, 1]
