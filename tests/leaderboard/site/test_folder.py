from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ipvg_eval.leaderboard.site import SiteError
from ipvg_eval.leaderboard.site.folder import replace_folder

FILES = [("index.html", "new"), ("teams/a.html", "ä")]


def test_files_and_a_list_of_them_are_written(tmp_path: Path, leftovers: Callable[[], list[str]]) -> None:
    replace_folder(tmp_path / "deep/site", FILES, {"public": True})
    assert (tmp_path / "deep/site/teams/a.html").read_bytes() == "ä".encode()
    about = json.loads((tmp_path / "deep/site/site.json").read_text("utf-8"))
    assert about == {"public": True, "files": ["index.html", "teams/a.html"]}
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["site"]
    assert leftovers() == ["deep"]


def test_an_earlier_site_is_replaced_as_a_whole(tmp_path: Path, leftovers: Callable[[], list[str]]) -> None:
    replace_folder(tmp_path / "site", [("index.html", "old"), ("teams/gone.html", "old")], {})
    replace_folder(tmp_path / "site", FILES, {})
    assert (tmp_path / "site/index.html").read_text() == "new"
    assert not (tmp_path / "site/teams/gone.html").exists()
    assert leftovers() == ["site"]


def test_an_error_midway_leaves_the_earlier_site(tmp_path: Path, leftovers: Callable[[], list[str]]) -> None:
    def failing() -> Iterator[tuple[str, str]]:
        yield "index.html", "half"
        raise KeyboardInterrupt

    replace_folder(tmp_path / "site", [("index.html", "old")], {})
    with pytest.raises(KeyboardInterrupt):
        replace_folder(tmp_path / "site", failing(), {})
    assert (tmp_path / "site/index.html").read_text() == "old"
    assert leftovers() == ["site"]


@pytest.mark.parametrize("manifest", [None, "no json", "[]", '{"files": ["index.html"]}'])
def test_what_no_site_wrote_is_never_replaced(tmp_path: Path, manifest: str | None) -> None:
    (tmp_path / "site/notes").mkdir(parents=True)
    (tmp_path / "site/notes/thesis.txt").write_text("years of work")
    if manifest is not None:
        (tmp_path / "site/site.json").write_text(manifest)
    with pytest.raises(SiteError, match=r"notes/thesis\.txt") as caught:
        replace_folder(tmp_path / "site", FILES, {})
    assert caught.value.exit_code == 2
    assert caught.value.hint
    assert (tmp_path / "site/notes/thesis.txt").read_text() == "years of work"
    assert not (tmp_path / "site/index.html").exists()


def test_an_empty_folder_and_a_link_to_one_are_taken(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    replace_folder(tmp_path / "link", FILES, {})
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real/index.html").read_text() == "new"


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "site").write_text("a file")
    with pytest.raises(SiteError, match="this is a file"):
        replace_folder(tmp_path / "site", FILES, {})
    assert (tmp_path / "site").read_text() == "a file"


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SiteError, match="cannot be written"):
        replace_folder(tmp_path / "file" / "site", FILES, {})
