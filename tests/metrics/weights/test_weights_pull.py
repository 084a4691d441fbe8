from __future__ import annotations

import hashlib
import resource
import shutil
import subprocess
import sys
import textwrap
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ipvg_eval.metrics.errors import ProtocolError, WeightsMissing
from ipvg_eval.metrics.weight_file import HubFolder, ReleaseAsset, WeightFile
from ipvg_eval.metrics.weights.errors import Interrupted, NoSpace, NotThere, PullFailed, WrongHash
from ipvg_eval.metrics.weights.places import Places
from ipvg_eval.metrics.weights.progress import Advanced
from ipvg_eval.metrics.weights.pull import pull, staging
from ipvg_eval.metrics.weights.store import Found, Rejected, WeightStore

if TYPE_CHECKING:
    from conftest import Contents, Server

    Table = dict[str, WeightFile]


def part_of(store: WeightStore, name: str) -> Path:
    return staging(store) / f"{name}.part"


def test_a_release_file_is_downloaded_once(store: WeightStore, server: Server, contents: Contents) -> None:
    server.files["/plain.pth"] = contents.plain
    pulled = pull("plain", store=store)
    assert pulled.action == "downloaded"
    assert pulled.found.path.read_bytes() == contents.plain
    assert pulled.found.path == store.places.cache_dir / "plain.pth"
    assert not part_of(store, "plain.pth").exists()
    assert pull("plain", store=store).action == "present"
    assert server.gets("/plain.pth") == [None]
    assert store.resolve(["plain"]).path("plain") == pulled.found.path


def test_a_cut_download_goes_on_where_it_broke(
    store: WeightStore, server: Server, contents: Contents
) -> None:
    server.files["/plain.pth"] = contents.plain
    server.cut_after = [1_300_000, 400_000]
    for _ in range(2):
        with pytest.raises(Interrupted, match="the connection broke") as caught:
            pull("plain", store=store)
        assert "Run the command again" in (caught.value.hint or "")
        assert caught.value.exit_code == 3
        assert not (store.places.cache_dir / "plain.pth").exists()
    kept = part_of(store, "plain.pth").stat().st_size
    assert 0 < kept <= 1_700_000
    assert contents.plain.startswith(part_of(store, "plain.pth").read_bytes())
    assert pull("plain", store=store).found.path.read_bytes() == contents.plain
    ranges = server.gets("/plain.pth")
    assert ranges[0] is None
    assert ranges[2] == f"bytes={kept}-"


def test_a_server_without_ranges_is_read_from_the_start(
    store: WeightStore, server: Server, contents: Contents
) -> None:
    server.files["/plain.pth"] = contents.plain
    server.ranges = False
    server.cut_after = [1_000_000]
    with pytest.raises(Interrupted):
        pull("plain", store=store)
    assert pull("plain", store=store).found.path.read_bytes() == contents.plain


def test_a_complete_part_is_not_downloaded_again(
    store: WeightStore, server: Server, contents: Contents
) -> None:
    server.files["/plain.pth"] = contents.plain
    part = part_of(store, "plain.pth")
    part.parent.mkdir(parents=True)
    part.write_bytes(contents.plain)
    assert pull("plain", store=store).found.path.read_bytes() == contents.plain
    assert server.gets("/plain.pth") == [f"bytes={len(contents.plain)}-"]


@pytest.mark.parametrize("stale", [b"of an older version", b"x" * 4_000_000])
def test_a_part_of_another_version_is_thrown_away(
    store: WeightStore, server: Server, contents: Contents, stale: bytes
) -> None:
    """One is shorter than the file, one longer."""
    server.files["/plain.pth"] = contents.plain
    part = part_of(store, "plain.pth")
    part.parent.mkdir(parents=True)
    part.write_bytes(stale)
    assert pull("plain", store=store).found.path.read_bytes() == contents.plain


@pytest.mark.parametrize("name", ["plain", "prefixed"])
def test_a_wrong_file_is_removed_and_both_hashes_are_named(
    store: WeightStore, server: Server, contents: Contents, name: str
) -> None:
    server.files[f"/{name}.pth"] = b"a login page"
    with pytest.raises(WrongHash) as caught:
        pull(name, store=store)
    declared = store.table[name].sha256
    assert declared is not None
    assert hashlib.sha256(b"a login page").hexdigest() in str(caught.value)
    assert f"declared is {declared};" in str(caught.value)
    assert caught.value.exit_code == 3
    assert list(store.places.cache_dir.rglob("*.pth")) == []
    assert list(store.places.cache_dir.rglob("*.part")) == []
    server.files[f"/{name}.pth"] = contents.plain
    assert pull(name, store=store).action == "downloaded"


def test_a_missing_file_and_a_silent_host_are_told_apart(
    store: WeightStore, table: Table, places: Places, server: Server
) -> None:
    with pytest.raises(NotThere, match="404"):
        pull("plain", store=store)
    assert server.gets("/plain.pth") == [None]
    dead = {name: weight for name, weight in table.items() if name == "plain"}
    source = replace(dead["plain"].source, url="http://127.0.0.1:1/plain.pth")  # type: ignore[type-var]
    dead["plain"] = replace(dead["plain"], source=source)
    with pytest.raises(PullFailed, match=r"127\.0\.0\.1:1 cannot be reached") as caught:
        pull("plain", store=WeightStore(dead, places))
    assert "--mirror" in (caught.value.hint or "")


def test_members_come_out_of_one_archive_download(
    store: WeightStore, server: Server, contents: Contents
) -> None:
    server.files["/pack.zip"] = contents.archive
    assert pull("second", store=store).found.path.read_bytes() == contents.second
    assert pull("first", store=store).found.path.read_bytes() == contents.first
    assert server.gets("/pack.zip") == [None]
    assert {item.name for item in store.places.cache_dir.iterdir() if item.is_file()} >= {
        "first.onnx",
        "second.onnx",
    }
    assert not list(store.places.cache_dir.rglob("*.zip"))
    assert not list(store.places.cache_dir.rglob("unwanted*"))


def test_a_wrong_archive_is_not_opened(store: WeightStore, server: Server, contents: Contents) -> None:
    server.files["/pack.zip"] = contents.archive + b"more"
    with pytest.raises(WrongHash, match=r"pack\.zip"):
        pull("first", store=store)
    assert not (store.places.cache_dir / "first.onnx").exists()


def test_a_wrong_member_is_removed(places: Places, table: Table, server: Server, contents: Contents) -> None:
    table["first"] = replace(table["first"], sha256="f" * 64)
    server.files["/pack.zip"] = contents.archive
    with pytest.raises(WrongHash, match=r"first\.onnx in pack\.zip"):
        pull("first", store=WeightStore(table, places))
    assert not list(places.cache_dir.rglob("first.onnx"))
    assert not list(places.cache_dir.rglob("first.onnx.extract"))


def _pull_in_process(base: str, cache: Path, hub: Path, name: str) -> subprocess.Popen[str]:
    conftest = str(Path(__file__).parent / "conftest.py")
    code = f"""
        import importlib.util, pathlib, sys
        spec = importlib.util.spec_from_file_location("weights_conftest", {conftest!r})
        module = importlib.util.module_from_spec(spec)
        sys.modules["weights_conftest"] = module
        spec.loader.exec_module(module)
        from ipvg_eval.metrics.weights.places import Places
        from ipvg_eval.metrics.weights.pull import pull
        from ipvg_eval.metrics.weights.store import Found, Rejected, WeightStore
        places = Places(
            weights_dir=None, cache_dir=pathlib.Path({str(cache)!r}), hub_cache=pathlib.Path({str(hub)!r})
        )
        print(pull({name!r}, store=WeightStore(module.make_table({base!r}), places)).action)
    """
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_processes_that_pull_at_once_download_once(
    server: Server, places: Places, contents: Contents
) -> None:
    server.files["/pack.zip"] = contents.archive
    names = ["first", "second", "first"]
    running = [_pull_in_process(server.base, places.cache_dir, places.hub_cache, name) for name in names]
    outputs = [process.communicate(timeout=60) for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], outputs
    assert sorted(out.strip() for out, _ in outputs) == ["downloaded", "present", "present"]
    assert server.gets("/pack.zip") == [None]
    assert (places.cache_dir / "first.onnx").read_bytes() == contents.first


def test_a_waiting_pull_says_so_and_then_finds_the_file(
    table: Table, places: Places, server: Server, contents: Contents
) -> None:
    server.files["/plain.pth"] = contents.plain
    heard = threading.Event()
    let_go = threading.Event()

    class Slow:
        def waiting(self, what: str) -> None:
            raise AssertionError(what)

        def started(self, *_: object) -> Advanced:
            heard.set()
            assert let_go.wait(120)
            return lambda _count: None

    class Second(Slow):
        def waiting(self, what: str) -> None:
            assert what == "plain"
            let_go.set()

    first = threading.Thread(target=lambda: pull("plain", store=WeightStore(table, places), progress=Slow()))
    first.start()
    assert heard.wait(120)
    assert pull("plain", store=WeightStore(table, places), progress=Second()).action == "present"
    first.join()
    assert server.gets("/plain.pth") == [None]


# Mirrors


def _fill(folder: Path, contents: Contents, *, sums: bool) -> Path:
    contents.write_model(folder / "the-model", sums=sums)
    (folder / "plain.pth").write_bytes(contents.plain)
    (folder / "pack.zip").write_bytes(contents.archive)
    (folder / "thing.pth").write_bytes(contents.hubfile)
    return folder


@pytest.mark.parametrize("form", ["path", "file", "http"])
def test_a_mirror_serves_files_archives_and_model_folders(
    store: WeightStore, server: Server, tmp_path: Path, contents: Contents, form: str
) -> None:
    folder = _fill(tmp_path / "mirror", contents, sums=form == "http")
    for path in folder.rglob("*"):
        if path.is_file():
            server.files[f"/m/{path.relative_to(folder)}"] = path.read_bytes()
    base = {"path": str(folder), "file": folder.as_uri(), "http": f"{server.base}/m/"}[form]
    for name in ("plain", "first", "second", "hubfile", "model"):
        assert pull(name, store=store, mirror=base).found.path.exists()
    model = store.places.cache_dir / "the-model"
    assert {item.name for item in model.iterdir()} == {*contents.model, "SHA256SUMS"}
    shutil.rmtree(folder)
    store.resolve(["plain", "first", "second", "hubfile", "model"])


def test_a_pulled_folder_is_a_mirror(
    store: WeightStore, table: Table, places: Places, tmp_path: Path, contents: Contents
) -> None:
    source = _fill(tmp_path / "mirror", contents, sums=False)
    for name in ("first", "model"):
        pull(name, store=store, mirror=str(source))
    other = WeightStore(table, replace(places, cache_dir=tmp_path / "other"))
    for name in ("first", "model"):
        assert pull(name, store=other, mirror=str(places.cache_dir)).action == "downloaded"
    assert other.sha256("model") == store.sha256("model")


def test_a_wrong_file_of_a_mirror_is_refused(store: WeightStore, tmp_path: Path, contents: Contents) -> None:
    folder = _fill(tmp_path / "mirror", contents, sums=True)
    (folder / "plain.pth").write_bytes(b"not it")
    (folder / "the-model" / "merges.txt").write_bytes(b"not it")
    for name in ("plain", "model"):
        with pytest.raises(WrongHash, match="it has been removed"):
            pull(name, store=store, mirror=str(folder))
        assert store.look_up(name).found is None
    assert (folder / "plain.pth").exists(), "the mirror's own file is not ours to remove"


def test_a_mirror_that_lacks_a_file_is_named(store: WeightStore, server: Server, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotThere, match=r"plain\.pth: there is no such file"):
        pull("plain", store=store, mirror=str(tmp_path / "empty"))
    with pytest.raises(NotThere, match=r"first\.onnx: the server answered 404"):
        pull("first", store=store, mirror=server.base)
    with pytest.raises(PullFailed, match="SHA256SUMS"):
        pull("model", store=store, mirror=server.base)
    with pytest.raises(PullFailed, match="is not a folder"):
        pull("plain", store=store, mirror=str(tmp_path / "typo"))


def test_a_mirror_cannot_write_outside_the_folder(store: WeightStore, server: Server) -> None:
    server.files["/the-model/SHA256SUMS"] = f"{'0' * 64}  ../evil.json\n".encode()
    with pytest.raises(PullFailed, match="not a line of SHA256SUMS"):
        pull("model", store=store, mirror=server.base)


# Places


def test_a_weights_folder_gets_copies_of_what_is_elsewhere(
    table: Table, places: Places, tmp_path: Path, contents: Contents, server: Server
) -> None:
    places.cache_dir.mkdir()
    (places.cache_dir / "plain.pth").write_bytes(contents.plain)
    contents.write_model(places.cache_dir / "the-model")
    store = WeightStore(table, replace(places, weights_dir=tmp_path / "usb"))
    for name in ("plain", "model"):
        assert pull(name, store=store).action == "copied"
        assert pull(name, store=store).action == "present"
    assert (tmp_path / "usb" / "plain.pth").read_bytes() == contents.plain
    assert (tmp_path / "usb" / "the-model" / "SHA256SUMS").is_file()
    assert server.requests == []


def test_offline_means_no_connection(
    store: WeightStore, server: Server, monkeypatch: pytest.MonkeyPatch, contents: Contents, tmp_path: Path
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_ENDPOINT", server.base)
    server.files["/plain.pth"] = contents.plain
    for name in ("plain", "hubfile", "model"):
        with pytest.raises(PullFailed, match="switched off by HF_HUB_OFFLINE") as caught:
            pull(name, store=store)
        assert "--mirror" in (caught.value.hint or "")
    assert server.requests == []
    mirror = _fill(tmp_path / "mirror", contents, sums=False)
    assert pull("hubfile", store=store, mirror=str(mirror)).action == "downloaded"


def test_a_place_that_cannot_be_written_is_named(
    table: Table, places: Places, tmp_path: Path, server: Server
) -> None:
    (tmp_path / "in-the-way").write_text("")
    store = WeightStore(table, replace(places, cache_dir=tmp_path / "in-the-way" / "weights"))
    with pytest.raises(PullFailed, match=r"it cannot be written") as caught:
        pull("plain", store=store)
    assert "IPVG_WEIGHTS_DIR" in (caught.value.hint or "")
    assert server.requests == []


def test_a_disk_that_is_too_small_is_noticed_before_the_download(
    table: Table, places: Places, server: Server
) -> None:
    table["plain"] = replace(table["plain"], size=1 << 60)
    with pytest.raises(NoSpace, match=r"needs .* GB, .* are free"):
        pull("plain", store=WeightStore(table, places))
    assert server.requests == []


def test_a_disk_that_fills_up_keeps_what_arrived(
    store: WeightStore, server: Server, contents: Contents
) -> None:
    """A limit on the size of files makes the kernel refuse writes as a full disk does."""
    server.files["/plain.pth"] = contents.plain
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, hard))
    try:
        with pytest.raises(NoSpace, match="there is no space left") as caught:
            pull("plain", store=store)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "Free some space" in (caught.value.hint or "")
    assert part_of(store, "plain.pth").stat().st_size == 1_500_000
    assert pull("plain", store=store).found.path.read_bytes() == contents.plain
    assert server.gets("/plain.pth")[-1] == "bytes=1500000-"


def test_bundled_weights_cannot_be_pulled(places: Places) -> None:
    store = WeightStore(places=places)
    assert pull("mtcnn", store=store).action == "present"
    bundled = store.table["mtcnn"]
    absent = replace(bundled, source=replace(bundled.source, package="no_such_package"))  # type: ignore[type-var]
    with pytest.raises(WeightsMissing) as caught:
        pull("mtcnn", store=WeightStore({"mtcnn": absent}, places))
    assert caught.value.hint == "Run: pip install facenet-pytorch"


def test_an_unknown_name_is_a_usage_error(store: WeightStore) -> None:
    with pytest.raises(ProtocolError) as caught:
        pull("plian", store=store)
    assert caught.value.exit_code == 2
    assert caught.value.hint == "Did you mean 'plain'?"


def test_a_second_source_is_tried_when_the_first_fails(
    store: WeightStore, server: Server, contents: Contents
) -> None:
    plain = store.table["plain"]
    other = ReleaseAsset(url=f"{server.base}/elsewhere/any-name.bin")
    mirrored = WeightStore(table={"plain": replace(plain, mirrors=(other,))}, places=store.places)
    with pytest.raises(PullFailed) as caught:
        pull("plain", store=mirrored)
    rows = str(caught.value).splitlines()[1:]
    assert [row.split(": ")[0].strip() for row in rows] == [str(plain.source), other.url]
    server.files["/elsewhere/any-name.bin"] = contents.plain[:-1] + b"!"
    with pytest.raises(PullFailed, match="its sha256 is"):
        pull("plain", store=mirrored)
    server.files["/elsewhere/any-name.bin"] = contents.plain
    pulled = pull("plain", store=mirrored)
    assert pulled.found.path.read_bytes() == contents.plain
    assert server.gets("/plain.pth") == [None] * 3


def test_a_mirror_needs_a_full_hash(store: WeightStore) -> None:
    with pytest.raises(ValueError, match="only a full sha256"):
        replace(store.table["plain"], sha256="0cc3c7bd", mirrors=(ReleaseAsset(url="http://a/b"),))


def test_a_web_page_is_not_written_as_a_weight(
    store: WeightStore, server: Server, contents: Contents
) -> None:
    server.files["/plain.pth"] = b"<html>Sign in</html>"
    server.types["/plain.pth"] = "text/html; charset=utf-8"
    with pytest.raises(PullFailed, match="a web page came instead"):
        pull("plain", store=store)
    assert not part_of(store, "plain.pth").exists()
    del server.types["/plain.pth"]
    server.files["/plain.pth"] = contents.plain
    assert pull("plain", store=store).action == "downloaded"


def test_a_file_of_a_folder_that_is_not_the_stated_one_is_refused(store: WeightStore, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"tensors")
    entry = WeightFile(
        name="model",
        used_by=(),
        source=HubFolder(repository="a/b", revision="0" * 40),
        file_name="model",
        licence="",
        file_hashes={"model.safetensors": hashlib.sha256(b"tensors").hexdigest()},
    )
    assert isinstance(store.check(entry, folder, "here"), Found)
    (folder / "model.safetensors").write_bytes(b"other tensors")
    outcome = store.check(entry, folder, "here")
    assert isinstance(outcome, Rejected)
    assert "sha256 of model.safetensors" in outcome.reason
