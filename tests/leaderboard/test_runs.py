from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ipvg_eval.core.run_folder import NotARun
from ipvg_eval.leaderboard.errors import RunsError
from ipvg_eval.leaderboard.runs import read_run, read_runs, require_official
from ipvg_eval.leaderboard.submissions import check_comparable, choose_submissions

MakeRun = Callable[..., Path]
VALUES = {"face_cur": [0.1, 0.2, None, 0.4], "fid": [200.0, 210.0, 220.0, 230.0]}


def test_a_run_is_read(make_run: MakeRun) -> None:
    run = read_run(make_run("A", VALUES))
    assert (run.team, run.track) == ("A", "facial")
    assert list(run.samples) == ["sample", "identity", "status", "reason", "face_cur", "fid"]
    assert run.samples["face_cur"].isna().tolist() == [False, False, True, False]
    assert run.means["fid"].value == 215.0


def test_the_scorers_own_folder_is_read(tmp_path: Path) -> None:
    """Written by the package that scores, so that the two cannot drift apart."""
    from ipvg_eval.core.limits import ProcessLimits
    from ipvg_eval.core.row import MeasurementRow, SampleRow, Status
    from ipvg_eval.core.run import DeviceInfo, ProtocolInfo, Provenance, RunInfo, SubmissionInfo, TestSetInfo
    from ipvg_eval.core.spec import MetricSpec
    from ipvg_eval.results.aggregate import count
    from ipvg_eval.results.folder import RunFolder

    spec = MetricSpec(
        name="cur", version=2, higher_is_better=True, bounds=(-1, 1), title="Cur", summary="", source=""
    )
    rows = [
        SampleRow(
            sample=f"id001/prompt{number}",
            identity="id001",
            video="x.mp4",
            video_sha256=None,
            status=Status.SCORED if value is not None else Status.MISSING,
            reason=None if value is not None else "no video",
            measurements=(MeasurementRow(name="cur", value=value, reason=None if value else "no video"),),
            seconds=1.0,
        )
        for number, value in [(1, 0.25), (2, 0.5), (3, None)]
    ]
    info = RunInfo(
        team="A",
        submission=SubmissionInfo(name="a.zip", kind="zip"),
        protocol=ProtocolInfo(name="p", version=1, sha256="c" * 64, official=True, notice="", text=""),
        specs=(spec,),
        testset=TestSetInfo(
            name="t", layout="folders", track="facial", samples=3, identities=1, fingerprint="f" * 64
        ),
        weights={"net": "d" * 64},
        random_weights=None,
        decoder="av",
        limits=ProcessLimits(),
        device=DeviceInfo(device="cuda:1", name="GPU", dtype="float32", threads=1),
        provenance=Provenance(version="1", commit=None, packages={}, python="3", platform="x"),
        command=None,
        started="2026-05-17T08:00:00+00:00",
        finished="2026-05-17T09:00:00+00:00",
        seconds=3.0,
        counts=count(rows, samples=3),
    )
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    folder.write_results(info, rows)
    run = read_run(folder.path)
    assert run.samples["cur"].tolist()[:2] == [0.25, 0.5]
    assert run.samples["reason"].tolist()[2] == "no video"
    assert run.means["cur"].value == 0.375
    assert run.info == info


def test_an_unfinished_run_is_refused_with_what_is_pending(make_run: MakeRun) -> None:
    def unfinished(info: dict[str, Any]) -> None:
        info["finished"] = None
        info["counts"]["pending"] = 3

    with pytest.raises(RunsError, match="3 of 4 samples are pending") as caught:
        read_run(make_run("A", VALUES, change=unfinished))
    assert "again" in (caught.value.hint or "")


def _drop(name: str) -> Callable[[Path], None]:
    return lambda path: (path / name).unlink()


def _garble(name: str) -> Callable[[Path], None]:
    return lambda path: (path / name).write_bytes(b"\x00garbage")


def _edit(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Callable[[Path], None]:
    def edit(path: Path) -> None:
        change(pd.read_parquet(path / "samples.parquet")).to_parquet(path / "samples.parquet")

    return edit


def _truncate(path: Path) -> None:
    content = (path / "samples.parquet").read_bytes()
    (path / "samples.parquet").write_bytes(content[: len(content) // 2])


def _drop_key(path: Path) -> None:
    info = json.loads((path / "run.json").read_text())
    del info["protocol"]["sha256"]
    (path / "run.json").write_text(json.dumps(info))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_garble("run.json"), r"run\.json: this file of a run is damaged"),
        (_drop_key, r"run\.json: .*protocol\.sha256"),
        (_drop("summary.json"), r"summary\.json"),
        (_garble("summary.json"), r"summary\.json"),
        (_drop("samples.parquet"), r"samples\.parquet"),
        (_garble("samples.parquet"), r"samples\.parquet"),
        (_truncate, r"samples\.parquet"),
        (_edit(lambda t: t.iloc[:3]), r"samples\.parquet: .*3 rows, run\.json counts 4"),
        (_edit(lambda t: t.drop(columns="identity")), r"samples\.parquet: .*no column 'identity'"),
        (_edit(lambda t: t.assign(sample="x")), r"samples\.parquet: .*'x' is there twice"),
        (_edit(lambda t: t.assign(fid="high")), r"samples\.parquet: .*'fid' does not hold numbers"),
        (_edit(lambda t: t.assign(fid=t["fid"] - 1)), r"samples\.parquet: .*'fid' does not have the mean"),
        (_edit(lambda t: t.assign(face_cur=t["face_cur"].fillna(0.0))), r"samples\.parquet: .*'face_cur'"),
    ],
)
def test_a_damaged_folder_is_named(make_run: MakeRun, damage: Callable[[Path], None], message: str) -> None:
    path = make_run("A", VALUES)
    damage(path)
    with pytest.raises(RunsError, match=message) as caught:
        read_run(path)
    assert str(path) in str(caught.value)
    assert caught.value.hint


def test_a_folder_without_run_json_is_no_run(make_run: MakeRun) -> None:
    path = make_run("A", VALUES)
    (path / "run.json").unlink()
    with pytest.raises(NotARun, match=r"A: .*it has no run\.json"):
        read_run(path)
    make_run("B", VALUES)
    with pytest.raises(NotARun, match=r"holds 1 of them: B"):
        read_run(path.parent)


def test_a_summary_of_another_run_is_found(make_run: MakeRun) -> None:
    path, other = make_run("A", VALUES), make_run("B", VALUES)
    (path / "summary.json").write_bytes((other / "summary.json").read_bytes())
    with pytest.raises(RunsError, match=r"summary\.json: .*another run"):
        read_run(path)


def test_a_folder_given_twice_is_read_once(make_run: MakeRun) -> None:
    path = make_run("A", VALUES)
    assert len(read_runs([path, path / ".." / "A"])) == 1
    with pytest.raises(RunsError, match="no run"):
        read_runs([])


def _finish(time: str) -> Callable[[dict[str, Any]], None]:
    return lambda info: info.update(finished=time)


def test_the_latest_run_of_a_team_counts(make_run: MakeRun) -> None:
    # 10:30 in UTC+2 is before 09:00 in UTC.
    early = make_run("A", VALUES, folder="early", change=_finish("2026-05-17T10:30:00+02:00"))
    late = make_run("A", VALUES, folder="late", change=_finish("2026-05-17T09:00:00Z"))
    only = make_run("B", VALUES)
    runs = read_runs([late, early, only])
    chosen = choose_submissions(runs)
    assert [run.path for run in chosen.counting] == [late, only]
    table = chosen.table.set_index("run")
    assert table.loc[str(early), "note"] == f"superseded by {late}"
    assert table["counting"].to_dict() == {str(early): False, str(late): True, str(only): True}
    assert [run.path for run in choose_submissions(runs, "first").counting] == [early, only]


def test_two_runs_of_one_moment_are_refused(make_run: MakeRun) -> None:
    runs = read_runs([make_run("A", VALUES, folder="one"), make_run("A", VALUES, folder="two")])
    with pytest.raises(RunsError, match="at the same time"):
        choose_submissions(runs)


def _set(*path: str, value: object) -> Callable[[dict[str, Any]], None]:
    def change(info: dict[str, Any]) -> None:
        for key in path[:-1]:
            info = info[key]
        info[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "fact", "value"),
    [
        (_set("protocol", "sha256", value="9" * 64), "protocol", "ipvg2025 1 (999999999999)"),
        (_set("testset", "fingerprint", value="8" * 64), "test set", "8" * 64),
        (_set("weights", "curricularface", value="7" * 64), "weights of curricularface", "7" * 64),
        (_set("weights", value={}), "weights of curricularface", "absent"),
        (_set("random_weights", value=0), "random weights", "seed 0"),
        (_set("decoder", value="av 19"), "decoder", "av 19"),
        (_set("device", "device", value="cpu"), "device type", "cpu"),
        (_set("device", "dtype", value="bfloat16"), "dtype", "bfloat16"),
    ],
)
def test_runs_that_do_not_compare_are_refused_with_the_fact(
    make_run: MakeRun, change: Callable[[dict[str, Any]], None], fact: str, value: str
) -> None:
    runs = read_runs([make_run("A", VALUES), make_run("B", VALUES), make_run("C", VALUES, change=change)])
    with pytest.raises(RunsError) as caught:
        check_comparable(runs)
    lines = str(caught.value).splitlines()
    place = lines.index(f"  {fact} differs:")
    assert f"    {value}: C ({runs[2].path})" in lines[place + 1 :]
    assert any("A (" in line and "B (" in line for line in lines[place + 1 :])


def test_the_number_of_the_device_does_not_matter(make_run: MakeRun) -> None:
    change = _set("device", "device", value="cuda:3")
    check_comparable(read_runs([make_run("A", VALUES), make_run("B", VALUES, change=change)]))


def test_equal_fingerprints_with_different_samples_are_damage(make_run: MakeRun) -> None:
    runs = read_runs([make_run("A", VALUES), make_run("B", VALUES, prompts=2)])
    with pytest.raises(RunsError, match=r"samples\.parquet: its samples are not those"):
        check_comparable(runs)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_set("protocol", "official", value=False), "protocol 'ipvg2025' is not official"),
        (_set("random_weights", value=0), "random weights"),
    ],
)
def test_unofficial_runs_are_refused(
    make_run: MakeRun, change: Callable[[dict[str, Any]], None], reason: str
) -> None:
    runs = read_runs([make_run("A", VALUES), make_run("B", VALUES, change=change)])
    with pytest.raises(RunsError, match=f"B .*{reason}") as caught:
        require_official(runs)
    assert "--unofficial" in (caught.value.hint or "")
    require_official(runs[:1])
