from __future__ import annotations

import codecs
import shutil
from pathlib import Path

import pytest

from ipvg_eval.errors import TestSetError
from ipvg_eval.testset import Layout, Track, load_testset


def codes(testset) -> list[tuple[str, str | None]]:
    return [(finding.code, finding.sample) for finding in testset.findings]


def test_facial_folders(folder_set):
    root = folder_set({"id010": ["ten"], "id2": ["two"], "id001": ["one", "two, again"]})
    testset = load_testset(root)
    assert (testset.layout, testset.track) == (Layout.FOLDERS, Track.FACIAL)
    assert [s.id for s in testset.samples] == [
        "id001/prompt1",
        "id001/prompt2",
        "id2/prompt1",
        "id010/prompt1",
    ]
    assert [s.video for s in testset.samples] == [f"{s.id}.mp4" for s in testset.samples]
    assert testset.identities == ("id001", "id2", "id010")
    assert testset.samples[1].prompt == "two, again"
    assert testset.samples[0].timeline is None
    assert testset.samples[0].references[0].path == root / "id001/image.png"
    assert testset.findings == ()


def test_eleventh_prompt_comes_after_the_second(folder_set):
    root = folder_set({"id001": [f"prompt number {k}" for k in range(1, 12)]})
    assert [s.id.rpartition("prompt")[2] for s in load_testset(root).samples] == [
        str(k) for k in range(1, 12)
    ]


@pytest.mark.parametrize(
    "name", ["image.png", "image.webp", "image.jpg", "image.jpeg", "IMAGE.PNG", "face.JPG"]
)
def test_picture_suffixes(folder_set, name):
    testset = load_testset(folder_set({"id001": ["x"]}, image=name))
    assert [r.path.name for r in testset.samples[0].references] == [name]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (codecs.BOM_UTF8 + "Café.\r\nZwei Zeilen \r\n".encode(), "Café.\nZwei Zeilen"),
        ("Une fée\rvole\r".encode("utf-16"), "Une fée\nvole"),
        (codecs.BOM_UTF16_BE + "走る".encode("utf-16-be"), "走る"),
        ("naïve".encode("utf-32"), "naïve"),
        ("\n\t plain \u3000".encode(), "plain"),
        ("跑步\u200b者".encode(), "跑步\u200b者"),
    ],
)
def test_prompt_encodings(folder_set, data, text):
    assert load_testset(folder_set({"id001": [data]})).samples[0].prompt == text


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "prompt-empty"),
        (b" \r\n\t", "prompt-empty"),
        (codecs.BOM_UTF8, "prompt-empty"),
        ("grün".encode("latin-1"), "prompt-undecodable"),
        ("text".encode("utf-16-le"), "prompt-undecodable"),
        (codecs.BOM_UTF16_LE + b"a", "prompt-undecodable"),
    ],
)
def test_unusable_prompt_leaves_out_its_sample_alone(folder_set, data, code):
    testset = load_testset(folder_set({"id001": ["good", data]}))
    assert [s.id for s in testset.samples] == ["id001/prompt1"]
    assert codes(testset) == [(code, "id001/prompt2")]
    assert testset.findings[0].path == "id001/prompt2.txt"


def test_sequential_folders_with_several_pictures(folder_set, picture):
    line = "0–2s: [walks]; 2–5s: [sits down]"
    root = folder_set({"id001": [line, "0-3s: [jumps]"], "id002": [line]})
    picture(root / "id001/image2.webp", seed=5)
    picture(root / "id001/image10.jpg", seed=6)
    testset = load_testset(root)
    assert testset.track is Track.SEQUENTIAL
    assert [r.path.name for r in testset.samples[0].references] == ["image.png", "image2.webp", "image10.jpg"]
    assert all(s.timeline == s.prompt for s in testset.samples)
    assert testset.samples[0].timeline == line


def test_prompt_without_a_range_among_timelines_is_named(folder_set):
    testset = load_testset(folder_set({"id001": ["0-2s: [a]", "2-1s: [b]", "just a dog", "0-1s: [c]"]}))
    assert testset.track is Track.SEQUENTIAL
    assert codes(testset) == [
        ("timeline-empty", "id001/prompt2"),
        ("timeline-reversed", "id001/prompt2"),
        ("timeline-empty", "id001/prompt3"),
    ]
    assert {f.path for f in testset.findings} == {"id001/prompt2.txt", "id001/prompt3.txt"}
    assert len(testset.samples) == 4


def test_prompts_that_hold_json_timelines(folder_set):
    events = '[{"start": 0, "end": 2, "description": "walks"}]'
    testset = load_testset(folder_set({"id001": [events, events]}))
    assert testset.track is Track.SEQUENTIAL
    assert testset.findings == ()


def test_one_numeral_range_does_not_make_a_set_sequential(folder_set):
    testset = load_testset(folder_set({"id001": ["runs for 2-3 s", "a dog", "a 10-year-old boy"]}))
    assert testset.track is Track.FACIAL


def test_damaged_picture_concerns_every_sample_of_its_identity(folder_set):
    root = folder_set({"id001": ["a", "b"], "id002": ["c"]})
    image = root / "id001/image.png"
    image.write_bytes(image.read_bytes()[:200])
    testset = load_testset(root)
    assert [s.id for s in testset.samples] == ["id002/prompt1"]
    assert codes(testset) == [
        ("reference-unreadable", "id001/prompt1"),
        ("reference-unreadable", "id001/prompt2"),
    ]
    assert testset.findings[0].path == "id001/image.png"


def test_identity_without_picture_and_identity_without_prompts(folder_set, picture):
    root = folder_set({"id001": ["a"], "id002": ["b"]})
    (root / "id002/image.png").unlink()
    picture(root / "id003/image.png")
    (root / "id004").mkdir()
    testset = load_testset(root)
    assert codes(testset) == [
        ("reference-missing", "id002/prompt1"),
        ("prompts-missing", None),
        ("prompts-missing", None),
    ]
    assert [f.path for f in testset.findings[1:]] == ["id003", "id004"]


def test_misnamed_prompt_is_mentioned_and_junk_is_not(folder_set):
    root = folder_set({"id001": ["a"]})
    (root / "id001/prompt_2.txt").write_text("b")
    (root / "id001/.DS_Store").write_bytes(b"\0")
    (root / "id001/._prompt1.txt").write_bytes(b"\0")
    (root / "__MACOSX/id001").mkdir(parents=True)
    (root / "__MACOSX/id001/prompt1.txt").write_text("x")
    testset = load_testset(root)
    assert [f.path for f in testset.findings] == ["id001/prompt_2.txt"]
    assert len(testset.samples) == 1


def test_upper_case_prompt_file_owes_the_lower_case_video(folder_set):
    root = folder_set({"id001": ["a"]})
    (root / "id001/prompt1.txt").rename(root / "id001/Prompt1.TXT")
    assert load_testset(root).samples[0].video == "id001/prompt1.mp4"


def test_wrapping_folder_is_seen_through(folder_set, tmp_path):
    inner = folder_set({"id001": ["a"]}, root="download/testset")
    testset = load_testset(tmp_path / "download")
    assert testset.root == inner
    assert testset.fingerprint == load_testset(inner).fingerprint


@pytest.mark.parametrize("path_type", [str, Path])
def test_nothing_usable_says_what_was_looked_for(tmp_path, path_type):
    with pytest.raises(TestSetError, match=r"eval\.json.*id001.*prompt1\.txt"):
        load_testset(path_type(tmp_path))


def test_missing_identity_folder_zip_and_ambiguity_are_told_apart(folder_set, tmp_path):
    root = folder_set({"id001": ["a"]}, root="two/first")
    with pytest.raises(TestSetError, match="does not exist"):
        load_testset(tmp_path / "nowhere")
    with pytest.raises(TestSetError, match="folder of one identity") as caught:
        load_testset(root / "id001")
    assert str(root) in str(caught.value.hint)
    archive = tmp_path / "testset.zip"
    archive.write_bytes(b"PK")
    with pytest.raises(TestSetError) as caught:
        load_testset(archive)
    assert caught.value.hint == "Unpack it first."
    shutil.copytree(root, tmp_path / "two/second")
    with pytest.raises(TestSetError, match="several test sets: first, second"):
        load_testset(tmp_path / "two")


def test_all_samples_broken_is_an_error_that_names_the_first(folder_set):
    with pytest.raises(TestSetError, match=r"id001/prompt1\.txt: The prompt is empty"):
        load_testset(folder_set({"id001": [""]}))


def test_real_test_set(shared_data):
    testset = load_testset(shared_data / "testset_folder")
    assert (testset.layout, testset.track, len(testset.samples)) == (Layout.FOLDERS, Track.FACIAL, 15)
    assert testset.identities == ("id001", "id002", "id003")
    assert testset.findings == ()
