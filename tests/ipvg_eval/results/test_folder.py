"""The run folder refuses to mix runs and says what differs."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from ipvg_eval.core.comparability import differences
from ipvg_eval.core.limits import ProcessLimits
from ipvg_eval.core.run import DeviceInfo, ProtocolInfo, RunInfo, SubmissionInfo, TestSetInfo
from ipvg_eval.core.run_folder import NotARun
from ipvg_eval.errors import RunError
from ipvg_eval.results import load_run
from ipvg_eval.results.aggregate import count
from ipvg_eval.results.files import write_text
from ipvg_eval.results.folder import RunFolder
from ipvg_eval.results.provenance import collect_provenance


@pytest.fixture
def info(specs):
    return RunInfo(
        team="alpha",
        submission=SubmissionInfo(name="alpha", kind="folder"),
        protocol=ProtocolInfo(
            name="lite", version=1, sha256="a" * 64, official=False, notice="", text="name: lite"
        ),
        specs=specs,
        testset=TestSetInfo(
            name="testset", layout="folders", track="facial", samples=2, identities=1, fingerprint="b" * 64
        ),
        weights={"net": "c" * 64},
        random_weights=None,
        decoder="PyAV",
        limits=ProcessLimits(),
        device=DeviceInfo(device="cpu", name="cpu", dtype="float32", threads=1),
        provenance=collect_provenance(),
        command=None,
        started="2026-01-01T00:00:00+00:00",
        finished=None,
        seconds=0.0,
        counts=count([], samples=2),
    )


@pytest.fixture
def folder(tmp_path):
    return RunFolder(tmp_path / "run")


def test_what_is_written_is_read_back(folder, info, make_row):
    rows = [make_row("a/1", 0.5), make_row("a/2", None)]
    with folder.writing(info):
        folder.write_findings([])
        with folder.journal.appending() as journal:
            for row in rows:
                journal.append(row)
        summary = folder.write_results(info.model_copy(update={"counts": count(rows, samples=2)}), rows)
    run = load_run(folder.path)
    assert run.summary == summary
    assert run.samples["sample"].tolist() == ["a/1", "a/2"]
    assert len(run.frames) == 4
    assert run.findings == ()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"decoder": "other"}, "decoder"),
        ({"weights": {"net": "d" * 64}}, "weights"),
        ({"random_weights": 0}, "random weights"),
        ({"team": "beta"}, "team: alpha there, beta now"),
    ],
)
def test_a_different_run_is_refused_by_name_and_nothing_is_lost(folder, info, change, named):
    with folder.writing(info):
        pass
    before = (folder.path / "run.json").read_bytes()
    with pytest.raises(RunError, match=named), folder.writing(info.model_copy(update=change)):
        pass
    assert (folder.path / "run.json").read_bytes() == before


def test_two_writers_at_once_are_refused(folder, info):
    second = RunFolder(folder.path)
    with folder.writing(info), pytest.raises(RunError, match="another process"), second.writing(info):
        pass


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path, info):
    (tmp_path / "file").write_text("in the way")
    with (
        pytest.raises(RunError, match="cannot be written"),
        RunFolder(tmp_path / "file" / "run").writing(info),
    ):
        pass


def test_device_number_does_not_matter_but_its_type_does(info):
    def on(device):
        return info.model_copy(update={"device": info.device.model_copy(update={"device": device})})

    assert differences(on("cuda:0"), on("cuda:1")) == {}
    assert list(differences(on("cuda:0"), on("cpu"))) == ["device type"]


@pytest.mark.parametrize("content", [None, "", "{", '{"format": 1}'])
def test_a_missing_or_damaged_run_is_one_clear_error(tmp_path, content):
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    with pytest.raises((RunError, NotARun), match=r"run\.json"):
        load_run(tmp_path)


def test_sample_ids_cannot_leave_the_folder(folder):
    for sample in ("../../etc/passwd", "/abs", "a/../b"):
        for path in (folder.thumbnail(sample), folder.features(sample), folder.reference(sample)):
            assert path.resolve().is_relative_to(folder.path.resolve())
            assert path.parent.name in {"thumbnails", "features", "references"}


LONG_IDS = ["名" * 37 + "/prompt1", "+".join(f"images/{'x' * 68}{k}" for k in range(4)), "é" * 4000]


@pytest.mark.parametrize("identifier", LONG_IDS)
def test_a_long_id_has_files_of_its_own(folder, identifier):
    places = {
        place(name)
        for name in (identifier, identifier + "b")
        for place in (
            folder.thumbnail,
            folder.features,
            folder.reference,
            lambda n: folder.event_picture(n, 24),
        )
    }
    assert len(places) == 8
    for path in places:
        write_text(path, "a")
        assert path.read_text() == "a"


@pytest.mark.parametrize("identifier", ["id001/prompt1", "名前/prompt1", "A b.c/prompt2"])
def test_files_of_earlier_run_folders_are_found(folder, identifier):
    earlier = folder.path / "features" / f"{quote(identifier, safe=' ')}.npz"
    write_text(earlier, "kept")
    assert folder.features(identifier) == earlier
    assert folder.thumbnail(identifier) != earlier
    write_text(folder.thumbnail(identifier), "new")
    assert quote(identifier, safe=" ") not in folder.thumbnail(identifier).name
