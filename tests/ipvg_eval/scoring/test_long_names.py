"""Ids longer than a file name may be: the run has every file, and its tables the whole ids."""

from __future__ import annotations

import json
import shutil

import pandas as pd
import pytest

from ipvg_eval import Recipe, load_testset, score, validate
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
