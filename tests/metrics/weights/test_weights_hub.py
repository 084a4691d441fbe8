"""The hub's own client against a server on the loopback interface that answers as a hub does."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ipvg_eval.metrics.weight_file import WeightFile
from ipvg_eval.metrics.weights.errors import PullFailed, WrongHash
from ipvg_eval.metrics.weights.places import Places
from ipvg_eval.metrics.weights.progress import Advanced, Silent
from ipvg_eval.metrics.weights.pull import pull
from ipvg_eval.metrics.weights.store import WeightStore

if TYPE_CHECKING:
    from conftest import Contents, Server

pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")


@pytest.fixture
def hub(server: Server, contents: Contents, monkeypatch: pytest.MonkeyPatch) -> Server:
    """A hub with one file in one repository and a model in another."""
    monkeypatch.setenv("HF_ENDPOINT", server.base)
    server.files[f"/someone/thing/resolve/{contents.commit}/sub/thing.pth"] = contents.hubfile
    listing = []
    for name, data in {**contents.model, "code.py": b"raise SystemExit", "README.md": b"words"}.items():
        server.files[f"/someone/model/resolve/{contents.commit}/{name}"] = data
        digest = hashlib.sha256(data).hexdigest()
        lfs = {"oid": digest, "size": len(data), "pointerSize": 130}
        listing.append({"type": "file", "path": name, "size": len(data), "oid": digest[:40], "lfs": lfs})
    api = "/api/models/someone/model"
    server.files[f"{api}/tree/{contents.commit}"] = json.dumps(listing).encode()
    info = {"id": "someone/model", "sha": contents.commit, "siblings": []}
    server.files[f"{api}/revision/{contents.commit}"] = json.dumps(info).encode()
    return server


def test_a_hub_file_goes_into_the_hub_cache(store: WeightStore, hub: Server, contents: Contents) -> None:
    pulled = pull("hubfile", store=store)
    assert pulled.found.path.read_bytes() == contents.hubfile
    assert pulled.found.path.is_relative_to(store.places.hub_cache / "models--someone--thing" / "snapshots")
    hub.requests.clear()
    assert pull("hubfile", store=store).action == "present"
    assert store.path("hubfile") == pulled.found.path
    assert hub.requests == []


def test_a_hub_model_is_taken_without_code(store: WeightStore, hub: Server, contents: Contents) -> None:
    folder = pull("model", store=store).found.path
    assert not [path for path in hub.requests if path[1].endswith(("code.py", "README.md"))]
    assert {item.name for item in folder.iterdir()} == set(contents.model)
    assert store.path("model") == folder


def test_a_weights_folder_gets_whole_files_and_a_listing(
    table: dict[str, WeightFile], places: Places, hub: Server, contents: Contents, tmp_path: Path
) -> None:
    assert hub.files
    target = tmp_path / "usb"
    store = WeightStore(table, replace(places, weights_dir=target))
    for name in ("hubfile", "model"):
        assert pull(name, store=store).action == "downloaded"
    assert not places.hub_cache.exists()
    assert (target / "thing.pth").read_bytes() == contents.hubfile
    assert not any(path.is_symlink() for path in target.rglob("*"))
    assert {item.name for item in (target / "the-model").iterdir()} == {*contents.model, "SHA256SUMS"}
    assert not list((target / ".downloads" / "hub").glob("models--*"))


@pytest.mark.parametrize("with_folder", [False, True])
def test_a_wrong_hub_file_is_removed(
    table: dict[str, WeightFile],
    places: Places,
    hub: Server,
    contents: Contents,
    tmp_path: Path,
    with_folder: bool,
) -> None:
    hub.files[f"/someone/thing/resolve/{contents.commit}/sub/thing.pth"] = b"another file"
    store = WeightStore(table, replace(places, weights_dir=tmp_path / "usb" if with_folder else None))
    with pytest.raises(WrongHash) as caught:
        pull("hubfile", store=store)
    for data in (b"another file", contents.hubfile):
        assert hashlib.sha256(data).hexdigest() in str(caught.value)
    assert b"another file" not in [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert store.look_up("hubfile").found is None
    hub.files[f"/someone/thing/resolve/{contents.commit}/sub/thing.pth"] = contents.hubfile
    assert pull("hubfile", store=store).found.path.read_bytes() == contents.hubfile


def test_what_the_hub_lacks_is_named(store: WeightStore, hub: Server, contents: Contents) -> None:
    del hub.files[f"/someone/thing/resolve/{contents.commit}/sub/thing.pth"]
    with pytest.raises(PullFailed, match="someone/thing@01234567") as caught:
        pull("hubfile", store=store)
    assert "--mirror" in (caught.value.hint or "")


def test_a_damaged_file_of_a_hub_model_is_removed_and_the_rest_is_kept(
    store: WeightStore, hub: Server, contents: Contents
) -> None:
    """The hub promises one hash and delivers other bytes."""
    path = f"/someone/model/resolve/{contents.commit}/model-2.safetensors"
    hub.etags[path] = hashlib.sha256(hub.files[path]).hexdigest()
    right, hub.files[path] = hub.files[path], bytes(len(hub.files[path]))
    with pytest.raises(WrongHash, match=r"the sha256 of model-2\.safetensors is"):
        pull("model", store=store)
    hub.files[path] = right
    hub.requests.clear()
    assert pull("model", store=store).action == "downloaded"
    assert {asked for method, asked, _ in hub.requests if method == "GET" and "/resolve/" in asked} == {path}


def test_no_bars_are_drawn_where_stderr_is_a_file(
    store: WeightStore, hub: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    assert hub.files
    pull("model", store=store)
    assert capfd.readouterr().err == ""


def test_what_the_hub_sends_is_heard(store: WeightStore, hub: Server, contents: Contents) -> None:
    heard: dict[str, int] = {}

    class Heard(Silent):
        def started(self, what: str, *_: object) -> Advanced:
            heard[what] = 0

            def advanced(count: int) -> None:
                heard[what] += count

            return advanced

    assert hub.files
    for name in ("hubfile", "model"):
        pull(name, store=store, progress=Heard())
    assert list(heard.values()) == [len(contents.hubfile), sum(map(len, contents.model.values()))]
