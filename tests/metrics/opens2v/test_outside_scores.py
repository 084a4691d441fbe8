"""Scores from the files of the published scripts."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvg_eval.metrics.errors import ProtocolError
from ipvg_eval.metrics.opens2v.outside_scores import OutsideScores
from ipvg_eval.metrics.opens2v.score_files import names_of, read_marks, read_numbers
from ipvg_eval.metrics.protocols.loading import parse_protocol
from ipvg_eval.metrics.runtime import Runtime


@pytest.fixture
def write(tmp_path):
    def make(name: str, content: object) -> str:
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
        return str(path)

    return make


@pytest.fixture
def look_up(run, target, clip):
    """All metrics of a sample under some options."""
    return lambda sample, **options: run(
        OutsideScores(OutsideScores.Options(**options), Runtime()), target(sample), clip(3), None
    )


def test_every_file(write, look_up):
    sample = "17"
    found = look_up(
        sample,
        motion_smoothness=write("motion_smoothness.json", {sample: {"motion_smoothness": 0.75}}),
        nexusscore=write("nexusscore.json", {sample: {"nexus_score": 0.025}}),
        naturalscore=[
            write(f"naturalscore_{n}.json", {sample: mark}) for n, mark in enumerate(("3", "5", 4), start=1)
        ],
    )
    assert {name: m.value for name, m in found.items()} == {
        "opens2v_smoothness": 0.75,
        "nexus_score": 0.025,
        "nexus_score_unit": 0.5,
        "natural_score": 4.0,
        "natural_score_unit": 0.75,
    }
    assert {m.note for m in found.values()} == {None}


def test_the_committed_example_of_the_publishers(write, look_up):
    """Two videos and their means in eval/demo_result @ef17513, model_name_Open-Domain.json."""
    options = {
        "motion_smoothness": {
            "faceobj_14": {"motion_smoothness": 0.8985507246376812},
            "singleface_3": {"motion_smoothness": 1.0},
        },
        "nexusscore": {"faceobj_14": {"nexus_score": 0.01300811767578125}},
        "naturalscore_1": {"faceobj_14": "4", "singleface_3": "3"},
        "naturalscore_2": {"faceobj_14": "4", "singleface_3": "3"},
        "naturalscore_3": {"faceobj_14": "4", "singleface_3": "4"},
    }
    files = {name: write(f"{name}.json", content) for name, content in options.items()}
    rounds = [files.pop(f"naturalscore_{n}") for n in (1, 2, 3)]
    one, other = (look_up(v, naturalscore=rounds, **files) for v in ("faceobj_14", "singleface_3"))
    smooth = (one["opens2v_smoothness"].value + other["opens2v_smoothness"].value) / 2
    natural = (one["natural_score_unit"].value + other["natural_score_unit"].value) / 2
    assert smooth == pytest.approx(0.9492753623188406, abs=1e-12)
    assert natural == pytest.approx(0.6666666666666667, abs=1e-12)
    assert one["nexus_score_unit"].value == pytest.approx(0.260162353515625, abs=1e-12)
    assert other["nexus_score"].reason == "nexusscore.json has no 'singleface_3'"


def test_no_file_says_how_to_give_one(look_up):
    found = look_up("1")
    assert {m.value for m in found.values()} == {None}
    for name, option in (("opens2v_smoothness", "motion_smoothness"), ("natural_score", "naturalscore")):
        assert f"`{option}`" in found[name].reason
        assert "outside_scores" in found[name].reason


def test_a_nexus_score_of_0_is_shown_but_not_counted(write, look_up):
    found = look_up("1", nexusscore=write("nexusscore.json", {"1": {"nexus_score": 0}}))
    assert found["nexus_score"].value == 0.0
    assert found["nexus_score_unit"].value is None
    assert "leaves such videos out" in found["nexus_score_unit"].reason


def test_rounds_without_a_mark_are_left_out_and_told(write, look_up):
    files = [write(f"n{n}.json", content) for n, content in enumerate(({"1": "4"}, {"1": None}, {}))]
    found = look_up("1", naturalscore=files)["natural_score"]
    assert (found.value, found.note) == (4.0, "mean of 1 of 3 rounds")
    nothing = look_up("1", naturalscore=files[1:])["natural_score"]
    assert (nothing.value, nothing.reason) == (None, "none of n1.json, n2.json has '1'")


@pytest.mark.parametrize("mark", ["error", "Score: 4", "nan", ""])
def test_a_mark_that_is_no_number_leaves_no_mean(mark, write, look_up):
    files = [write("n1.json", {"1": "4"}), write("n2.json", {"1": mark})]
    for measurement in list(look_up("1", naturalscore=files).values())[-2:]:
        assert measurement.value is None
        assert f"n2.json says {mark!r}" in measurement.reason


def test_slashes_may_be_underscores_where_that_is_clear(write, look_up):
    scores = {"id001_prompt1": 0.1, "id001/prompt2": 0.2, "id001_prompt2": 0.9, "a_b_c": 0.3, "prompt1": 0.4}
    file = write("motion_smoothness.json", scores)
    values = {
        sample: look_up(sample, motion_smoothness=file)["opens2v_smoothness"].value
        for sample in ("id001/prompt1", "id001/prompt2", "a_b/c", "id002/prompt1")
    }
    assert values == {
        "id001/prompt1": 0.1,
        "id001/prompt2": 0.2,  # its own name comes first
        "a_b/c": None,  # a/b_c would claim a_b_c as well
        "id002/prompt1": None,  # id001/prompt1 would claim prompt1 as well
    }


SAMPLE_IDS = st.text(alphabet="ab_/1", min_size=1, max_size=6)


@given(SAMPLE_IDS, SAMPLE_IDS)
@settings(max_examples=300)
def test_two_samples_never_share_a_name_made_of_slashes(one, other):
    flat, also_flat = names_of(one)[1:], names_of(other)[1:]
    assert one == other or not flat or flat != also_flat


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "cannot be used"),
        ("[]", "holds [] where an object"),
        ('{"1": 1, "1": 2}', "'1' stands there twice"),
        ('{"1": "high"}', "'1' has \"high\""),
        ('{"1": true}', "'1' has true"),
        ('{"1": null}', "'1' has null"),
        ('{"1": NaN}', "'1' has NaN"),
        ('{"1": 1e999}', "'1' has Infinity"),
        ('{"1": 1' + "0" * 400 + "}", "'1' has 1000"),
        ('{"1": {"retrieval_score": 0.01}}', '{"nexus_score": number}'),
        ("[" * 100_000, "cannot be used"),
    ],
)
def test_what_is_no_file_of_scores_is_refused(content, complaint, write):
    path = write("scores.json", content)
    with pytest.raises(ProtocolError) as caught:
        read_numbers(Path(path), "nexus_score")
    assert complaint in str(caught.value)
    assert path in str(caught.value)
    assert "VIDEO" in caught.value.hint


def test_files_that_cannot_be_read_are_refused(tmp_path):
    (tmp_path / "latin.json").write_bytes(b'{"\xe9": 1}')
    for path in (tmp_path / "absent.json", tmp_path, tmp_path / "latin.json"):
        with pytest.raises(ProtocolError, match=path.name):
            read_marks(path)
    (tmp_path / "marks.json").write_text('{"1": ["4"]}', "utf-8")
    with pytest.raises(ProtocolError, match=r"where a mark belongs"):
        read_marks(tmp_path / "marks.json")


@given(st.dictionaries(st.text(), st.floats(allow_nan=False, allow_infinity=False)))
@settings(max_examples=60, deadline=None)
def test_both_shapes_say_the_same(tmp_path_factory, scores):
    file = tmp_path_factory.mktemp("scores") / "scores.json"
    read = []
    for content in (scores, {video: {"s": score, "other": "x"} for video, score in scores.items()}):
        file.write_text(json.dumps(content), "utf-8")
        read.append(read_numbers(file, "s"))
    assert read[0].scores == read[1].scores == scores
    assert read[0].sha256 == hashlib.sha256(json.dumps(scores).encode()).hexdigest()
    for score in scores.values():
        assert math.isfinite(score)


def test_the_hash_of_every_file_is_known(write):
    paths = [write(f"n{n}.json", {"1": str(n)}) for n in (1, 2)]
    made = OutsideScores(OutsideScores.Options(naturalscore=paths, nexusscore=write("n.json", {})), Runtime())
    assert made.weights == {
        "file: nexusscore.json": hashlib.sha256(b"{}").hexdigest(),
        "file: naturalscore_1.json": hashlib.sha256(b'{"1": "1"}').hexdigest(),
        "file: naturalscore_2.json": hashlib.sha256(b'{"1": "2"}').hexdigest(),
    }


@pytest.mark.parametrize("rounds", ["[a.json, a.json]", "[a.json, b.json, c.json, d.json]"])
def test_a_round_counts_once_and_there_are_three(rounds):
    text = "name: p\nversion: 1\ntitle: P\nevaluators:\n  - kind: outside_scores\n"
    text += f"    options: {{naturalscore: {rounds}}}\n"
    with pytest.raises(ProtocolError, match="naturalscore"):
        parse_protocol(text, where="p")
