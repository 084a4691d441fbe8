"""Rescoring equals scoring: the training-free protocol, and what is refused."""

from __future__ import annotations

import json
import shutil

import pytest

from ipvg_eval import Recipe, score
from ipvg_eval.core.comparability import comparable_facts
from ipvg_eval.core.row import Status
from ipvg_eval.errors import RunError
from ipvg_eval.metrics.errors import ProtocolError
from ipvg_eval.results import load_run
from ipvg_eval.scoring.rescore import rescore

PART = """
name: part
version: 3
title: A part of lite, in another order
official: false
notice: A part.
evaluators:
  - kind: lite_motion
  - kind: lite_faces
    metrics: [lite_identity]
combined:
  - {name: total, title: Total, weights: {lite_identity: 0.5, lite_motion: 0.5}}
"""
TABLES = ("samples.parquet", "samples.csv", "frames.parquet", "summary.json", "summary.md", "summary.tex")
METRICS = ["face_coverage", "lite_identity", "lite_motion", "dynamic_degree_lite"]


@pytest.fixture(scope="module")
def submission(fixtures, tmp_path_factory):
    """One scored video of each identity, one that does not open, the others missing."""
    folder = tmp_path_factory.mktemp("submissions") / "careless"
    for name in ("id001/prompt1.mp4", "id002/prompt4.mp4"):
        (folder / name).parent.mkdir(parents=True)
        shutil.copy(fixtures / "submissions" / "careless" / name, folder / name)
    (folder / "id001/prompt2.mp4").write_bytes(b"not a video")
    return folder


@pytest.fixture(scope="module")
def protocol(tmp_path_factory):
    path = tmp_path_factory.mktemp("protocols") / "part.yaml"
    path.write_text(PART, "utf-8")
    return str(path)


@pytest.fixture(scope="module")
def source(submission, fixtures, tmp_path_factory):
    return score(
        submission,
        testset=fixtures / "testset",
        recipe=Recipe(protocol="lite", metrics=METRICS),
        out=tmp_path_factory.mktemp("runs") / "source",
        command=("ipvg-eval", "score"),
    )


@pytest.fixture
def copied(source, tmp_path):
    """A copy of the run that a test may break."""
    return load_run(shutil.copytree(source.folder.path, tmp_path / "source"))


def test_rescoring_equals_scoring(source, submission, fixtures, protocol, tmp_path):
    direct = score(submission, testset=fixtures / "testset", protocol=protocol, out=tmp_path / "direct")
    rescored = rescore(source, protocol, out=tmp_path / "rescored")
    for name in TABLES:
        assert (rescored.folder.path / name).read_bytes() == (direct.folder.path / name).read_bytes(), name
    assert comparable_facts(rescored.info) == comparable_facts(direct.info)
    assert rescored.info.protocol == direct.info.protocol
    assert rescored.info.counts == direct.info.counts
    assert rescored.findings == direct.findings
    ours, theirs = (run.folder.journal.read() for run in (rescored, direct))
    assert ours.keys() == theirs.keys()
    for sample, row in ours.items():
        assert row.model_copy(update={"seconds": 0.0}) == theirs[sample].model_copy(update={"seconds": 0.0})
    assert {row.status for row in ours.values()} == {Status.SCORED, Status.UNDECODABLE, Status.MISSING}
    pictures = {path.relative_to(direct.folder.path) for path in direct.folder.path.glob("thumbnails/**/*")}
    assert {
        p.relative_to(rescored.folder.path) for p in rescored.folder.path.glob("thumbnails/**/*")
    } == pictures


def test_the_new_run_says_what_it_was_rescored_from(source, protocol, tmp_path):
    import hashlib

    info = rescore(source, protocol, out=tmp_path / "new", command=("ipvg-eval", "rescore")).info
    assert info.rescored.folder == "source"
    assert info.rescored.protocol == comparable_facts(source.info)["protocol"]
    samples = (source.folder.path / "samples.parquet").read_bytes()
    assert info.rescored.samples_sha256 == hashlib.sha256(samples).hexdigest()
    assert info.rescored.command == ("ipvg-eval", "score")
    assert info.command == ("ipvg-eval", "rescore")
    assert (info.started, info.finished) == (source.info.started, source.info.finished)
    assert source.info.rescored is None


def test_scoring_on_from_a_rescored_run_keeps_the_stamp(source, submission, fixtures, protocol, tmp_path):
    rescored = rescore(source, protocol, out=tmp_path / "new")
    again = score(
        submission,
        testset=fixtures / "testset",
        protocol=protocol,
        team=rescored.info.team,
        out=tmp_path / "new",
    )
    assert again.info.rescored == rescored.info.rescored
    assert again.samples.equals(rescored.samples)


def test_pictures_are_shared_and_the_source_is_untouched(copied, protocol, tmp_path):
    before = {path.name: path.read_bytes() for path in copied.folder.path.rglob("*") if path.is_file()}
    new = rescore(copied, protocol, out=tmp_path / "new")
    assert new.folder.thumbnail("id001/prompt1").samefile(copied.folder.thumbnail("id001/prompt1"))
    after = {path.name: path.read_bytes() for path in copied.folder.path.rglob("*") if path.is_file()}
    assert after == before


def test_every_metric_that_cannot_be_had_is_listed_and_nothing_is_written(source, tmp_path):
    text = PART.replace("lite_motion\n", "lite_motion\n    options: {triplets: 7}\n", 1)
    path = tmp_path / "other.yaml"
    path.write_text(text + "corpus: []\n", "utf-8")
    with pytest.raises(ProtocolError) as caught:
        rescore(source, str(path), out=tmp_path / "new")
    message = str(caught.value)
    assert "lite_motion: triplets 48 in the run, 7 wanted" in message
    assert "dynamic_degree_lite: triplets 48 in the run, 7 wanted" in message
    assert "lite_identity" not in message
    assert not (tmp_path / "new").exists()
    with pytest.raises(ProtocolError) as caught:
        rescore(source, "lite", out=tmp_path / "new")
    assert str(caught.value).count("the run has no evaluator 'lite_imaging'") == 4
    assert caught.value.exit_code == 2
    assert list(tmp_path.iterdir()) == [path]


def test_a_metric_of_another_version_is_not_the_same_metric(copied, protocol, tmp_path):
    path = copied.folder.path / "run.json"
    info = json.loads(path.read_text())
    motion = next(spec for spec in info["specs"] if spec["name"] == "lite_motion")
    motion["version"] = 99
    path.write_text(json.dumps(info))
    with pytest.raises(ProtocolError, match=r"lite_motion: the run has version 99, this is version \d+"):
        rescore(copied.folder.path, protocol, out=tmp_path / "new")


def test_a_folder_that_holds_something_is_left_alone(source, protocol, tmp_path):
    (tmp_path / "new").mkdir()
    rescore(source, protocol, out=tmp_path / "new")
    with pytest.raises(RunError, match="something here already"):
        rescore(source, protocol, out=tmp_path / "new")


def test_a_journal_without_a_row_is_one_readable_error(copied, protocol, tmp_path):
    journal = copied.folder.path / "journal.jsonl"
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[1:]))
    with pytest.raises(RunError, match=r"journal\.jsonl: it has no row for sample id001/prompt1"):
        rescore(copied, protocol, out=tmp_path / "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source"]


def test_the_command(source, command, protocol, tmp_path):
    out = tmp_path / "new"
    done = command("rescore", source.folder.path, "--protocol", protocol, "--out", out)
    assert done.returncode == 4, "some samples of the run were not scored"
    assert "protocol part 3" in done.stdout
    assert "0.5 × " in done.stdout
    assert load_run(out).info.command[1] == "rescore"
    bad = command("rescore", source.folder.path, "--protocol", "lite", "--out", tmp_path / "bad")
    assert bad.returncode == 2
    assert "lite_noise" in bad.stderr
    assert bad.stdout == ""
    assert not (tmp_path / "bad").exists()
    part = command("rescore", source.folder.path, "--protocol", "lite", "--metrics", "lite_motion", "--json")
    assert json.loads(part.stdout)["runs"][0]["folder"] == str(source.folder.path.parent / "careless-lite")
