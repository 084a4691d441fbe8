"""What is said where there is no cluster."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator

import pytest

from ipvg_eval.cluster import connection
from ipvg_eval.cluster.connection import connected
from ipvg_eval.core.errors import Unavailable, UsageError


@pytest.fixture
def port() -> Iterator[int]:
    """A port on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture
def answering() -> Iterator[int]:
    """A port on which something answers that is no cluster."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            caller, _ = server.accept()
            with caller:
                caller.recv(1024)
                caller.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


def _refused(address):
    with pytest.raises(Unavailable) as caught, connected(address):
        pass
    assert caught.value.exit_code == 3
    assert caught.value.hint
    return str(caught.value)


def test_nobody_listens(port):
    assert f"no Ray cluster at 127.0.0.1:{port}: Connection refused" in _refused(f"127.0.0.1:{port}")


def test_the_environments_cluster_is_gone(port, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{port}")
    assert f"no Ray cluster at 127.0.0.1:{port}" in _refused("auto")


def test_something_else_answers(answering):
    assert "something else than Ray" in _refused(f"127.0.0.1:{answering}")


def test_something_keeps_silent(monkeypatch):
    monkeypatch.setattr(connection, "_ANSWER_WITHIN", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert "no answer within 0.2 s" in _refused(f"127.0.0.1:{server.getsockname()[1]}")


def test_a_host_without_a_name():
    assert "no Ray cluster at nowhere.invalid:6379" in _refused("nowhere.invalid:6379")


@pytest.mark.parametrize(
    "address", ["", "head", "head:", "head:port", "head:0", "head:70000", "ray://head:10001"]
)
def test_addresses_that_are_none(address):
    with pytest.raises(UsageError, match="is not an address") as caught, connected(address):
        pass
    assert "HOST:PORT" in caught.value.hint


def test_ray_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert "package ray" in (text := _refused("local"))
    assert "cannot be imported" in text


def test_the_command_says_so_with_its_exit_codes(command, fixtures, port):
    words = [
        "score",
        fixtures / "submissions/careful",
        "--testset",
        fixtures / "testset",
        "--protocol",
        "lite",
    ]
    gone = command(*words, "--ray", f"127.0.0.1:{port}")
    assert (gone.returncode, gone.stdout) == (3, "")
    assert "no Ray cluster" in gone.stderr
    assert "Traceback" not in gone.stderr
    for wrong in (["--ray", "local", "--workers", "0"], ["--workers", "2"], ["--gpus-per-worker", "1"]):
        refused = command(*words, *wrong)
        assert (refused.returncode, refused.stdout) == (2, ""), refused.stderr
    assert "is for --ray" in refused.stderr
