from __future__ import annotations

import os
import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvg_eval.testset import load_testset

CONTENT = {"id001": ["one", "two"], "id002": ["three", "four"]}


def test_place_times_and_file_order_do_not_matter(folder_set, tmp_path):
    root = folder_set(CONTENT)
    before = load_testset(root).fingerprint
    moved = tmp_path / "elsewhere" / "other name"
    moved.mkdir(parents=True)
    for folder in ("id002", "id001"):
        for file in sorted((root / folder).iterdir(), reverse=True):
            (moved / folder).mkdir(exist_ok=True)
            shutil.copyfile(file, moved / folder / file.name)
            os.utime(moved / folder / file.name, (1, 1))
    assert load_testset(moved).fingerprint == before


def test_every_content_counts(folder_set, picture):
    root = folder_set(CONTENT)
    seen = {load_testset(root).fingerprint}
    (root / "id001/prompt2.txt").write_text("two!")
    seen.add(load_testset(root).fingerprint)
    image = root / "id002/image.png"
    with image.open("ab") as file:
        file.write(b"\0")  # after the last chunk: the same pixels, other bytes
    seen.add(load_testset(root).fingerprint)
    picture(root / "id001/image2.png", seed=9)
    seen.add(load_testset(root).fingerprint)
    (root / "id002").rename(root / "id003")
    seen.add(load_testset(root).fingerprint)
    (root / "id001/prompt2.txt").unlink()
    seen.add(load_testset(root).fingerprint)
    assert len(seen) == 6


@pytest.mark.parametrize("key", ["global_prompt", "class_label", "temporal_captions"])
def test_every_key_of_track_2_counts(json_set, key):
    item = {
        "img_paths": ["images/a.png"],
        "class_label": ["man"],
        "global_prompt": "x",
        "temporal_captions": [{"start": 0, "end": 1, "description": "d"}],
    }
    other = {"class_label": ["dog"], "global_prompt": "y", "temporal_captions": [{"start": 0, "end": 2}]}
    before = load_testset(json_set([item])).fingerprint
    assert load_testset(json_set([{**item, key: other[key]}])).fingerprint != before


def test_one_subject_in_two_pictures_is_not_two_subjects(json_set):
    item = {
        "img_paths": ["images/a.png", "images/b.webp"],
        "global_prompt": "x",
        "temporal_captions": [{"start": 0, "end": 1, "description": "d"}],
    }
    one, two = ({**item, "class_label": ["man"] * count} for count in (1, 2))
    assert load_testset(json_set([one])).fingerprint != load_testset(json_set([two])).fingerprint


@settings(deadline=None, max_examples=25)
@given(
    prompts=st.lists(
        st.text("ab \n,]\"'", min_size=1).filter(str.strip), min_size=2, max_size=4, unique_by=str.strip
    )
)
def test_prompts_that_change_places_change_it(prompts, tmp_path_factory, picture):
    hashes = set()
    for order in (prompts, prompts[::-1]):
        root = tmp_path_factory.mktemp("set")
        picture(root / "id001/image.png")
        for k, prompt in enumerate(order, start=1):
            (root / f"id001/prompt{k}.txt").write_text(prompt)
        hashes.add(load_testset(root).fingerprint)
    assert len(hashes) == 2
