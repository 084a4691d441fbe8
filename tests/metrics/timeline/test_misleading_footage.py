"""Real footage that shows little or nothing of its timeline, with texts known by example pictures.

A drifting still, a cross-fade of two unrelated scenes at the right time, every event in the wrong order,
and the
actions' captions burned into a picture. Example pictures cannot read: what captions do to a text encoder is
said in
the metric's card.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
import skimage.data
from prototypes import UNASKED

from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.timeline.evaluator import TimelineAlignment, TimelineAlignmentOptions
from ipvg_eval.metrics.timeline.scorers.prototype_encoder import PrototypeEncoder
from ipvg_eval.metrics.timeline.scorers.text_video_scorer import EmbeddingScorer

A, B, C = "An astronaut poses", "An officer poses", "Coffee is served"
TIMELINE = f"0-2s: [{A}]; 2-4s: [{B}]; 4-6s: [{C}]"
WIDTH, HEIGHT, FPS, SECONDS = 320, 240, 16, 6


def at_size(picture):
    return cv2.resize(picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)


def zoom(picture, by):
    top, left = int(picture.shape[0] * by), int(picture.shape[1] * by)
    return at_size(picture[top : picture.shape[0] - top or None, left : picture.shape[1] - left or None])


def pan(picture, by):
    width = int(picture.shape[1] * 0.7)
    left = int((picture.shape[1] - width) * by)
    return at_size(np.ascontiguousarray(picture[:, left : left + width]))


def captioned(picture, text):
    shown = at_size(picture).copy()
    cv2.rectangle(shown, (0, HEIGHT - 40), (WIDTH, HEIGHT), (0, 0, 0), -1)
    cv2.putText(shown, text, (8, HEIGHT - 14), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (255, 255, 255), 2)
    return shown


@pytest.fixture(scope="module")
def evaluator(examples):
    known = {**examples, "A rocket starts": [skimage.data.rocket()]}
    known |= {text: [picture()] for text, picture in UNASKED.items()}
    options = TimelineAlignmentOptions(scorer="prototypes")
    return TimelineAlignment(options, Runtime(), scorer=EmbeddingScorer(PrototypeEncoder(known), 8))


@pytest.fixture(scope="module")
def found(evaluator, film, tmp_path_factory):
    cat, rocket = skimage.data.chelsea(), skimage.data.rocket()
    moments = np.linspace(0, 1, SECONDS * FPS)

    def fade(t):
        share = float(np.clip((t * SECONDS - 1.75) / 0.5, 0, 1))
        return cv2.addWeighted(at_size(cat), 1 - share, at_size(rocket), share, 0)

    made = {
        "zoom": [zoom(cat, 0.2 * t) for t in moments],
        "pan": [pan(cat, t) for t in moments],
        "brightness": [np.clip(at_size(cat) * (0.7 + 0.5 * t), 0, 255).astype(np.uint8) for t in moments],
        "cross-fade": [fade(t) for t in moments],
        "captions": [captioned(cat, (A, B, C)[min(2, int(t * 3))]) for t in moments],
    }
    films = {
        "right": film((A, 2), (B, 2), (C, 2)),
        "wrong order": film((C, 2), (A, 2), (B, 2)),
        "reversed": film((C, 2), (B, 2), (A, 2)),
    }
    for name, pictures in made.items():
        path = tmp_path_factory.mktemp("film") / "film.mp4"
        with av.open(path, "w") as container:
            stream = container.add_stream("libx264", rate=FPS)
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
            stream.time_base = Fraction(1, FPS)
            for picture in pictures:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode())
        films[name] = replace(films["right"], path=path)
    return {name: one.measure(evaluator, TIMELINE) for name, one in films.items()}


def value(found, shown, name):
    return found[shown][f"timeline_{name}"].value


def test_the_right_film_succeeds(found):
    assert value(found, "right", "ata") > 0.6
    assert value(found, "right", "sem") > 0.9
    assert [value(found, "right", name) for name in ("success", "all_present", "motion_order")] == [1, 1, 1]


@pytest.mark.parametrize("shown", ["zoom", "pan", "brightness", "cross-fade", "captions"])
def test_what_shows_nothing_of_the_timeline_wins_nothing(found, shown):
    """The cat is in none of the actions: what nobody asked for fits as well."""
    assert value(found, shown, "ata") <= 0.1
    assert value(found, shown, "all_present") == 0
    assert value(found, shown, "ata") < value(found, "right", "ata") - 0.5


@pytest.mark.parametrize("shown", ["wrong order", "reversed"])
def test_every_action_in_the_wrong_order_is_below_0(found, shown):
    assert value(found, shown, "tim") < 0
    assert value(found, shown, "ata") <= 0
    assert value(found, shown, "success") == 0
    assert value(found, shown, "motion_order") == 0


def test_identical_actions_long_short_and_foreign_events(film, examples):
    known = {**examples, "": examples[C], "挥手": examples[B]}
    evaluator = TimelineAlignment(
        TimelineAlignmentOptions(scorer="prototypes"),
        Runtime(),
        scorer=EmbeddingScorer(PrototypeEncoder(known), 8),
    )
    one = film((A, 1), (B, 1))
    same = one.measure(evaluator, f"0-1s: [{A}]; 1-2s: [{A}]")
    assert "one action only" in same["timeline_tim"].reason
    endless = one.measure(evaluator, f"0-60s: [{A}]")
    assert endless["timeline_ata"].value is None
    assert endless["timeline_success"].value is not None or endless["timeline_success"].reason
    brief = one.measure(evaluator, f"0-0.05s: [{A}]; 1-1.05s: [挥手]")
    assert brief["timeline_tim"].value is not None
    assert np.isfinite(brief["timeline_ata"].value)


def test_a_single_event_has_presence_and_success_but_no_timing(film, evaluator):
    one = film((A, 2), (B, 2))
    shown, unseen = (one.measure(evaluator, f"0-2s: [{action}]") for action in (A, C))
    for name in ("timeline_tim", "timeline_ata", "timeline_mof", "timeline_order"):
        assert shown[name].value is None
        assert "one action only" in shown[name].reason
    assert shown["timeline_sem"].value > 0.9
    assert shown["timeline_all_present"].value == 1
    assert unseen["timeline_sem"].value < shown["timeline_sem"].value
    assert unseen["timeline_all_present"].value == 0
    for found in (shown, unseen):
        p = found["timeline_p"]
        assert p.value is not None or p.reason


def test_256_events_of_a_twentieth_of_a_second_are_scored_and_257_are_not(film, evaluator):
    """Four actions in turn, 12.8 s of timeline for 4 s of video; every number or its reason."""
    actions = (A, B, C, "A cat looks up")

    def timeline(count):
        return "; ".join(f"{k / 20}-{(k + 1) / 20}s: [{actions[k % 4]}]" for k in range(count))

    one = film((A, 2), (B, 2))
    found = one.measure(evaluator, timeline(256))
    assert found["timeline_events"].value == 256
    assert abs(found["timeline_tim"].value) < 0.3
    assert all(m.value is not None or m.reason for m in found.values())
    assert all(m.value is None or np.isfinite(m.value) for m in found.values())
    many = one.measure(evaluator, timeline(257))
    assert {m.reason for m in many.values()} == {"the timeline has 257 events, more than 256"}


def test_without_a_distractor_left_presence_is_missing_with_the_reason(film, examples):
    alone = {A: examples[A]}
    evaluator = TimelineAlignment(
        TimelineAlignmentOptions(scorer="prototypes"),
        Runtime(),
        scorer=EmbeddingScorer(PrototypeEncoder(alone), 8),
    )
    found = film((A, 1), (B, 1)).measure(evaluator, f"0-1s: [{A}]")
    for name in ("sem", "success", "p", "all_present"):
        assert found[f"timeline_{name}"].reason == "no distractor is left to compare the actions with"
    assert found["timeline_clip_t"].value is not None
