"""Measuring without a test set: the numbers of `score`, from files, folders, patterns and tables."""

from __future__ import annotations

import json
import shutil
import unicodedata
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import ipvg_eval
from ipvg_eval.cli.app import build_app
from ipvg_eval.core.errors import UsageError
from ipvg_eval.measuring import Asked, measure, measure_all
from ipvg_eval.measuring.collect import asked_of_table, asked_of_words
from ipvg_eval.scoring import Recipe, score

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures"
CAREFUL, TESTSET = FIXTURES / "submissions" / "careful", FIXTURES / "testset"
VIDEO, FACE = CAREFUL / "id001" / "prompt1.mp4", TESTSET / "id001" / "image.png"
OF_TIMELINES = ("lite_boundary_match", "cuts")
CHEAP = ("lite_sharpness", "dynamic_degree_lite")


@pytest.fixture(scope="module")
def lite():
    return Recipe(protocol="lite").build()


@pytest.fixture(scope="module")
def cheap():
    return Recipe(protocol="lite", metrics=CHEAP).build()


@pytest.mark.parametrize("stored", ["NFC", "NFD"])
@pytest.mark.parametrize("written", ["NFC", "NFD"])
def test_a_table_finds_files_in_whatever_form_their_names_are_stored(tmp_path, stored, written):
    for name in ("Zoë/Müller.mp4", "Zoë/é.png", "Zoë/é.txt"):
        path = tmp_path / unicodedata.normalize(stored, name)
        path.parent.mkdir(exist_ok=True)
        path.write_text("text")
    table = tmp_path / "t.csv"
    lines = "video,reference,prompt\nZoë/Müller.mp4,Zoë/é.png,Zoë/é.txt\n"
    table.write_text(unicodedata.normalize(written, lines), "utf-8")
    [asked] = asked_of_table(table)
    assert asked.video.is_file()
    assert asked.references[0].is_file()
    assert asked.prompt == "text"


def test_a_name_in_a_table_that_no_system_takes_is_a_wrong_path(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text(f"video\n{'a' * 300}.mp4\n")
    with pytest.raises(UsageError, match="File name too long") as caught:
        asked_of_table(table)
    assert str(table) in caught.value.hint


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two people's videos, named by the prompt, and their pictures."""
    for number in (1, 2):
        identity = f"id00{number}"
        (tmp_path / "videos" / identity).mkdir(parents=True)
        shutil.copy(CAREFUL / identity / "prompt1.mp4", tmp_path / "videos" / identity / "a person waves.mp4")
        (tmp_path / "faces").mkdir(exist_ok=True)
        [face] = (TESTSET / identity).glob("image.*")
        shutil.copy(face, tmp_path / "faces" / f"{identity}.png")  # what it is, its content says
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: object):
    words = ("measure", *map(str, words))
    return CliRunner().invoke(build_app(words), words)


def test_one_video_has_the_numbers_of_score_to_the_last_bit(lite, tmp_path):
    run = score(CAREFUL, testset=TESTSET, recipe=lite, out=tmp_path / "run", limit=1)
    row = run.samples.iloc[0]
    found = measure(
        VIDEO, reference=FACE, prompt=(TESTSET / "id001" / "prompt1.txt").read_text(), recipe=lite
    )
    assert row["sample"] == "id001/prompt1"
    assert found.status == "scored"
    assert {spec.name: row[spec.name] for spec in run.info.metrics} == {
        name: value for name, value in found.values.items() if name not in OF_TIMELINES
    }
    kept = run.frames[run.frames["metric"] == "lite_identity"]
    assert dict(zip(kept["frame"], kept["value"], strict=True)) == found.frames["lite_identity"]


def test_what_is_not_given_is_missing_with_the_reason(lite):
    found = measure(VIDEO, recipe=lite)
    assert found.missing == {
        "lite_identity": "no reference picture is given",
        **dict.fromkeys(OF_TIMELINES, "no timeline is given"),
    }
    assert found["lite_identity"] is None
    assert found["face_coverage"] == 1
    assert found["lite_sharpness"] > 0
    assert found.status == "scored"


def test_networks_that_compare_with_a_reference_say_that_there_is_none():
    names = ("cur_score", "arc_score", "clip_score")
    found = measure(VIDEO, recipe=Recipe(protocol="tpige", metrics=names, weights="random:0", frames=2))
    assert found.status == "scored"
    assert "RANDOM WEIGHTS (seed 0)" in found.notice
    assert [found.missing[name] for name in names] == [
        "no reference picture is given",
        "no reference picture is given",
        "the prompt is empty",
    ]


def test_a_metric_of_all_videos_together_belongs_to_none_of_them():
    words = ("--protocol", "ipvg", "--metrics", "face_fid_samples", "--weights", "random:0", "--frames", "2")
    done = run(VIDEO, "--reference", FACE, *words, "--json")
    assert done.exit_code == 0, done.output
    [one] = json.loads(done.stdout)
    assert list(one["values"]) == ["face_fid_samples"]
    assert "all videos together: " in done.stderr


def test_a_video_that_does_not_decode_costs_itself(cheap, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(VIDEO.read_bytes()[:2000])
    found = measure_all([Asked(video=broken), Asked(video=VIDEO)], recipe=cheap)
    table, measured = found.table, found.videos
    assert list(table["status"]) == ["undecodable", "scored"]
    assert measured[0].reason
    assert table[list(CHEAP)].isna().sum(axis=1).tolist() == [2, 0]


def test_a_video_may_be_asked_for_twice_and_a_run_goes_on(cheap, tmp_path):
    asked = [Asked(video=VIDEO), Asked(video=VIDEO, references=(FACE,), columns={"seed": "7"})]
    table = measure_all(asked, recipe=cheap, out=tmp_path / "run").table
    assert list(table["video"]) == [VIDEO.as_posix(), f"{VIDEO.as_posix()} #2"]
    assert pd.isna(table["seed"][0])
    assert table["seed"][1] == "7"
    now = []
    again = measure_all(
        asked, recipe=cheap, out=tmp_path / "run", on_sample=lambda done: now.append(done.measured)
    ).table
    assert now == [False, False]
    pd.testing.assert_frame_equal(again, table)
    report = ipvg_eval.write_report(ipvg_eval.load_run(tmp_path / "run"), tmp_path / "report.html")
    assert report.exists()


def test_a_pattern_fills_in_references_and_becomes_columns(folder):
    asked = asked_of_words(["videos"], references=["faces/{identity}.png"], pattern="{identity}/{prompt}.mp4")
    assert [one.references for one in asked] == [(Path("faces/id001.png"),), (Path("faces/id002.png"),)]
    assert {one.prompt for one in asked} == {"a person waves"}
    assert [one.columns["identity"] for one in asked] == ["id001", "id002"]
    assert folder


def test_a_table_keeps_its_columns_and_begins_at_its_folder(folder, monkeypatch, tmp_path_factory):
    (folder / "texts").mkdir()
    (folder / "texts" / "p.txt").write_bytes("\ufeffsomebody waves\r\n".encode())
    (folder / "pairs.csv").write_text(
        "video;reference;prompt;seed\n"
        "videos/id001/a person waves.mp4;faces/id001.png|faces/id002.png;texts/p.txt;3\n"
        "videos/id002/a person waves.mp4;;plain words;4\n",
        encoding="utf-8-sig",
    )
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    first, second = asked_of_table(folder / "pairs.csv")
    assert len(first.references) == 2
    assert [first.prompt, second.prompt] == ["somebody waves", "plain words"]
    assert [one.columns for one in (first, second)] == [{"seed": "3"}, {"seed": "4"}]
    assert first.video.is_file()


@pytest.mark.parametrize(
    ("words", "options", "said"),
    [
        (["nothing.mp4"], {}, "no such file, folder or match"),
        (["faces"], {}, "no video in this folder"),
        (["videos"], {"pattern": "{a}/{a}.mp4"}, "no pattern of names"),
        (["videos"], {"pattern": "plain.mp4"}, "no pattern of names"),
        (["videos"], {"pattern": "{x}.mov"}, "no video is named like"),
        (["videos"], {"pattern": "{id}/{p}.mp4", "references": ["{who}.png"]}, "names the field 'who'"),
        (["videos"], {"prompt": "none.txt"}, "this text cannot be read"),
    ],
)
def test_words_that_name_nothing_are_told(folder, words, options, said):
    with pytest.raises(UsageError, match=said):
        asked_of_words(words, **options)
    assert folder


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ([], "no video to measure"),
        ([Asked(video=Path("gone.mp4"))], "this video does not exist"),
        ([Asked(video=VIDEO, references=(Path("gone.png"),))], "this reference picture does not exist"),
        ([Asked(video=VIDEO, references=(VIDEO,))], "reference pictures cannot be used"),
    ],
)
def test_files_that_are_not_there_are_told_before_anything_is_measured(asked, said, cheap):
    with pytest.raises(UsageError, match=said):
        measure_all(asked, recipe=cheap)


def test_tables_with_bad_lines_name_them(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text("clip,prompt\na.mp4,x\n")
    with pytest.raises(UsageError, match="no column 'video', only clip, prompt"):
        asked_of_table(path)
    path.write_text("video,prompt\n,x\na.mp4\n")
    with pytest.raises(UsageError, match=r"(?s)line 2: no video is named.*line 3: 1 fields"):
        asked_of_table(path)
    path.write_text("video\n")
    with pytest.raises(UsageError, match="names no video"):
        asked_of_table(path)


def test_the_command_writes_every_form(folder):
    metrics = ("--protocol", "lite", "--metrics", ",".join(CHEAP))
    done = run("videos", *metrics, "--csv", "t.csv", "--parquet", "t.parquet", "--json")
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    assert all("Training-free" in one["notice"] for one in told)
    assert "Training-free" in done.stderr
    assert "Numbers: runs, not checked against a published number" in done.stderr
    for table in (pd.read_csv("t.csv"), pd.read_parquet("t.parquet")):
        assert [one["video"] for one in told] == list(table["video"])
        for name in CHEAP:
            assert [one["values"][name] for one in told] == list(table[name])
    assert not list(folder.glob("runs"))


def test_the_command_ends_with_4_where_a_video_has_no_numbers(folder):
    (folder / "videos" / "id001" / "a person waves.mp4").write_bytes(b"no video")
    done = run("videos", "--protocol", "lite", "--metrics", CHEAP[0])
    assert done.exit_code == 4
    assert "id002" in done.stdout
    assert "videos/id001/a person waves.mp4: " in done.stderr


def test_a_budget_costs_the_rest_their_numbers(folder):
    metrics = ("--protocol", "lite", "--metrics", CHEAP[0])
    size = (folder / "videos" / "id001" / "a person waves.mp4").stat().st_size
    done = run("videos", *metrics, "--decoders", 1, "--budget", f"bytes={size + 1}", "--json")
    assert done.exit_code == 4
    first, second = json.loads(done.stdout)
    assert (first["status"], second["status"]) == ("scored", "crashed")
    assert "bytes" in second["reason"]
