from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvg_eval.errors import TestSetError
from ipvg_eval.testset import Layout, Track, load_testset

FACIAL = [{"img": "images/a.png", "prompt": " A man\r\nruns. "}, {"img": "images/b.webp", "prompt": "跑"}]
FORMS = ("NFC", "NFD")
CAPTIONS = [{"start": 0, "end": 2, "description": "walks"}, {"start": 2, "end": 5, "description": "läuft"}]
SEQUENTIAL = {
    "img_paths": ["images/a.png", "images/b.webp"],
    "class_label": ["man", "ball"],
    "global_prompt": "A man and a ball",
    "temporal_captions": CAPTIONS,
}


def test_track_1(json_set):
    root = json_set(FACIAL)
    testset = load_testset(root)
    assert (testset.layout, testset.track, testset.findings) == (Layout.EVAL_JSON, Track.FACIAL, ())
    assert [(s.id, s.video, s.identity, s.prompt) for s in testset.samples] == [
        ("1", "1.mp4", "images/a", "A man\nruns."),
        ("2", "2.mp4", "images/b", "跑"),
    ]
    assert testset.samples[0].references[0].path == root / "images/a.png"
    assert load_testset(root / "eval.json").fingerprint == testset.fingerprint


def test_track_2(json_set):
    testset = load_testset(json_set([SEQUENTIAL]))
    sample = testset.samples[0]
    assert testset.track is Track.SEQUENTIAL
    assert [r.label for r in sample.references] == ["man", "ball"]
    assert json.loads(sample.timeline) == CAPTIONS
    assert "läuft" in sample.timeline
    assert sample.prompt == "A man and a ball"
    assert sample.identity == "images/a+images/b"


def test_ten_items_keep_the_lists_order(json_set):
    testset = load_testset(json_set(FACIAL * 6))
    assert [s.id for s in testset.samples] == [str(n) for n in range(1, 13)]


def test_byte_order_mark_and_backslashes_as_windows_writes_them(json_set):
    root = json_set([])
    items = [{"img": r"images\a.png", "prompt": "x"}]
    (root / "eval.json").write_bytes(json.dumps(items).encode("utf-16"))
    assert load_testset(root).samples[0].references[0].path == root / "images/a.png"


@pytest.mark.parametrize("stored", ["NFC", "NFD"])
def test_a_picture_is_found_in_whatever_form_its_name_is_stored(json_set, stored):
    root = json_set([{"img": unicodedata.normalize(form, "images/é.png"), "prompt": "x"} for form in FORMS])
    (root / "images/a.png").rename(root / unicodedata.normalize(stored, "images/é.png"))
    testset = load_testset(root)
    assert testset.findings == ()
    assert [sample.references[0].path.is_file() for sample in testset.samples] == [True, True]


@pytest.mark.parametrize(
    ("item", "code", "words"),
    [
        ({"img": "images/a.png"}, "item-key-missing", "prompt is missing"),
        ({"prompt": "x"}, "item-key-missing", "img is missing"),
        ({"img": None, "prompt": "x"}, "item-key-missing", "img is null"),
        ({"img": ["images/a.png"], "prompt": "x"}, "item-type", "img is not a string"),
        ({"img": "images/a.png", "prompt": 3}, "item-type", "prompt is not a string but 3"),
        ({"img": "images/a.png", "prompt": " "}, "prompt-empty", "empty"),
        ({"img": "images/a.png", "prompt": "\ud800"}, "prompt-undecodable", "surrogate"),
        ({"img": "", "prompt": "x"}, "item-value", "img is empty"),
        ({"img": "images/none.png", "prompt": "x"}, "reference-missing", "images/none.png"),
        ({"img": "images/a.png\0", "prompt": "x"}, "reference-missing", "does not exist"),
        ({"img": "i" * 5000, "prompt": "x"}, "reference-missing", "does not exist"),
        ({"img": "../evalset/images/a.png", "prompt": "x"}, "reference-outside", "outside"),
        ({"img": "/etc/passwd", "prompt": "x"}, "reference-outside", "outside"),
        ({"img": "C:\\a.png", "prompt": "x"}, "reference-outside", "outside"),
        ({"img": "..\\..\\a.png", "prompt": "x"}, "reference-outside", "outside"),
        ("images/a.png", "item-type", "JSON string"),
        (None, "item-type", "JSON null"),
    ],
)
def test_broken_track_1_item_is_named_and_the_others_load(json_set, item, code, words):
    testset = load_testset(json_set([FACIAL[0], item, FACIAL[1]]))
    assert [s.id for s in testset.samples] == ["1", "3"]
    assert [(f.code, f.sample) for f in testset.findings] == [(code, "2")]
    finding = testset.findings[0]
    assert words in finding.message
    assert "2" in finding.message or "item 2" in finding.path


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"class_label": ["man", "ball", "dog"]}, "labels-without-images", "3 subjects"),
        ({"img_paths": [], "class_label": ["man"]}, "labels-without-images", "0 pictures"),
        ({"img_paths": [], "class_label": []}, "reference-missing", "img_paths is empty"),
        ({"img_paths": "images/a.png"}, "item-type", "img_paths is not a list"),
        ({"img_paths": ["images/a.png", 7]}, "item-type", "img_paths[1]"),
        ({"img_paths": ["images/a.png", "no.png"]}, "reference-missing", "img_paths[1]"),
        ({"img_paths": ["images/a.png", "../b.png"]}, "reference-outside", "img_paths[1]"),
        ({"class_label": None}, "item-key-missing", "class_label"),
        ({"class_label": "man"}, "item-type", "class_label"),
        ({"global_prompt": ""}, "prompt-empty", "empty"),
        ({"temporal_captions": None}, "item-key-missing", "temporal_captions is null"),
        ({"temporal_captions": "0-2s: [a]"}, "item-type", "temporal_captions"),
        ({"temporal_captions": ["0-2s"]}, "item-type", "temporal_captions"),
        ({"temporal_captions": [{"description": "\udfff"}]}, "prompt-undecodable", "temporal_captions"),
    ],
)
def test_broken_track_2_item_is_named_and_the_others_load(json_set, change, code, words):
    testset = load_testset(json_set([SEQUENTIAL, {**SEQUENTIAL, **change}]))
    assert [s.id for s in testset.samples] == ["1"]
    assert [(f.code, f.sample) for f in testset.findings] == [(code, "2")]
    assert words in testset.findings[0].message


@pytest.mark.parametrize(
    ("captions", "codes", "words"),
    [
        ([], ["timeline-empty"], "no event"),
        ([{"start": 2, "end": 0, "description": "x"}], ["timeline-empty", "timeline-reversed"], "no event"),
        (
            [{"start": 0, "end": 2, "description": "x"}, {"start": 5, "end": 3, "description": "y"}],
            ["timeline-reversed"],
            "Event 2: it ends at 3 s",
        ),
        ([{"start": -1, "end": 2, "description": "x"}], ["timeline-empty", "timeline-time-negative"], ""),
        (
            [{"start": 0, "end": 2, "description": "x"}, {"start": 1, "end": 3, "description": "y"}],
            ["timeline-overlap"],
            "begins before 2 s",
        ),
        ([{"end": 2, "description": "x"}], ["timeline-empty", "timeline-key-missing"], ""),
    ],
)
def test_a_faulty_timeline_is_named_with_its_sample_and_key_and_the_sample_stays(
    json_set, captions, codes, words
):
    faulty = {**SEQUENTIAL, "temporal_captions": captions}
    testset = load_testset(json_set([SEQUENTIAL, faulty, SEQUENTIAL]))
    assert [s.id for s in testset.samples] == ["1", "2", "3"]
    assert sorted(f.code for f in testset.findings) == codes
    assert {(f.sample, f.path) for f in testset.findings} == {("2", "eval.json")}
    assert all(f.message.startswith("Item 2, temporal_captions: ") for f in testset.findings)
    assert words in testset.findings[0].message


def test_one_label_for_two_pictures_and_a_label_too_few(json_set):
    two = ["images/a.png", "images/b.webp"]
    one_label = {**SEQUENTIAL, "class_label": ["man"]}
    too_few = {**SEQUENTIAL, "img_paths": [*two, "images/a.png"]}
    testset = load_testset(json_set([one_label, too_few]))
    assert [[r.label for r in s.references] for s in testset.samples] == [
        ["man", "man"],
        ["man", "ball", None],
    ]
    # Only the one label says that its pictures show one subject.
    assert [[r.subject for r in s.references] for s in testset.samples] == [[0, 0], [None, None, None]]
    assert [(f.code, f.sample) for f in testset.findings] == [("images-without-labels", "2")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[{"img": ', "not valid JSON: .* line 1, column"),
        ('{"img": "a"}', "JSON object"),
        ('"text"', "JSON string"),
        ("[" * 100_000, "JSON"),
        ("[1" + "0" * 5000 + "]", "JSON"),
        ("[]", "no usable sample"),
        ("", "not valid JSON"),
    ],
)
def test_unusable_file_is_one_readable_error(json_set, text, words):
    root = json_set([])
    (root / "eval.json").write_text(text)
    with pytest.raises(TestSetError, match=words) as caught:
        load_testset(root)
    assert caught.value.hint


def test_damaged_picture_is_found_before_scoring(json_set):
    root = json_set(FACIAL)
    (root / "images/b.webp").write_bytes(b"no picture")
    testset = load_testset(root)
    assert [(f.code, f.sample, f.path) for f in testset.findings] == [
        ("reference-unreadable", "2", "images/b.webp")
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8) | st.just("images/a.png"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["img", "prompt", *SEQUENTIAL]) | st.text(max_size=3), inner, max_size=6
        )
    ),
    max_leaves=12,
)


@settings(deadline=None, max_examples=150)
@given(items=st.lists(JSON, max_size=4))
def test_every_item_of_any_list_is_a_sample_or_has_a_finding(items, tmp_path_factory, picture):
    root = tmp_path_factory.mktemp("any")
    picture(root / "images/a.png")
    (root / "eval.json").write_text(json.dumps([FACIAL[0] | {"img": "images/a.png"}, *items]))
    try:
        testset = load_testset(root)
    except TestSetError:
        return  # most items look like Track 2's, so the good one is not read
    named = {s.id for s in testset.samples} | {f.sample for f in testset.findings}
    assert named == {str(n) for n in range(1, len(items) + 2)}
