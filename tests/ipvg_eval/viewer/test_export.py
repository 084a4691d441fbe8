"""The pages as a folder, and the command."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from ipvg_eval.core.errors import UsageError
from ipvg_eval.results.folder import RunFolder
from ipvg_eval.viewer import export, gather
from ipvg_eval.viewer.export import MANIFEST, Videos

from .conftest import HOSTILE, Scene, row_of, run_info, write_run


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def data(folder: Path, name: str) -> object:
    text = (folder / "data" / f"{name}.js").read_text("ascii")
    return json.loads(text.partition(",")[2].removesuffix(");\n"))


def test_videos_are_copied_linked_or_left_out(scene: Scene, tmp_path: Path) -> None:
    measured = scene.root / "submissions" / "north" / "id001" / "prompt1.mp4"
    for kind in Videos:
        assert export(scene.material(), tmp_path / kind, videos=kind) == ()
    copy, link = (tmp_path / kind / "videos" / "0" / "0.mp4" for kind in (Videos.COPY, Videos.LINK))
    assert not copy.is_symlink()
    assert copy.read_bytes() == measured.read_bytes()
    assert link.is_symlink()
    assert not link.readlink().is_absolute(), "both folders may move together"
    assert link.resolve() == measured.resolve()
    assert not (tmp_path / Videos.NONE / "videos").exists()
    assert len(list((tmp_path / Videos.COPY / "videos").rglob("*.mp4"))) == 11


def test_what_lies_in_a_zip_is_copied_where_links_are_asked_for(scene: Scene, tmp_path: Path) -> None:
    measured = scene.root / "submissions" / "north" / "id001" / "prompt1.mp4"
    with zipfile.ZipFile(tmp_path / "north.zip", "w", zipfile.ZIP_STORED) as file:
        file.write(measured, "id001/prompt1.mp4")
    material = gather(scene.runs("north"), [f"north={tmp_path / 'north.zip'}"], scene.root / "testset")
    export(material, tmp_path / "out", videos=Videos.LINK)
    video = tmp_path / "out" / "videos" / "0" / "0.mp4"
    assert not video.is_symlink()
    assert video.read_bytes() == measured.read_bytes()


def test_a_damaged_video_is_left_out_by_name(scene: Scene, tmp_path: Path) -> None:
    measured = scene.root / "submissions" / "north" / "id001" / "prompt1.mp4"
    with zipfile.ZipFile(tmp_path / "north.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.write(measured, "id001/prompt1.mp4")
        offset = file.infolist()[0].header_offset + 2000
    spoiled = bytearray((tmp_path / "north.zip").read_bytes())
    spoiled[offset] ^= 0xFF
    (tmp_path / "north.zip").write_bytes(spoiled)
    material = gather(scene.runs("north"), [f"north={tmp_path / 'north.zip'}"], scene.root / "testset")
    (problem,) = export(material, tmp_path / "out")
    assert "id001/prompt1.mp4" in problem
    assert not (tmp_path / "out" / "videos" / "0" / "0.mp4").exists()


def test_an_export_is_written_anew_and_foreign_files_stay(scene: Scene, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export(scene.material(), out)
    before = files(out)
    export(scene.material(), out, videos=Videos.NONE)
    assert files(out) == {name for name in before if not name.startswith("videos/")}
    assert set(json.loads((out / MANIFEST).read_text())["files"]) == files(out) - {MANIFEST}
    (out / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"thesis\.txt"):
        export(scene.material(), out)
    assert (out / "thesis.txt").read_text() == "mine"


def test_a_public_export_holds_nothing_of_other_samples(scene: Scene, tmp_path: Path) -> None:
    material = scene.material(public=["id001/*"])
    assert "same as id002/prompt2.mp4" in material.sides[0].remarks["id001/prompt1"][0].message
    export(material, tmp_path / "out")
    names = files(tmp_path / "out")
    assert {name for name in names if name.startswith("videos/")} == {
        f"videos/{run}/{number}.mp4" for run in (0, 1) for number in (0, 1)
    }
    ours = {"viewer.css", "viewer.js"}
    everything = b"".join((tmp_path / "out" / name).read_bytes() for name in sorted(names - ours))
    for hidden in (b"id002", b"id003", str(scene.root).encode(), b"same as"):
        assert hidden not in everything, hidden
    index = data(tmp_path / "out", "index")
    assert isinstance(index, dict)
    assert index["samples"] == ["id001/prompt1", "id001/prompt2"]
    values = [run["values"] for run in index["runs"]]
    assert [each["lite_identity"] for each in values] == [[0.5, 0.4], [0.1, 0.3]]
    assert [each["noise"] for each in values] == [[0.5, 0.6], [0.9, 0.7]]
    with pytest.raises(UsageError, match="no sample is called id9"):
        scene.material(public=["id9*"])


def test_runs_of_different_protocols_have_the_columns_of_each(scene: Scene, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "other")
    write_run(folder, "north", scene.testset, scene.rows["north"], protocol="other")
    material = gather([*scene.runs("north"), folder.path])
    assert [side.name for side in material.sides] == ["north (north)", "north (other)"]
    export(material, tmp_path / "out")
    index = data(tmp_path / "out", "index")
    assert isinstance(index, dict)
    assert any("different protocols" in notice for notice in index["notices"])
    assert [run["protocol"] for run in index["runs"]] == ["lite 1", "other 1"]


def test_a_run_without_any_row_yet_is_shown(scene: Scene, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "begun")
    with folder.writing(run_info("north", scene.testset, [])):
        material = gather([folder.path], testset=scene.root / "testset")
        assert material.live
        assert len(material.samples) == 6
        export(material, tmp_path / "out")
    index = data(tmp_path / "out", "index")
    assert isinstance(index, dict)
    assert index["runs"][0]["status"] == "......"


def test_a_row_half_written_is_not_shown(scene: Scene, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "begun")
    row = row_of(scene.testset, 0, scene.root / "submissions" / "north", 16, 0.5)
    with folder.writing(run_info("north", scene.testset, [])):
        with folder.journal.appending() as journal:
            journal.append(row)
        with (folder.path / "journal.jsonl").open("ab") as file:
            file.write(b'{"sample":"id001/pro')
        assert list(gather([folder.path]).sides[0].rows) == ["id001/prompt1"]


def test_foreign_words_are_escaped_in_the_data(scene: Scene, tmp_path: Path) -> None:
    export(scene.material(), tmp_path / "out", videos=Videos.NONE)
    shown = HOSTILE.replace("\u202e", "\\u202e")
    prompts = data(tmp_path / "out", "prompts")
    assert isinstance(prompts, list)
    assert shown in prompts[4]


def test_mistakes_have_one_message(scene: Scene, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="7 runs"):
        gather([tmp_path / str(k) for k in range(7)])
    with pytest.raises(UsageError, match="twice"):
        gather([scene.runs("north")[0], scene.root / "runs" / "süd 南" / ".." / "north"])
    with pytest.raises(UsageError, match="'nord', of which there is no run") as caught:
        gather(scene.runs("north"), ["nord=videos"])
    assert caught.value.hint == "Did you mean 'north'?"


def test_compare_writes_pages_that_begin_with_the_comparison(scene: Scene, tmp_path: Path, command) -> None:  # type: ignore[no-untyped-def]
    videos = scene.root / "submissions"
    done = command("compare", *scene.runs(), "--html", tmp_path / "out", "--submission", videos)
    assert done.returncode == 0
    index = data(tmp_path / "out", "index")
    assert isinstance(index, dict)
    assert index["start"] == "compare"
    assert str(scene.root) not in (tmp_path / "out" / "data" / "contrast.js").read_text()
    assert (tmp_path / "out" / "videos" / "1" / "5.mp4").is_file()
    assert command("compare", *scene.runs(), "--submission", videos).returncode == 2


def test_the_command_exports_and_says_where(scene: Scene, tmp_path: Path, command) -> None:  # type: ignore[no-untyped-def]
    run = scene.runs("north")[0]
    done = command("view", run, "--export", tmp_path / "out", "--videos", "none")
    assert done.returncode == 0
    assert done.stdout == f"{tmp_path / 'out' / 'index.html'}\n"
    assert "north: stills only: no submission of this run is given" in done.stderr
    wrong = command("view", run, "--public", "id001/*")
    assert wrong.returncode == 2
    assert "--export" in wrong.stderr
