"""Slow and idle connections end; over real sockets, on this machine, a few dozen at most."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from ipvg_eval.leaderboard.study import connections, guard

SHORT = 0.6
PATIENCE = 30.0


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """The limits, shortened; whether something ends is tested, not when."""
    monkeypatch.setattr(connections, "REQUEST_SECONDS", SHORT)
    monkeypatch.setattr(connections, "WRITE_SECONDS", SHORT)
    monkeypatch.setattr(guard, "BODY_SECONDS", SHORT)


@contextlib.contextmanager
def connected(port: int, sent: bytes = b"") -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        connection.sendall(sent)
        yield connection


def everything(connection: socket.socket) -> bytes:
    """What comes until the server closes; a connection that stays open is a time-out."""
    content = b""
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65536):
            content += part
    return content


def post(path: str, length: int, sent: bytes = b"") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nX-Study: 1\r\nContent-Type: application/json\r\n"
    return head.encode() + f"Content-Length: {length}\r\n\r\n".encode() + sent


@pytest.mark.parametrize(
    "sent", [b"", b"GET", b"GET / HTTP/1.1\r\nHost: x\r\n", b"POST /a/x/vote HTTP/1.1\r\n"]
)
def test_a_request_that_never_ends_is_ended(served, sent):
    walker, _, server, _ = served
    with connected(server.port, sent) as connection:
        assert everything(connection) == b""
    assert walker.client.get("/").status_code == 200


def trickle(connection: socket.socket) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        connection.sendall(b"X-A: 1\r\n")
        time.sleep(0.05)


def test_a_header_that_trickles_in_is_ended(served):
    _, _, server, _ = served
    with (
        connected(server.port, b"GET / HTTP/1.1\r\n") as connection,
        pytest.raises((BrokenPipeError, ConnectionResetError)),
    ):
        trickle(connection)


def test_a_second_request_that_never_ends_is_ended(served):
    _, _, server, _ = served
    with connected(server.port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HT") as connection:
        assert everything(connection).count(b"HTTP/1.1 200") == 1


@pytest.mark.parametrize("length", [100, 4000])
def test_a_slow_body_is_ended_with_408(served, length):
    walker, _, server, _ = served
    with connected(server.port, post(f"{walker.base}/vote", length, b'{"item":')) as connection:
        answer = everything(connection)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"connection: close" in answer.lower()


def test_an_answer_that_nobody_takes_is_ended(served, monkeypatch):
    walker, study, server, _ = served
    from ipvg_eval.leaderboard.study import session

    big = study.media / "big"
    big.write_bytes(bytes(32 * 2**20))  # more than sockets buffer
    monkeypatch.setattr(session, "media_file", lambda *_: ("big", "video/mp4"))
    request = f"GET {walker.base}/media/x HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    try:
        with connected(server.port, request) as connection:
            deadline = time.monotonic() + PATIENCE
            for waits in (True, False):  # it begins to wait for its reader, and ends
                while waits is not any(
                    each._write is not None for each in server.server.server_state.connections
                ):
                    assert time.monotonic() < deadline
                    time.sleep(0.01)
            assert len(everything(connection)) < 32 * 2**20
    finally:
        big.unlink()


def test_too_many_connections_push_out_those_that_wait_longest(served, monkeypatch):
    walker, _, server, _ = served
    monkeypatch.setattr(connections, "REQUEST_SECONDS", 60.0)
    monkeypatch.setattr(connections, "MOST_CONNECTIONS", 40)
    with contextlib.ExitStack() as stack:
        waiting = [stack.enter_context(connected(server.port, b"GET / HT")) for _ in range(60)]
        assert everything(waiting[0]) == b""  # pushed out, long before its time
        fresh = httpx.get(f"{server.url}{walker.base}/state", headers={"x-study": "1"})
        assert fresh.status_code == 200  # a person gets through
        waiting[-1].sendall(b"TP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert everything(waiting[-1]).startswith(b"HTTP/1.1 200")


def test_the_log_holds_no_token(make_study, serve_study):
    from ipvg_eval.leaderboard.study import invitation, new_annotators, open_study

    created = make_study(annotators=2, crowd=True)
    study = open_study(created.path)
    server = serve_study(created.path, process=True)
    client = server.client()
    token = new_annotators(study, 1)[0].token
    link = invitation(study, "someone")
    client.get(f"/a/{token}/state")
    client.post(f"/a/{token}/vote", content=b'{"item":NaN}')
    client.get(f"/a/{token}/nothing")
    client.get(f"/admin/{created.admin_secret}")
    joined = client.post(link).json()["link"]
    with connected(server.port, f"GET /a/{token} NONSENSE\r\n\r\n".encode()) as connection:
        everything(connection)
    with connected(server.port, post(f"/a/{token}/vote", 100)) as connection:
        connection.close()
    (created.path / "study.db").rename(created.path / "gone")
    assert client.get(f"/a/{token}/state").status_code == 500
    deadline = time.monotonic() + PATIENCE
    while "OperationalError" not in server.log.read_text():  # what went wrong is in the log
        assert time.monotonic() < deadline
        time.sleep(0.05)
    said = server.log.read_text()
    assert "Invalid HTTP request" in said
    for secret in (token, created.admin_secret, link.rpartition("/")[2], joined.rpartition("/")[2]):
        assert secret not in said
