"""`ipvg-eval weights`, on a machine that has nothing but what a test puts there."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import Result
from rich.console import Console
from typer.testing import CliRunner

from ipvg_eval.cli import weights as command
from ipvg_eval.cli.pull_progress import pull_progress
from ipvg_eval.metrics.errors import ProtocolError, WeightsMissing
from ipvg_eval.metrics.weight_file import WeightFile
from ipvg_eval.metrics.weights.pull import pull
from ipvg_eval.metrics.weights.store import WeightStore
from ipvg_eval.metrics.weights.table import WEIGHTS

if TYPE_CHECKING:
    from conftest import Contents, Server


def invoke(*words: str) -> Result:
    return CliRunner().invoke(command.app, list(words))


@pytest.fixture
def small_table(monkeypatch: pytest.MonkeyPatch, table: dict[str, WeightFile]) -> dict[str, WeightFile]:
    """The command with the test's weights in place of the published ones."""
    monkeypatch.setattr(command, "WEIGHTS", table)
    return table


def test_list_shows_terms_and_states(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)  # a list is 160 wide where nothing else is said
    result = invoke("list")
    assert result.exit_code == 0
    rows = [line for line in result.stdout.splitlines() if "amt_s" in line]
    assert len(rows) == 1
    assert "NON-COMMERCIAL" in rows[0]
    assert "12.0 MB" in rows[0]
    assert "missing" in rows[0]
    assert all(name in result.stdout for name in WEIGHTS)


def test_list_as_json(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "amt-s.pth").write_bytes(b"wrong")
    monkeypatch.setenv("IPVG_WEIGHTS_DIR", str(tmp_path))
    rows = {row["name"]: row for row in json.loads(invoke("list", "--json").stdout)}
    assert set(rows) == set(WEIGHTS)
    assert rows["det_10g.onnx"]["non_commercial"] is True
    assert rows["gme_2b"]["found"] is None
    assert rows["mtcnn"]["found"]["where"] == "package facenet-pytorch"
    assert rows["amt_s"]["rejected"][0]["path"] == str(tmp_path / "amt-s.pth")


def test_path_prints_the_path_or_what_to_do() -> None:
    found = invoke("path", "mtcnn")
    assert found.exit_code == 0
    assert (Path(found.stdout.strip()) / "onet.pt").is_file()
    missing = invoke("path", "amt_s")
    assert isinstance(missing.exception, WeightsMissing)
    assert "Run: ipvg-eval weights pull amt_s\n" in (missing.exception.hint or "")
    assert missing.stdout == ""


@pytest.mark.parametrize("words", [("path", "musiq_spak"), ("pull", "musiq_spak")])
def test_an_unknown_name_gets_a_suggestion(words: tuple[str, str]) -> None:
    result = invoke(*words)
    assert isinstance(result.exception, ProtocolError)
    assert result.exception.hint == "Did you mean 'musiq_spaq'?"


def test_pull_wants_a_name() -> None:
    result = invoke("pull")
    assert isinstance(result.exception, ProtocolError)
    assert "--all" in (result.exception.hint or "")


def test_pull_goes_on_after_a_failure_and_exits_3(
    small_table: dict[str, WeightFile], server: Server, contents: Contents
) -> None:
    assert small_table
    server.files["/plain.pth"] = contents.plain
    result = invoke("pull", "first", "plain")
    assert result.exit_code == 3
    assert [line.split("\t")[:2] for line in result.stdout.splitlines()] == [["plain", "downloaded"]]
    assert "pack.zip: the server answered 404" in result.stderr
    assert "1 of 2 weights could not be fetched." in result.stderr
    assert invoke("pull", "plain").stdout.split("\t")[1] == "present"


def test_pull_all_from_a_mirror_then_verify(
    small_table: dict[str, WeightFile], tmp_path: Path, contents: Contents, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = contents.write_model(tmp_path / "mirror" / "the-model").parent
    for name in ("plain.pth", "prefixed.pth"):
        (mirror / name).write_bytes(contents.plain)
    (mirror / "pack.zip").write_bytes(contents.archive)
    (mirror / "thing.pth").write_bytes(contents.hubfile)
    monkeypatch.setenv("IPVG_WEIGHTS_DIR", str(tmp_path / "usb"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert invoke("pull", "--all", "--mirror", str(mirror)).exit_code == 0
    good = invoke("verify")
    assert good.exit_code == 0
    assert [line.split("\t")[:2] for line in good.stdout.splitlines()] == [
        [name, "ok"] for name in small_table
    ]

    victim = tmp_path / "usb" / "thing.pth"
    stat = victim.stat()
    victim.write_bytes(bytes(len(contents.hubfile)))
    os.utime(victim, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    bad = invoke("verify")
    assert bad.exit_code == 1
    assert f"hubfile\tWRONG\t{victim}\tits sha256 is" in bad.stdout


def test_verify_of_nothing_is_fine() -> None:
    result = invoke("verify")
    assert result.exit_code == 0
    assert "amt_s\tmissing" in result.stdout
    assert "mtcnn\tok" in result.stdout


def test_bars_are_drawn_on_a_terminal_only(store: WeightStore, server: Server, contents: Contents) -> None:
    server.files["/plain.pth"] = contents.plain
    shown = {}
    for terminal in (True, False):
        console = Console(file=io.StringIO(), force_terminal=terminal, width=120)
        with pull_progress(console) as progress:
            pull("plain", store=store, progress=progress)
            progress.waiting("plain")
        shown[terminal] = console.file.getvalue()  # type: ignore[attr-defined]
        (store.places.cache_dir / "plain.pth").unlink()
    assert "plain.pth" in shown[True]
    assert "3.0" in shown[True]
    assert "Another process is fetching plain" in shown[True]
    assert shown[False] == ""
