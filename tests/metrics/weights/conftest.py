"""A small table of weights, and a server on the loopback interface that serves them."""

from __future__ import annotations

import hashlib
import io
import json
import re
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from ipvg_eval.metrics.weight_file import ArchiveMember, HubFile, HubFolder, ReleaseAsset, WeightFile
from ipvg_eval.metrics.weights.places import Places
from ipvg_eval.metrics.weights.store import WeightStore

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def noise(size: int, seed: int) -> bytes:
    return np.random.default_rng(seed).integers(0, 256, size, dtype=np.uint8).tobytes()


@dataclass
class Server:
    """Files by path, and what was asked for.

    Attributes:
        files: body of each path.
        cut_after: close the connection after so many bytes of a body, once per entry, in order.
        ranges: whether Range headers are understood.
        etags: the ETag of a path, where it is not the body's sha256.
        types: the Content-Type of a path, where it has one.
        requests: (method, path, Range header) of every request.
    """

    base: str
    files: dict[str, bytes] = field(default_factory=dict)
    cut_after: list[int] = field(default_factory=list)
    ranges: bool = True
    etags: dict[str, str] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, str, str | None]] = field(default_factory=list)

    def gets(self, path: str) -> list[str | None]:
        """Range headers of the GET requests for a path."""
        return [given for method, asked, given in self.requests if method == "GET" and asked == path]


class _Handler(BaseHTTPRequestHandler):
    state: Server

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        asked = self.headers.get("Range")
        path = self.path.partition("?")[0]
        self.state.requests.append((self.command, path, asked))
        data = self.state.files.get(path)
        if data is None:
            self.send_error(404)
            return
        match = re.fullmatch(r"bytes=(\d+)-", asked or "") if self.state.ranges else None
        start = int(match[1]) if match else 0
        if match and start >= len(data):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(data)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if match else 200)
        if match:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(data) - start))
        # The two headers that the hub's client wants.
        self.send_header("ETag", f'"{self.state.etags.get(path) or sha256(data)}"')
        self.send_header("X-Repo-Commit", COMMIT)
        if path in self.state.types:
            self.send_header("Content-Type", self.state.types[path])
        self.end_headers()
        if not body:
            return
        if self.state.cut_after:
            self.wfile.write(data[start:][: self.state.cut_after.pop(0)])
            self.wfile.flush()
            self.close_connection = True
            self.connection.close()
        else:
            self.wfile.write(data[start:])


class _QuietServer(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Connections that a test breaks off are no news."""


@pytest.fixture
def server() -> Iterator[Server]:
    handler = type("Handler", (_Handler,), {})
    with _QuietServer(("127.0.0.1", 0), handler) as http:
        state = Server(base=f"http://127.0.0.1:{http.server_address[1]}")
        handler.state = state
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield state
        http.shutdown()
        thread.join()


PLAIN = noise(3_000_000, 1)
FIRST_MEMBER = noise(200_000, 2)
SECOND_MEMBER = noise(100_000, 3)
HUB_FILE = noise(50_000, 4)
MODEL = {
    "config.json": b"{}",
    "model.safetensors.index.json": json.dumps(
        {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    ).encode(),
    "model-1.safetensors": noise(40_000, 5),
    "model-2.safetensors": noise(30_000, 6),
    "merges.txt": b"a b\n",
}


def _archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        members = {"first": FIRST_MEMBER, "second": SECOND_MEMBER, "unwanted": b"not declared"}
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(f"pack/{name}.onnx"), data)  # with a fixed date
    return buffer.getvalue()


ARCHIVE = _archive()


def make_table(base: str) -> dict[str, WeightFile]:
    def member(name: str, data: bytes) -> WeightFile:
        source = ArchiveMember(
            url=f"{base}/pack.zip",
            member=f"{name}.onnx",
            archive_sha256=sha256(ARCHIVE),
            archive_size=len(ARCHIVE),
        )
        return WeightFile(
            name=name,
            used_by=("arc_score",),
            source=source,
            file_name=f"{name}.onnx",
            size=len(data),
            sha256=sha256(data),
            licence="research only",
            non_commercial=True,
        )

    entries = (
        WeightFile(
            name="plain",
            used_by=("face_fid",),
            source=ReleaseAsset(url=f"{base}/plain.pth"),
            file_name="plain.pth",
            size=len(PLAIN),
            sha256=sha256(PLAIN),
            licence="Apache-2.0",
        ),
        WeightFile(
            name="prefixed",
            used_by=("face_fid",),
            source=ReleaseAsset(url=f"{base}/prefixed.pth"),
            file_name="prefixed.pth",
            sha256=sha256(PLAIN)[:8],
            licence="BSD-3-Clause",
        ),
        member("first", FIRST_MEMBER),
        member("second", SECOND_MEMBER),
        WeightFile(
            name="hubfile",
            used_by=("motion_smoothness",),
            source=HubFile(repository="someone/thing", path="sub/thing.pth", revision=COMMIT),
            file_name="thing.pth",
            size=len(HUB_FILE),
            sha256=sha256(HUB_FILE),
            licence="CC-BY-NC-SA-4.0",
            non_commercial=True,
        ),
        WeightFile(
            name="model",
            used_by=("gme_score",),
            source=HubFolder(repository="someone/model", revision=COMMIT),
            file_name="the-model",
            licence="Apache-2.0",
        ),
    )
    return {entry.name: entry for entry in entries}


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees this machine's caches, proxies or settings."""
    for name in (
        "HF_HUB_OFFLINE",
        "TRANSFORMERS_OFFLINE",
        "HF_HUB_CACHE",
        "HUGGINGFACE_HUB_CACHE",
        "HF_HOME",
    ):
        monkeypatch.delenv(name, raising=False)
    for name in ("TORCH_HOME", "VBENCH_CACHE_DIR", "IPVG_WEIGHTS_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))


@pytest.fixture
def table(server: Server) -> dict[str, WeightFile]:
    return make_table(server.base)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(weights_dir=None, cache_dir=tmp_path / "cache", hub_cache=tmp_path / "hub")


@pytest.fixture
def store(table: dict[str, WeightFile], places: Places) -> WeightStore:
    return WeightStore(table, places)


@dataclass(frozen=True)
class Contents:
    """What the table declares."""

    plain: bytes = PLAIN
    first: bytes = FIRST_MEMBER
    second: bytes = SECOND_MEMBER
    hubfile: bytes = HUB_FILE
    archive: bytes = ARCHIVE
    commit: str = COMMIT
    model: dict[str, bytes] = field(default_factory=lambda: dict(MODEL))

    @staticmethod
    def sha256(data: bytes) -> str:
        return sha256(data)

    def write_model(self, folder: Path, *, sums: bool = False) -> Path:
        folder.mkdir(parents=True)
        for name, data in self.model.items():
            (folder / name).write_bytes(data)
        if sums:
            lines = [f"{sha256(data)}  {name}\n" for name, data in sorted(self.model.items())]
            (folder / "SHA256SUMS").write_text("".join(lines))
        return folder

    def table(self, base: str) -> dict[str, WeightFile]:
        return make_table(base)


@pytest.fixture
def contents() -> Contents:
    return Contents()
