from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvg_eval.metrics.errors import ProtocolError, WeightsMissing
from ipvg_eval.metrics.weight_file import WeightFile
from ipvg_eval.metrics.weights.folders import digest, format_sums, parse_sums
from ipvg_eval.metrics.weights.hashes import HashCache
from ipvg_eval.metrics.weights.places import Places, hub_offline
from ipvg_eval.metrics.weights.store import WeightStore

if TYPE_CHECKING:
    from conftest import Contents

    Table = dict[str, WeightFile]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that a person filled."""
    (tmp_path / "mine").mkdir()
    return tmp_path / "mine"


@pytest.fixture
def by_hand(table: Table, places: Places, folder: Path) -> WeightStore:
    return WeightStore(table, replace(places, weights_dir=folder))


def test_a_file_is_found_by_its_name_at_any_depth(
    by_hand: WeightStore, folder: Path, contents: Contents
) -> None:
    path = folder / "a" / "b" / "plain.pth"
    path.parent.mkdir(parents=True)
    path.write_bytes(contents.plain)
    resolved = by_hand.resolve(["plain"])
    assert resolved.path("plain") == path
    assert resolved.sha256("plain") == hashlib.sha256(contents.plain).hexdigest()
    assert resolved.random_seed is None
    assert by_hand.path("plain") == path
    assert by_hand.sha256("plain") == resolved.sha256("plain")


@pytest.mark.parametrize("name", ["plain", "prefixed"])
def test_a_file_under_any_name_is_found_by_its_hash(
    by_hand: WeightStore, folder: Path, contents: Contents, name: str
) -> None:
    """`prefixed` declares neither size nor full hash."""
    (folder / "decoy.bin").write_bytes(bytes(len(contents.plain)))
    (folder / "renamed.bin").write_bytes(contents.plain)
    assert by_hand.path(name) == folder / "renamed.bin"


def test_a_link_into_a_linked_folder_is_followed_and_a_circle_ends(
    by_hand: WeightStore, folder: Path, tmp_path: Path, contents: Contents
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "plain.pth").write_bytes(contents.plain)
    (folder / "link").symlink_to(elsewhere)
    (elsewhere / "circle").symlink_to(folder)
    (folder / "dangling.pth").symlink_to(tmp_path / "nowhere")
    assert by_hand.path("plain") == folder / "link" / "plain.pth"


def test_unfinished_downloads_are_not_found(by_hand: WeightStore, folder: Path, contents: Contents) -> None:
    (folder / ".downloads").mkdir()
    (folder / ".downloads" / "plain.pth.part").write_bytes(contents.plain)
    assert by_hand.look_up("plain").found is None


def test_a_wrong_file_is_named_with_both_hashes_and_a_right_one_elsewhere_is_used(
    by_hand: WeightStore, folder: Path, contents: Contents
) -> None:
    (folder / "plain.pth").write_bytes(b"something else")
    with pytest.raises(WeightsMissing) as caught:
        by_hand.resolve(["plain"])
    actual, wanted = (hashlib.sha256(data).hexdigest() for data in (b"something else", contents.plain))
    assert f"its sha256 is {actual}, declared is {wanted}" in str(caught.value)
    cache = by_hand.places.cache_dir
    (cache / "plain.pth").write_bytes(contents.plain)
    look_up = by_hand.look_up("plain")
    assert look_up.found is not None
    assert look_up.found.path == cache / "plain.pth"
    assert [item.path for item in look_up.rejected] == [folder / "plain.pth"]


def test_places_are_searched_in_order(
    table: Table, places: Places, folder: Path, tmp_path: Path, contents: Contents
) -> None:
    shared = tmp_path / "torch-hub"
    everywhere = replace(places, weights_dir=folder, shared=(shared,))
    for root in (shared, places.cache_dir, folder):
        root.mkdir(exist_ok=True)
        (root / "plain.pth").write_bytes(contents.plain)
        assert WeightStore(table, everywhere).path("plain") == root / "plain.pth"


def test_the_hub_cache_is_searched(store: WeightStore, contents: Contents) -> None:
    root = store.places.hub_cache / "models--someone--thing"
    blob = root / "blobs" / hashlib.sha256(contents.hubfile).hexdigest()
    link = root / "snapshots" / contents.commit / "sub" / "thing.pth"
    for path in (blob, link):
        path.parent.mkdir(parents=True)
    blob.write_bytes(contents.hubfile)
    link.symlink_to(blob)
    look_up = store.look_up("hubfile")
    assert look_up.found is not None
    assert look_up.found.path == link
    assert look_up.found.where == "Hugging Face cache"


def test_everything_missing_is_listed_once_with_the_command(store: WeightStore) -> None:
    (store.places.cache_dir).mkdir()
    with pytest.raises(WeightsMissing) as caught:
        store.resolve(["plain", "first", "hubfile", "model", "plain"])
    message, hint = str(caught.value), caught.value.hint or ""
    assert message.startswith("4 weights are not on this machine:")
    assert message.count("plain (3.0 MB)") == 1
    assert "first (200.0 kB) from first.onnx in http://127.0.0.1" in message
    assert "NON-COMMERCIAL: research only" in message
    assert "hubfile (50.0 kB) from Hugging Face someone/thing@01234567, sub/thing.pth" in message
    assert "ipvg-eval weights pull plain first hubfile model\n" in hint
    assert caught.value.exit_code == 3


def test_a_weights_folder_that_does_not_exist_is_mentioned(
    table: Table, places: Places, tmp_path: Path
) -> None:
    store = WeightStore(table, replace(places, weights_dir=tmp_path / "typo"))
    with pytest.raises(WeightsMissing) as caught:
        store.resolve(["plain"])
    assert f"IPVG_WEIGHTS_DIR is set to {tmp_path / 'typo'}, which is not a folder." in (
        caught.value.hint or ""
    )


def test_an_unknown_name_is_not_a_missing_file(store: WeightStore) -> None:
    with pytest.raises(ProtocolError) as caught:
        store.resolve(["plian"])
    assert caught.value.hint == "Did you mean 'plain'?"


def test_what_was_not_resolved_is_not_handed_out(
    by_hand: WeightStore, folder: Path, contents: Contents
) -> None:
    (folder / "plain.pth").write_bytes(contents.plain)
    with pytest.raises(WeightsMissing, match="was not resolved"):
        by_hand.resolve(["plain"]).path("first")


def test_an_optional_weight_may_be_missing_but_not_wrong(
    by_hand: WeightStore, folder: Path, contents: Contents
) -> None:
    (folder / "plain.pth").write_bytes(contents.plain)
    resolved = by_hand.resolve(["plain"], optional=["first"])
    assert resolved.path("plain") == folder / "plain.pth"
    with pytest.raises(WeightsMissing, match="was not resolved"):
        resolved.path("first")
    (folder / "first.onnx").write_bytes(b"something else")
    by_hand.refresh()
    with pytest.raises(WeightsMissing, match="1 weight is not on this machine"):
        by_hand.resolve(["plain"], optional=["first"])
    (folder / "first.onnx").write_bytes(contents.first)
    by_hand.refresh()
    assert by_hand.resolve(["plain"], optional=["first"]).path("first") == folder / "first.onnx"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_a_reason(by_hand: WeightStore, folder: Path, contents: Contents) -> None:
    (folder / "plain.pth").write_bytes(contents.plain)
    (folder / "plain.pth").chmod(0)
    with pytest.raises(WeightsMissing, match=r"plain\.pth: it cannot be read \(Permission denied\)"):
        by_hand.resolve(["plain"])


def test_a_folder_in_the_place_of_a_file_is_a_reason(store: WeightStore) -> None:
    (store.places.cache_dir / "plain.pth").mkdir(parents=True)
    with pytest.raises(WeightsMissing, match=r"plain\.pth: it cannot be read \(Is a directory\)"):
        store.resolve(["plain"])


# Model folders


def test_a_model_folder_has_the_hash_of_its_listing(
    by_hand: WeightStore, folder: Path, contents: Contents
) -> None:
    path = contents.write_model(folder / "deep" / "the-model")
    (path / "README.md").write_text("not part of the model")
    lines = "".join(
        f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(contents.model.items())
    )
    assert by_hand.path("model") == path
    assert by_hand.sha256("model") == hashlib.sha256(lines.encode()).hexdigest()


@pytest.mark.parametrize(
    ("lost", "reason"),
    [
        ("config.json", "config.json is missing"),
        ("model-2.safetensors", "1 of 2 shards are missing: model-2.safetensors"),
        ("model.safetensors.index.json", "model.safetensors is missing"),
    ],
)
def test_an_incomplete_model_folder_is_refused(
    by_hand: WeightStore, folder: Path, contents: Contents, lost: str, reason: str
) -> None:
    (contents.write_model(folder / "the-model") / lost).unlink()
    with pytest.raises(WeightsMissing, match=reason):
        by_hand.resolve(["model"])


def test_a_recorded_listing_reveals_a_changed_file(
    by_hand: WeightStore, folder: Path, contents: Contents
) -> None:
    path = contents.write_model(folder / "the-model", sums=True)
    assert by_hand.look_up("model").found is not None
    (path / "merges.txt").write_bytes(b"changed\n")
    look_up = by_hand.look_up("model")
    assert look_up.found is None
    assert "the sha256 of merges.txt is" in look_up.rejected[0].reason


def test_names_of_hub_blobs_reveal_a_changed_file(store: WeightStore, contents: Contents) -> None:
    root = store.places.hub_cache / "models--someone--model"
    snapshot = root / "snapshots" / contents.commit
    (root / "blobs").mkdir(parents=True)
    snapshot.mkdir(parents=True)
    for name, data in contents.model.items():
        blob = root / "blobs" / hashlib.sha256(data).hexdigest()
        blob.write_bytes(data)
        (snapshot / name).symlink_to(blob)
    assert store.path("model") == snapshot
    (snapshot / "model-1.safetensors").resolve().write_bytes(b"damaged")
    with pytest.raises(WeightsMissing, match=r"the sha256 of model-1\.safetensors is"):
        store.path("model")


_NAMES = st.text("abcXYZ019_-.", min_size=1, max_size=12).filter(lambda name: not name.startswith("."))


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(_NAMES, st.binary(max_size=4).map(lambda data: hashlib.sha256(data).hexdigest())))
def test_listings_survive_a_round_trip(sums: dict[str, str]) -> None:
    assert parse_sums(format_sums(sums)) == sums
    assert digest(sums) == digest(dict(reversed(sums.items())))


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "a\\b", ""])
def test_listings_cannot_point_outside_their_folder(name: str) -> None:
    with pytest.raises(ValueError, match="not a line of SHA256SUMS"):
        parse_sums(f"{'0' * 64}  {name}\n")


# Remembered hashes


def test_a_hash_is_remembered_until_the_file_changes(tmp_path: Path) -> None:
    path, record = tmp_path / "file", tmp_path / "cache" / "hashes.json"
    path.write_bytes(b"one")
    assert HashCache(record).sha256(path) == hashlib.sha256(b"one").hexdigest()
    # Same size and time: the record is believed, which shows that nothing was read again.
    stat = path.stat()
    path.write_bytes(b"two")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert HashCache(record).sha256(path) == hashlib.sha256(b"one").hexdigest()
    assert HashCache(record, fresh=True).sha256(path) == hashlib.sha256(b"two").hexdigest()
    assert HashCache(record).sha256(path) == hashlib.sha256(b"two").hexdigest()
    path.write_bytes(b"three")
    assert HashCache(record).sha256(path) == hashlib.sha256(b"three").hexdigest()


@pytest.mark.parametrize("content", ["", "[1]", '{"a": 3}', "\x00"])
def test_a_damaged_record_is_started_anew(tmp_path: Path, content: str) -> None:
    path, record = tmp_path / "file", tmp_path / "hashes.json"
    path.write_bytes(b"one")
    record.write_text(content)
    assert HashCache(record).sha256(path) == hashlib.sha256(b"one").hexdigest()
    assert str(path) in json.loads(record.read_text())


def test_a_cache_that_cannot_be_written_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "in-the-way").write_text("")
    path = tmp_path / "file"
    path.write_bytes(b"one")
    cache = HashCache(tmp_path / "in-the-way" / "hashes.json")
    assert cache.sha256(path) == hashlib.sha256(b"one").hexdigest()


# The environment


def test_places_follow_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    usual = Places.from_environment()
    assert usual.weights_dir is None
    assert usual.cache_dir == usual.target == tmp_path / "xdg" / "ipvg-eval" / "weights"
    assert usual.hub_cache == tmp_path / "xdg" / "huggingface" / "hub"
    assert tmp_path / "home" / ".insightface" / "models" / "buffalo_l" in usual.shared
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("IPVG_WEIGHTS_DIR", "~/weights")
    moved = Places.from_environment()
    assert moved.hub_cache == tmp_path / "hf" / "hub"
    assert moved.target == tmp_path / "home" / "weights"
    assert tmp_path / "torch" / "hub" / "checkpoints" in moved.shared
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "elsewhere"))
    assert Places.from_environment().hub_cache == tmp_path / "elsewhere"


@pytest.mark.parametrize(("value", "offline"), [("1", True), ("true", True), ("0", False), ("", False)])
def test_offline_is_a_switch(monkeypatch: pytest.MonkeyPatch, value: str, offline: bool) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", value)
    assert hub_offline() is offline


@pytest.mark.parametrize(
    ("sizes", "says"),
    [
        # 100 Mbit/s are 12.5 MB/s, 750 MB a minute.
        ((1_500_000_000, 3_000_000_000), "That is 4.5 GB, about 6 min at 100 Mbit/s; "),
        ((7_500_000_000, None), "That is 7.5 GB and 1 of unknown size, about 10 min at 100 Mbit/s; "),
        ((900,), "That is 900 bytes, about 1 min at 100 Mbit/s; "),
    ],
)
def test_missing_weights_come_with_size_time_and_free_disk(
    table: Table, places: Places, sizes: tuple[int | None, ...], says: str
) -> None:
    files = {f"big{k}": replace(table["plain"], name=f"big{k}", size=size) for k, size in enumerate(sizes)}
    with pytest.raises(WeightsMissing) as missing:
        WeightStore(files, places).resolve(list(files))
    assert re.search(
        re.escape(says) + rf"[0-9.]+ [kMG]?B are free at {places.target}", missing.value.hint or ""
    )
