"""Real videos with their true timelines, in a folder of ReactID-Data's shape."""

from __future__ import annotations

import json

import make_sequential as maker
import pytest
from make_fixtures import write_video
from prototypes import write_prototypes
from typer.testing import CliRunner

from ipvg_eval.cli.app import build_app
from ipvg_eval.core.errors import UsageError
from ipvg_eval.metrics.errors import MetricsError
from ipvg_eval.metrics.timeline.reactid_data import read_annotated_videos
from ipvg_eval.scoring.timeline_calibration import calibrate, timeline_evaluator


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The shipped timelines: events of the first item in one list, those of the others under an entity."""
    root = tmp_path_factory.mktemp("reactid")
    items = json.loads((maker.HERE / "testset" / "eval.json").read_text("utf-8"))
    for number, (item, scenes) in enumerate(zip(items, maker.ITEMS, strict=True), start=1):
        events = [
            {"start_time": e["start"], "end_time": e["end"], "caption": e["description"]}
            for e in item["temporal_captions"]
        ]
        labels = [{"label": label} for label in item["class_label"]]
        content = {"global_caption": item["global_prompt"], "entities": labels, "events": events}
        if number > 1:
            content = {"global_caption": "", "entities": [{**labels[0], "events": events}, *labels[1:]]}
            content["entities"][1:] = [{**label, "events": []} for label in labels[1:]]
        (root / "timeline_annotations").mkdir(exist_ok=True)
        (root / "timeline_annotations" / f"v{number}.json").write_text(json.dumps(content), "utf-8")
        write_video(root / "videos" / f"v{number}.mp4", maker.ordered(scenes))
    return root


def test_annotations_are_read(folder):
    videos = read_annotated_videos(folder)
    assert [one.name for one in videos] == ["v1", "v2", "v3"]
    assert videos[0].labels == ("woman", "cat")
    assert videos[0].caption.startswith("A woman in an orange space suit")
    assert [(e.start, e.end) for e in videos[0].events] == [(0, 2), (2, 4)]
    assert len(videos[1].events) == 3


def test_true_timelines_score_above_wrong_ones(folder, tmp_path):
    rows = calibrate(timeline_evaluator(str(write_prototypes(tmp_path))), read_annotated_videos(folder))
    real, turned, moved = rows
    assert [row.timeline for row in rows] == ["real", "order reversed", "shifted by one event"]
    assert real.counts["timeline_tim"] == 3
    assert real.means["timeline_tim"] > 0.9
    assert real.means["timeline_success"] == 1
    for wrong in (turned, moved):
        assert wrong.means["timeline_tim"] < 0.1
        assert wrong.means["timeline_sem"] < real.means["timeline_sem"]
        assert wrong.means["timeline_success"] < 0.5


def test_the_command_prints_the_three(folder, tmp_path):
    words = [
        "timeline",
        "calibrate",
        str(folder),
        "--protocol",
        str(write_prototypes(tmp_path)),
        "--limit",
        "1",
    ]
    done = CliRunner().invoke(build_app(words), words)
    assert done.exit_code == 0, done.output
    for words in ("real", "order reversed", "shifted by one", "Timing", "Success"):
        assert words in done.output


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "no timeline_annotations"), ("[]", "is a mapping"), ("{", "cannot be read"), ("{}", "no event")],
)
def test_what_cannot_be_read_is_said(tmp_path, content, words):
    if content is not None:
        (tmp_path / "timeline_annotations").mkdir()
        (tmp_path / "timeline_annotations" / "a.json").write_text(content)
    with pytest.raises(MetricsError if content else UsageError, match=words) as raised:
        read_annotated_videos(tmp_path)
    if content != "{":
        assert "docs/track2.md" in (raised.value.hint or "")


def test_a_missing_video_is_named(tmp_path):
    (tmp_path / "timeline_annotations").mkdir()
    event = {"start": 0, "end": 1, "description": "x"}
    (tmp_path / "timeline_annotations" / "a.json").write_text(json.dumps({"events": [event]}))
    with pytest.raises(MetricsError, match=r"a\.mp4: this video is missing"):
        read_annotated_videos(tmp_path)
