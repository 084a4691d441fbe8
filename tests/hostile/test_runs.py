"""Run folders that strangers made: whatever is in them, a command ends soon and takes no harm."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ipvg_eval.core.bounded import read_table
from ipvg_eval.core.yaml_text import read_yaml
from ipvg_eval.results.checksums import write_checksums
from ipvg_eval.results.screening import screen
from ipvg_eval.results.signing import make_keys, sign

OLD = Path(__file__).resolve().parents[1] / "golden" / "runs"
COMMANDS = ("verify", "report", "compare", "rescore", "leaderboard", "audit")
FILES = ("run.json", "summary.json", "samples.parquet", "frames.parquet", "journal.jsonl")


MEASURED = """
import atexit, sys
from pathlib import Path

def tell():
    lines = Path("/proc/self/status").read_text().splitlines()
    Path(sys.argv[1]).write_text(next(line.split()[1] for line in lines if line.startswith("VmHWM")))

atexit.register(tell)
from ipvg_eval.cli import main
main(sys.argv[2:])
"""
"""The command, which tells its own peak of memory: the system counts a child's parent, too."""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return Path(shutil.copytree(OLD / "careful", tmp_path / "bad"))


def many_rows(run: Path) -> None:
    """Fifty million rows in a few hundred kilobytes."""
    indices = pa.array(np.zeros(1_000_000, dtype=np.int32))
    text = pa.DictionaryArray.from_arrays(indices, pa.array(["x" * 64]))
    table = pa.table(dict.fromkeys(("sample", "identity", "status", "reason"), text))
    with pq.ParquetWriter(run / "samples.parquet", table.schema) as writer:
        for _ in range(50):
            writer.write_table(table)


def long_texts(run: Path) -> None:
    """One text of 200 MiB that every row repeats."""
    samples = pq.read_table(run / "samples.parquet")
    text = pa.DictionaryArray.from_arrays(pa.array([0] * len(samples)), pa.array(["x" * (200 * 2**20)]))
    place = samples.schema.get_field_index("reason")
    pq.write_table(samples.set_column(place, "reason", text), run / "samples.parquet")


def nested(run: Path) -> None:
    samples = pq.read_table(run / "samples.parquet")
    pq.write_table(samples.append_column("more", pa.array([[[1]]] * len(samples))), run / "samples.parquet")


def value(number: float) -> Callable[[Path], None]:
    """One score replaced, in table and summary alike."""

    def harm(run: Path) -> None:
        samples = pd.read_parquet(run / "samples.parquet")
        samples.loc[0, "lite_identity"] = number
        samples.to_parquet(run / "samples.parquet")
        summary = json.loads((run / "summary.json").read_text())
        for metric in summary["metrics"]:
            if metric["name"] == "lite_identity":
                metric["mean"] = math.fsum(samples["lite_identity"]) / len(samples)
        (run / "summary.json").write_text(json.dumps(summary))

    return harm


def journal_value(text: str) -> Callable[[Path], None]:
    def harm(run: Path) -> None:
        lines = (run / "journal.jsonl").read_text().splitlines()
        row = json.loads(lines[0])
        row["measurements"][0]["value"] = "HERE"
        lines[0] = json.dumps(row).replace('"HERE"', text)
        (run / "journal.jsonl").write_text("\n".join(lines) + "\n")

    return harm


def pipe(name: str) -> Callable[[Path], None]:
    def harm(run: Path) -> None:
        (run / name).unlink()
        os.mkfifo(run / name)

    return harm


def device(name: str) -> Callable[[Path], None]:
    def harm(run: Path) -> None:
        (run / name).unlink()
        (run / name).symlink_to("/dev/zero")

    return harm


def large(name: str) -> Callable[[Path], None]:
    """A sparse file of 3 GiB."""

    def harm(run: Path) -> None:
        with (run / name).open("r+b") as file:
            file.truncate(3 * 2**30)

    return harm


def run_json(change: Callable[[dict], object]) -> Callable[[Path], None]:
    def harm(run: Path) -> None:
        content = json.loads((run / "run.json").read_text())
        change(content)
        (run / "run.json").write_text(json.dumps(content))

    return harm


def one_frame_more(run: Path) -> None:
    text = (run / "journal.jsonl").read_text()
    (run / "journal.jsonl").write_text(text.replace('"frame_values":[', '"frame_values":[0.5,', 1))


HARMS: dict[str, Callable[[Path], object]] = {
    "many-rows": many_rows,
    "long-texts": long_texts,
    "nested-column": nested,
    **{f"value-{number}": value(number) for number in (0.999, 1e308, -1e308, math.inf, 7.0)},
    **{f"journal-{text}": journal_value(text) for text in ("NaN", "Infinity", "1e400", "1e308", "-7", '"x"')},
    **{f"{kind.__name__}-{name}": kind(name) for kind in (pipe, device, large) for name in FILES},
    "one-frame-more": one_frame_more,
    "deep-json": lambda run: (run / "run.json").write_text("[" * 100_000),
    "counts": run_json(lambda content: content["counts"].update(samples=10**9)),
    "negative-counts": run_json(lambda content: content["counts"].update(samples=-1)),
    "no-zone": run_json(lambda content: content.update(started="2026-01-01T00:00:00")),
    "one-metric-less": run_json(lambda content: content["specs"].pop()),
}


def forge(run: Path, harm: str) -> None:
    """Do harm, and make the checksums anew where they can be made: a pipe has none."""
    HARMS[harm](run)
    if all(path.is_file() and path.stat().st_size < 2**28 for path in run.iterdir()):
        write_checksums(run)


@pytest.mark.parametrize("harm", HARMS)
def test_a_bad_run_is_left_out_by_name_and_the_others_are_not(run, harm):
    forge(run, harm)
    fit, refused = screen([OLD / "careful", run, OLD / "careless"])
    assert fit == (OLD / "careful", OLD / "careless")
    assert [one.path for one in refused] == [run]
    assert refused[0].reason


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("harm", ["many-rows", "pipe-samples.parquet", "device-run.json", "value-inf"])
def test_no_command_hangs_grows_or_shows_a_traceback(run, tmp_path, harm, name):
    forge(run, harm)
    words = {
        "verify": [run],
        "report": [run],
        "compare": [run, OLD / "careless"],
        "rescore": [run, "--protocol", "lite", "--out", tmp_path / "again"],
        "leaderboard": [run, OLD / "careless", "--unofficial", "--out", tmp_path / "site"],
        "audit": [run, "--no-faces"],
    }[name]
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, tmp_path / "peak", name, *map(str, words)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode in ({4} if name == "leaderboard" else {1, 2}), done.stderr
    assert "Traceback" not in done.stderr
    assert "should not have happened" not in done.stderr
    assert int((tmp_path / "peak").read_text()) < 2**21, "KiB"


def test_the_board_ranks_what_is_left_and_says_what_is_not(run, tmp_path):
    forge(run, "value-0.999")
    done = subprocess.run(
        [sys.executable, "-m", "ipvg_eval", "leaderboard", run, OLD / "careless", "--unofficial", "--json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 4, done.stderr
    board = json.loads(done.stdout)
    assert [row["team"] for row in board["tracks"][0]["phase1"]["table"]] == ["careless"]
    assert "not what follows from the rows" in done.stderr
    assert any("folder bad" in notice for notice in board["notices"])
    assert "folder bad" in (tmp_path / "site" / "index.html").read_text()


def test_strict_wants_checksums_and_the_organisers_signature(run, tmp_path):
    public = make_keys(tmp_path / "organiser.key")
    other = make_keys(tmp_path / "other.key")
    (run / "summary.md").write_text("better numbers")
    assert screen([run])[1] == ()  # what is ranked is untouched
    assert "summary.md is not as the checksums say" in screen([run], strict=True)[1][0].reason
    write_checksums(run)
    assert screen([run], strict=True)[0] == (run,)
    assert "SHA256SUMS.sig" in screen([run], strict=True, public_key=public)[1][0].reason
    sign(run, tmp_path / "organiser.key")
    assert screen([run], strict=True, public_key=public)[0] == (run,)
    assert "not signed by" in screen([run], strict=True, public_key=other)[1][0].reason


def test_the_board_ranks_strictly_what_the_organiser_signed(run, tmp_path):
    public = make_keys(tmp_path / "organiser.key")
    other = Path(shutil.copytree(OLD / "careless", tmp_path / "other"))
    write_checksums(other)
    sign(other, tmp_path / "organiser.key")
    rules = tmp_path / "challenge.yaml"
    rules.write_text(f"tracks: [{{name: facial}}]\npublic_key: {public.name}\n")
    words = [
        "leaderboard",
        run,
        other,
        "--config",
        rules,
        "--unofficial",
        "--out",
        tmp_path / "site",
        "--json",
    ]
    for strict, code, ranked in (((), 0, ["careful", "careless"]), (("--strict",), 4, ["careless"])):
        line = [sys.executable, "-m", "ipvg_eval", *map(str, words), *strict]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        teams = [row["team"] for row in json.loads(done.stdout)["tracks"][0]["phase1"]["table"]]
        assert sorted(teams) == ranked
    assert "left out:" in done.stderr
    assert "SHA256SUMS.sig" in done.stderr


def bomb() -> str:
    """A few hundred bytes of merge keys that stand for billions of nodes."""
    lines = ["a0: &a0 {x0: 1, y0: 2}"]
    lines += [f"a{k}: &a{k} {{<<: [{', '.join([f'*a{k - 1}'] * 9)}], x{k}: 1}}" for k in range(1, 12)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "text",
    [bomb(), "a: &a [*a]", "a: &a {<<: *a}", "- 1\n" * 300_000],
    ids=["merge", "itself", "merge-itself", "long"],
)
def test_yaml_that_stands_for_too_much_is_refused(text):
    with pytest.raises(ValueError, match=r"stands for|contains itself|characters"):
        read_yaml(text)


def test_ordinary_aliases_and_merge_keys_are_read():
    assert read_yaml("base: &b {x: 1}\nboth: {<<: *b, y: 2}\nlist: [*b, *b]") == {
        "base": {"x": 1},
        "both": {"x": 1, "y": 2},
        "list": [{"x": 1}, {"x": 1}],
    }
    assert read_yaml("") is None


def test_a_table_with_any_wrong_byte_is_read_or_refused(tmp_path):
    """Arrow names some damage by an IndexError, and believes places in a dictionary that it does not have."""
    path = tmp_path / "table.parquet"
    texts = pa.array(["a", "b", "a", None] * 3)
    pq.write_table(
        pa.table({"text": texts, "value": [0.5] * 12}), path, compression="none", store_schema=False
    )
    good, read = path.read_bytes(), 0
    for at in range(4, len(good) - 8):
        for flip in (0x01, 0x10, 0x80, 0xFF):
            path.write_bytes(good[:at] + bytes([good[at] ^ flip]) + good[at + 1 :])
            try:
                read_table(path).to_pandas()
            except (OSError, ValueError):
                continue
            read += 1
    assert read > 0
