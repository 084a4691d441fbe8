"""Any change of a run folder is seen and named; signatures hold for one state and one key."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvg_eval import Recipe, score
from ipvg_eval.core.errors import UsageError
from ipvg_eval.core.file_names import file_name
from ipvg_eval.errors import RunError
from ipvg_eval.results import load_run
from ipvg_eval.results.checksums import check_folder, read_checksums, write_checksums
from ipvg_eval.results.consistency import inconsistencies
from ipvg_eval.results.signing import check_signature, make_keys, sign


@pytest.fixture(scope="module")
def original(fixtures, tmp_path_factory):
    out = tmp_path_factory.mktemp("integrity") / "run"
    score(
        fixtures / "submissions" / "careful",
        testset=fixtures / "testset",
        recipe=Recipe(protocol="lite", metrics=["dynamic_degree_lite"]),
        out=out,
        limit=2,
    )
    return out


@pytest.fixture
def run(original, tmp_path):
    return shutil.copytree(original, tmp_path / "run")


def test_a_run_has_checksums_of_everything_that_is_kept(original):
    named = set(read_checksums(original))
    there = {p.relative_to(original).as_posix() for p in original.rglob("*") if p.is_file()}
    assert named == there - {"SHA256SUMS", ".lock"}
    assert {
        "run.json",
        "journal.jsonl",
        "samples.parquet",
        f"thumbnails/{file_name('id001/prompt1')}.webp",
    } <= named
    assert check_folder(original).ok


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="there is no sha256sum here")
def test_sha256sum_reads_the_file(original):
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=original, check=True)


def test_every_flipped_bit_is_named(run):
    names = sorted(read_checksums(run))

    @settings(deadline=None, max_examples=60)
    @given(name=st.sampled_from(names), place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
    def check(name, place, bit):
        path = run / name
        content = path.read_bytes()
        changed = bytearray(content)
        changed[int(place * len(changed))] ^= 1 << bit
        path.write_bytes(changed)
        found = check_folder(run)
        path.write_bytes(content)
        assert (found.changed, found.missing, found.added) == ((name,), (), ())

    check()


def test_missing_and_added_files_are_named(run):
    (run / "timings.csv").unlink()
    (run / "thumbnails" / "more.webp").write_bytes(b"x")
    found = check_folder(run)
    assert (found.changed, found.missing, found.added) == ((), ("timings.csv",), ("thumbnails/more.webp",))
    assert not found.ok


def test_a_pipe_in_a_files_place_is_a_change_and_does_not_block(run):
    (run / "timings.csv").unlink()
    os.mkfifo(run / "timings.csv")
    assert check_folder(run).changed == ("timings.csv",)


def test_what_is_made_later_is_not_covered(run):
    for name in ("report.html", "audit.json", ".lock"):
        (run / name).write_text("later")
    assert check_folder(run).ok


@pytest.mark.parametrize("content", ["", "no list", "00  ../../etc/passwd", "\xff"])
def test_a_broken_list_is_an_error(run, content):
    (run / "SHA256SUMS").write_text(content, "latin-1")
    with pytest.raises(RunError) as caught:
        check_folder(run)
    assert caught.value.hint


def test_names_in_the_list_lead_nowhere_else(run, tmp_path):
    (tmp_path / "secret").write_text("x")
    with (run / "SHA256SUMS").open("a") as file:
        file.write(f"{'0' * 64}  ../secret\n")
    found = check_folder(run)
    assert (found.changed, found.missing) == ((), ("../secret",))


@pytest.mark.parametrize("name", ["samples.csv", "summary.json", "samples.parquet"])
def test_tables_that_do_not_follow_from_the_rows_are_named(run, name):
    """Someone changes a number, and writes the checksums anew."""
    assert inconsistencies(load_run(run)) == ()
    if name == "samples.parquet":
        frame = load_run(run).samples
        frame.loc[0, "dynamic_degree_lite"] += 1.0
        frame.to_parquet(run / name)
    elif name == "samples.csv":
        text = (run / name).read_text()
        (run / name).write_text(text.replace("16.0", "17.0", 1))
    else:
        summary = json.loads((run / name).read_text())
        summary["metrics"][0]["mean"] += 1.0
        (run / name).write_text(json.dumps(summary))
    write_checksums(run)
    assert check_folder(run).ok
    assert inconsistencies(load_run(run)) == (name,)


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    return {name: (folder / name, make_keys(folder / name)) for name in ("ours", "theirs")}


def test_a_signature_is_for_one_key_and_one_state(run, keys):
    private, public = keys["ours"]
    sign(run, private)
    assert check_signature(run, public)
    assert not check_signature(run, keys["theirs"][1])
    with (run / "SHA256SUMS").open("a") as file:
        file.write(f"{'0' * 64}  more\n")
    assert not check_signature(run, public)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl here")
def test_openssl_agrees_with_the_signature(run, keys, tmp_path):
    import base64

    private, public = keys["ours"]
    (tmp_path / "raw").write_bytes(base64.b64decode(sign(run, private).read_text()))
    words = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", public, "-rawin"]
    words += ["-in", run / "SHA256SUMS", "-sigfile", tmp_path / "raw"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_changed_run_is_not_signed_and_new_checksums_end_a_signature(run, keys):
    sign(run, keys["ours"][0])
    write_checksums(run)
    with pytest.raises(RunError, match="signature"):
        check_signature(run, keys["ours"][1])
    (run / "samples.csv").write_text("other")
    with pytest.raises(RunError, match="not signed"):
        sign(run, keys["ours"][0])


def test_keys_are_private_and_never_overwritten(keys):
    private, public = keys["ours"]
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    before = private.read_bytes()
    with pytest.raises(UsageError, match="cannot be written"):
        make_keys(private)
    assert private.read_bytes() == before
    assert "PUBLIC" in public.read_text()


def test_wrong_keys_are_refused(run, keys, tmp_path):
    private, public = keys["ours"]
    rsa = tmp_path / "noise"
    rsa.write_bytes(b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    for key in (public, rsa, tmp_path / "nowhere"):
        with pytest.raises(UsageError):
            sign(run, key)
    sign(run, private)
    for key in (private, rsa):
        with pytest.raises(UsageError):
            check_signature(run, key)


def test_the_commands(run, tmp_path, command):
    assert command("verify", run).returncode == 0
    assert command("keygen", tmp_path / "key").stdout.strip() == str(tmp_path / "key.pub")
    assert command("sign", run, "--key", tmp_path / "key").returncode == 0
    good = command("verify", run, "--public-key", tmp_path / "key.pub")
    assert (good.returncode, "signature good" in good.stdout) == (0, True)
    (run / "summary.md").write_text("# We won")
    bad = command("verify", run, "--json")
    assert bad.returncode == 1
    assert json.loads(bad.stdout)["changed"] == ["summary.md"]
    assert "summary.md" in command("verify", run).stdout
