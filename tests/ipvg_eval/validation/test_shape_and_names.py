from __future__ import annotations

import io
import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from rich.console import Console

from ipvg_eval.core.errors import UsageError
from ipvg_eval.findings import Severity
from ipvg_eval.testset import Track, load_testset
from ipvg_eval.validation import render, validate
from ipvg_eval.validation.near_miss import NearMisses
from ipvg_eval.validation.shape import assumed_shape

FOLDERS = [f"id{i:03d}/prompt{k}.mp4" for i in range(1, 201) for k in range(1, 6)]


@pytest.mark.parametrize(
    ("names", "count", "first", "last"),
    [
        ([], 1000, "id001/prompt1.mp4", "id200/prompt5.mp4"),
        (["id001/prompt1.mp4"], 1000, "id001/prompt1.mp4", "id200/prompt5.mp4"),
        (["1.mp4", "200.mp4"], 200, "1.mp4", "200.mp4"),
        (["001.mp4"], 200, "1.mp4", "200.mp4"),
        (["1.mp4", "201.mp4"], 1000, "1.mp4", "1000.mp4"),
        (["1.MP4", "notes.txt"], 200, "1.mp4", "200.mp4"),
    ],
)
def test_assumed_shape(names, count, first, last):
    shape = assumed_shape(names)
    assert (len(shape.videos), shape.assumed) == (count, True)
    assert (next(iter(shape.videos)), list(shape.videos)[-1]) == (first, last)


def test_full_shape_without_a_test_set(good, write_zip):
    """Two of the thousand are missing, one is extra; the shape that was assumed is stated."""
    video = next(iter(good.values()))
    files = dict.fromkeys(FOLDERS[:-2], video) | {"id200/prompt6.mp4": video}
    report = validate(write_zip(files))
    assert (report.expected, report.present, report.assumed) == (1000, 998, True)
    assert "200 folders" in report.shape
    assert [f.path for f in report.groups["video-missing"]] == FOLDERS[-2:]
    assert [f.path for f in report.groups["video-extra"]] == ["id200/prompt6.mp4"]
    assert len(report.groups["video-identical"]) == 1
    assert report.track is Track.FACIAL


def test_zero_padded_numbers_are_suggested(good, write_zip):
    video = next(iter(good.values()))
    report = validate(write_zip({f"{n:03d}.mp4": video for n in range(1, 201)}))
    misnamed = report.groups["video-misnamed"]
    assert [f.action for f in misnamed[:2]] == ["Rename it to 1.mp4.", "Rename it to 2.mp4."]
    assert len(misnamed) == 99
    assert report.present == 101


def test_flat_test_set(good, tmp_path, write_zip):
    root = tmp_path / "evalset"
    root.mkdir()
    Image.new("RGB", (9, 9)).save(root / "a.png")
    items = [{"img": "a.png", "prompt": "x"}, {"img": "a.png", "prompt": ""}, {"img": "a.png", "prompt": "z"}]
    (root / "eval.json").write_text(json.dumps(items))
    videos = list(good.values())
    report = validate(write_zip({"1.mp4": videos[0], "2.mp4": videos[1], "video_3.mp4": videos[2]}), root)
    # The second item has no prompt: its video is neither asked for nor extra.
    assert [(f.code, f.path) for f in report.findings] == [("video-misnamed", "video_3.mp4")]
    assert [f.code for f in report.testset_findings] == ["prompt-empty"]
    out = io.StringIO()
    render(report, Console(file=out, width=100))
    assert "The test set itself has 1 finding" in out.getvalue()
    assert "eval.json: item 2, prompt: The prompt is empty." in out.getvalue()
    assert report.expected == 2


def test_every_accepted_spelling_leads_to_one_video():
    near = NearMisses(FOLDERS)
    for name in (
        "ID_017/Prompt-4.MP4",
        "17/4.mp4",
        "id17/prompt04.mp4",
        "x/y/id017/prompt4.mp4",
        "id017prompt4",
    ):
        assert near.meant_by(name) == "id017/prompt4.mp4"
    for name in ("prompt4.mp4", "id017/prompt6.mp4", "id1_7/prompt4.mp4", "video.mp4", "", ".mp4", "///"):
        assert near.meant_by(name) is None


@settings(deadline=None, max_examples=200)
@given(st.text(st.sampled_from("id0123/prompt_. -\\MP4é²٣"), max_size=30))
def test_near_misses_take_any_name(name):
    near = NearMisses(["id001/prompt1.mp4", "id002/prompt1.mp4", "é/prompt1.mp4"])
    assert near.meant_by(name) in (None, "id001/prompt1.mp4", "id002/prompt1.mp4", "é/prompt1.mp4")


def test_right_names_mean_themselves():
    near = NearMisses(FOLDERS)
    assert all(near.meant_by(name) == name for name in FOLDERS)


@pytest.mark.parametrize(
    ("name", "track", "found"),
    [
        ("facial_results.zip", "facial", None),
        ("sequential_action_results.zip", "sequential", None),
        ("facial_results.zip", None, None),
        ("Facial_Results.zip", "facial", "case"),
        ("facial_results (1).zip", "facial", "not named"),
        ("facial-results.zip", None, "not named"),
        ("sequential_action_results.zip", "facial", "other track"),
        ("facial_results.zip", "sequential", "other track"),
    ],
)
def test_zip_name(name, track, found, good, write_zip):
    report = validate(write_zip(good, name=name), track=track)
    messages = [f.message for f in report.findings if f.code == "zip-name"]
    assert len(messages) == (found is not None)
    assert found is None or found in messages[0]
    action = next((f.action for f in report.findings if f.code == "zip-name"), "")
    if track == "sequential" and found:
        assert "sequential_action_results.zip" in action


def test_track_option_against_the_test_set(good, testset, write_zip):
    report = validate(write_zip(good, name="sequential_action_results.zip"), testset, track="sequential")
    assert [(f.code, f.severity) for f in report.findings] == [("track-differs", Severity.WARNING)]
    with pytest.raises(UsageError, match="unknown track 'faces'"):
        validate(write_zip(good), track="faces")


def test_unreadable_zip_and_empty_folder_are_reports(tmp_path, testset):
    broken = tmp_path / "facial_results.zip"
    broken.write_bytes(b"PK\x03\x04 cut")
    report = validate(broken, testset)
    assert [f.code for f in report.findings] == ["submission-unreadable"]
    assert not report.ok
    (tmp_path / "team").mkdir()
    assert [f.code for f in validate(tmp_path / "team", testset).findings] == ["no-videos"]
    with pytest.raises(UsageError, match="does not exist"):
        validate(tmp_path / "nowhere")


def test_report_as_plain_values(good, testset, write_zip):
    loaded = load_testset(testset)
    report = validate(write_zip(dict(list(good.items())[:3])), loaded)
    data = json.loads(json.dumps(report.to_dict()))
    assert (data["ok"], data["expected"], data["present"], data["counts"]) == (
        False,
        4,
        3,
        {"video-missing": 1},
    )
    assert data["findings"] == [
        {
            "code": "video-missing",
            "severity": "error",
            "path": "id002/prompt2.mp4",
            "message": "The video is missing.",
            "action": "Generate it and put it there.",
            "sample": "id002/prompt2",
        }
    ]


@pytest.mark.parametrize("width", [80, 120])
def test_printed_report(width, good, write_zip, monkeypatch):
    path = write_zip(good | {"[red]x.mp4": next(iter(good.values()))})
    monkeypatch.chdir(path.parent)  # a path is one word, and stays whole however long it is
    report = validate(path.name)
    out = io.StringIO()
    render(report, Console(file=out, width=width))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    text = " ".join(out.getvalue().split())
    assert "video-missing (996)" in text
    assert "and 986 more" in text
    assert "[red]x.mp4" in text
    assert text.count("Generate it") == 1
    assert lines[-1].startswith("NOT VALID: 997 errors")
    assert len(lines) < 40


def test_printed_verdict_of_a_good_one(good, testset, write_zip):
    out = io.StringIO()
    render(validate(write_zip(good), testset), Console(file=out, width=80))
    assert out.getvalue().splitlines()[-1] == "VALID"


def test_control_characters_never_reach_the_terminal(good, testset, write_zip):
    report = validate(write_zip(good | {"id001/\x1b]0;owned\x07.mp4": b"x"}), testset)
    out = io.StringIO()
    render(report, Console(file=out, width=120))
    assert [f.code for f in report.findings] == ["unsafe-name"]
    assert "\x1b" not in out.getvalue()
    assert "\x07" not in out.getvalue()


def test_torch_stays_out():
    code = "import sys, ipvg_eval.validation; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
