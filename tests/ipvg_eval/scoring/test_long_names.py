"""Ids longer than a file name may be: the run has every file, and its tables the whole ids."""

from __future__ import annotations

import json
import os
import shutil

import pandas as pd
import pytest

from ipvg_eval import Recipe, load_testset, score, validate
from ipvg_eval.cli.app import main
from ipvg_eval.core.file_names import suits_every_system
from ipvg_eval.report import write_report
from ipvg_eval.results import load_run

FAST = ["dynamic_degree_lite"]


@pytest.fixture
def chinese(fixtures, tmp_path):
    """One identity whose folder's name is 37 Chinese characters, as test set and submission."""
    name = "名" * 37
    shutil.copytree(fixtures / "testset" / "id001", tmp_path / "testset" / name)
    shutil.copytree(fixtures / "submissions" / "careful" / "id001", tmp_path / "sub" / name)
    return tmp_path, name


@pytest.fixture
def sequential(fixtures, tmp_path):
    """A Track 2 test set of one item with four pictures whose paths are 75 characters long."""
    testset = tmp_path / "testset"
    (testset / "images").mkdir(parents=True)
    pictures = [f"images/{'x' * 63}{k}.png" for k in range(4)]
    for name in pictures:
        shutil.copy(fixtures / "testset" / "id001" / "image.png", testset / name)
    item = {
        "img_paths": pictures,
        "class_label": ["man", "dog", "cat", "car"],
        "global_prompt": "a man walks",
        "temporal_captions": [{"start": 0, "end": 2, "description": "walks"}],
    }
    (testset / "eval.json").write_text(json.dumps([item]))
    (tmp_path / "sub").mkdir()
    shutil.copy(fixtures / "submissions" / "careful" / "id001" / "prompt1.mp4", tmp_path / "sub" / "1.mp4")
    return tmp_path


ODD_FOLDERS = {
    "no UTF-8": (os.fsdecode(b"bad\xff"), r"bad\udcff"),
    "a line feed": ("new\nline", r"new\nline"),
    "a device of Windows": ("CON", "CON"),
}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_folders_of_odd_names_are_scored_verified_and_shown(fixtures, tmp_path, capsys):
    testset = tmp_path / os.fsdecode(b"test\xffset")
    shutil.copytree(fixtures / "testset" / "id001", testset / "id001")
    for prompt in range(2, 6):
        (testset / "id001" / f"prompt{prompt}.txt").unlink()
    for folder, _ in ODD_FOLDERS.values():
        (tmp_path / "up" / folder / "id001").mkdir(parents=True)
        shutil.copy(
            fixtures / "submissions/careful/id001/prompt1.mp4", tmp_path / "up" / folder / "id001/prompt1.mp4"
        )
    up = [str(path) for path in sorted((tmp_path / "up").iterdir())]
    words = ["score", *up, "--testset", str(testset), "--protocol", "lite", "--frames", "2"]
    words += ["--metrics", *FAST, "--out", str(tmp_path / "runs")]
    with pytest.raises(SystemExit) as ended:
        main(words)
    out, err = capsys.readouterr()
    assert not ended.value.code, out + err
    runs = [load_run(path) for path in (tmp_path / "runs").iterdir()]
    assert {run.info.team for run in runs} == {shown for _, shown in ODD_FOLDERS.values()}
    assert all(suits_every_system(path.name) for path in (tmp_path / "runs").iterdir())
    assert all(shown in out for _, shown in ODD_FOLDERS.values() if shown.isascii())
    with pytest.raises(SystemExit) as ended:
        main(["validate", up[1], "--testset", str(testset)])
    out, _ = capsys.readouterr()
    assert not ended.value.code
    assert not any(line.startswith("line") for line in out.splitlines())


def test_a_long_identity_is_scored_and_stays_whole(chinese):
    folder, name = chinese
    assert validate(folder / "sub", folder / "testset").ok
    run = score(
        folder / "sub",
        testset=folder / "testset",
        recipe=Recipe(protocol="lite", metrics=FAST),
        out=folder / "run",
    )
    assert run.summary.counts.scored == 5
    rows = pd.read_csv(folder / "run" / "samples.csv")
    assert rows["identity"].unique().tolist() == [name]
    assert rows["sample"].tolist() == [f"{name}/prompt{k}" for k in range(1, 6)]
    assert all(run.folder.thumbnail(sample).exists() for sample in rows["sample"])
    assert run.folder.reference(name).exists()
    assert name in write_report(load_run(folder / "run")).read_text("utf-8")


def test_four_pictures_make_one_short_identity(sequential):
    testset = load_testset(sequential / "testset")
    (identity,) = testset.identities
    assert len(identity) <= 80
    run = score(
        sequential / "sub",
        testset=sequential / "testset",
        recipe=Recipe(protocol="lite", metrics=FAST),
        out=sequential / "run",
    )
    assert run.summary.counts.scored == 1
    assert run.folder.reference(identity).exists()


def test_pictures_that_differ_at_the_end_only_are_other_identities(sequential):
    file = sequential / "testset" / "eval.json"
    (item,) = json.loads(file.read_text())
    file.write_text(
        json.dumps(
            [item, item, {**item, "img_paths": item["img_paths"][:3], "class_label": ["man", "dog", "cat"]}]
        )
    )
    first, again, other = (sample.identity for sample in load_testset(sequential / "testset").samples)
    assert first == again != other
