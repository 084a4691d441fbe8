"""Presence recombined from what a run kept equals presence measured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from ipvg_eval.metrics.errors import MetricsError
from ipvg_eval.metrics.rescoring import Kept, KeptMissing, can_rescore
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.timeline.evaluator import TimelineAlignment, TimelineAlignmentOptions
from ipvg_eval.metrics.timeline.scorers.prototype_encoder import PrototypeEncoder
from ipvg_eval.metrics.timeline.scorers.text_video_scorer import EmbeddingScorer
from ipvg_eval.metrics.timeline.spec import FIRST_SPECS, SPECS
from ipvg_eval.metrics.timeline.video_score.spec import VIDEO_SCORES
from ipvg_eval.results.features import read_features, write_features

A, B, C = "An astronaut poses", "An officer poses", "Coffee is served"
NAMES = [spec.name for spec in SPECS]
COSINES = TimelineAlignmentOptions(scorer="prototypes", examples=Path("unused"))
FIRST = COSINES.model_copy(update={"version": 1})
FIRST_NAMES = [spec.name for spec in FIRST_SPECS]
ASKED = COSINES.model_copy(update={"presence": "vlm"})


@dataclass(frozen=True)
class Oracle:
    """Stands in for the language model, whose answers are a function of the frames and the action alone."""

    how: str = "P(yes) of an oracle"

    weights = {}  # noqa: RUF012

    def shrink(self, frame):
        return frame[::8, ::8].copy()

    def presence(self, frames, action, _seconds=None):
        return float(np.stack(frames).mean() / 255) * len(action) / 40

    def presences(self, frames, actions, _seconds=None):
        return [self.presence(frames, action) for action in actions]


def _evaluator(examples, options):
    scorer = EmbeddingScorer(PrototypeEncoder(examples), 8)
    return TimelineAlignment(options, Runtime(), scorer=scorer, presence=Oracle())


@pytest.fixture(scope="module")
def films(film):
    return {
        "right": (film((A, 1), (B, 2), (C, 1)), f"0-1s: [{A}]; 1-3s: [{B}]; 3-4s: [{C}]", None),
        "short": (film((A, 1), (B, 1)), f"0-1s: [{A}]; 1-3s: [{B}]; 3-4s: [{C}]", None),
        "frozen": (film((A, 2), still=True), f"0-1s: [{A}]; 1-2s: [{B}]", None),
        "one action": (film((A, 2)), f"0-2s: [{A}]", None),
        "no timeline": (film((A, 1)), None, None),
        "damaged": (film((A, 1), (B, 1)), f"0-1s: [{A}]; 1-2s: [{B}]", lambda index: index > 20),
        "nothing": (film((A, 1)), f"0-1s: [{A}]", lambda _: True),
    }


def _measured(evaluator, case):
    one, timeline, lost = case
    return one.measure(evaluator, timeline, lost=lost)


def _kept(measurements, tmp_path):
    """As a run folder gives them back."""
    path = tmp_path / "features.npz"
    write_features(path, {n: m.features for n, m in measurements.items() if m.features is not None})
    features = read_features(path)
    found = {name: replace(m, features=features.get(name)) for name, m in measurements.items()}
    return Kept(frame_count=64, measurements=found)


@pytest.mark.parametrize(
    "name", ["right", "short", "frozen", "one action", "no timeline", "damaged", "nothing"]
)
def test_cosines_after_a_run_with_a_model_equal_a_run_without(examples, films, tmp_path, name):
    asked, plain = (_measured(_evaluator(examples, options), films[name]) for options in (ASKED, COSINES))
    kept = _kept(asked, tmp_path)
    if name not in ("no timeline", "nothing", "one action"):
        assert asked["timeline_sem"].value != plain["timeline_sem"].value
    for metric in NAMES:
        assert TimelineAlignment.cannot_rescore(metric, COSINES, ASKED, NAMES) is None
        found = TimelineAlignment.rescore(metric, COSINES, ASKED, kept)
        direct = plain[metric]
        assert (found.name, found.value, found.reason) == (direct.name, direct.value, direct.reason)
        assert found.note == direct.note, metric
        assert found.per_frame == direct.per_frame
        assert (found.features is None) == (direct.features is None)
        if direct.features is not None:
            np.testing.assert_array_equal(found.features.rows, direct.features.rows)
            np.testing.assert_array_equal(found.features.reference, direct.features.reference)


@pytest.mark.parametrize("presence", ["clip_t", "vlm"])
@pytest.mark.parametrize(
    "name", ["right", "short", "frozen", "one action", "no timeline", "damaged", "nothing"]
)
def test_a_run_of_the_second_version_explains_the_first(examples, films, tmp_path, name, presence):
    """Equal to a run of the first version, but for TIM in float32."""
    second = COSINES.model_copy(update={"presence": presence})
    now, before = (_measured(_evaluator(examples, options), films[name]) for options in (second, FIRST))
    kept = _kept(now, tmp_path)
    for metric in FIRST_NAMES:
        assert TimelineAlignment.cannot_rescore(metric, FIRST, second, NAMES) is None
        found, direct = TimelineAlignment.rescore(metric, FIRST, second, kept), before[metric]
        assert (found.name, found.reason) == (direct.name, direct.reason)
        if direct.value is None:
            assert found.value is None
        else:
            assert found.value == pytest.approx(direct.value, rel=1e-6, abs=1e-9)


def test_the_second_version_cannot_be_had_from_the_first():
    for metric in ("timeline_tim", "timeline_sem", "timeline_ata", "timeline_success"):
        why = TimelineAlignment.cannot_rescore(metric, COSINES, FIRST, FIRST_NAMES)
        assert why == "the run kept no other actions to compare with (version 1)"
    assert TimelineAlignment.cannot_rescore("timeline_miou", COSINES, FIRST, FIRST_NAMES) is None


def test_runs_from_before_the_second_version_are_of_the_first():
    old = TimelineAlignment.as_measured({"rate": 2.0}, {"timeline_tim": 1, "timeline_miou": 1})
    assert old == {"rate": 2.0, "version": 1}
    assert TimelineAlignment.as_measured({}, {"timeline_tim": 2}) == {}
    assert TimelineAlignment.as_measured({}, {"timeline_miou": 1}) == {}


def test_the_same_presence_is_copied(examples, films, tmp_path):
    asked = _measured(_evaluator(examples, ASKED), films["right"])
    kept = _kept(asked, tmp_path)
    scored = ASKED.model_copy(update={"video_score": True})
    for metric in NAMES:
        assert TimelineAlignment.cannot_rescore(metric, ASKED, scored, NAMES) is None
        assert TimelineAlignment.rescore(metric, ASKED, scored, kept) is kept.measurements[metric]


def test_answers_that_were_not_asked_for_cannot_be_had():
    why = TimelineAlignment.cannot_rescore("timeline_sem", ASKED, COSINES, NAMES)
    assert why == "the run did not ask this vision-language model about presence"
    larger = ASKED.model_copy(update={"presence_model": "qwen2_vl_7b"})
    assert TimelineAlignment.cannot_rescore("timeline_ata", larger, ASKED, NAMES) == why
    assert TimelineAlignment.cannot_rescore("timeline_miou", larger, ASKED, NAMES) is None
    score = VIDEO_SCORES[0].name
    assert TimelineAlignment.cannot_rescore(score, ASKED, ASKED, NAMES) == f"the run did not measure {score}"
    assert TimelineAlignment.cannot_rescore(score, ASKED, COSINES, [score]) is None


@pytest.mark.parametrize(
    "changed", [{"scorer": "open_clip"}, {"rate": 8.0}, {"frame_limit": 16}, {"examples": Path("other")}]
)
def test_other_frames_or_scorers_cannot_be_recombined(changed):
    assert can_rescore(TimelineAlignment)
    other = COSINES.model_copy(update=changed)
    for metric in NAMES:
        assert "in the run" in (TimelineAlignment.cannot_rescore(metric, COSINES, other, NAMES) or "")


def test_a_rate_that_is_the_scorers_own_is_no_other():
    same = COSINES.model_copy(update={"rate": 4.0})
    assert TimelineAlignment.cannot_rescore("timeline_miou", COSINES, same, NAMES) is None


def test_what_presence_is_made_of_must_be_there(examples, films):
    for metric, needed in (("timeline_sem", "timeline_p"), ("timeline_ata", "timeline_con")):
        reported = [name for name in NAMES if name != needed]
        why = TimelineAlignment.cannot_rescore(metric, COSINES, ASKED, reported)
        assert why == f"the run did not measure {needed}"
    asked = _measured(_evaluator(examples, ASKED), films["right"])
    bare = Kept(frame_count=64, measurements={n: replace(m, features=None) for n, m in asked.items()})
    with pytest.raises(KeptMissing) as raised:
        TimelineAlignment.rescore("timeline_sem", COSINES, ASKED, bare)
    assert isinstance(raised.value, MetricsError)
