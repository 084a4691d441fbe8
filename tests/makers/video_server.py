"""A server that makes videos to order, in the OpenAI form of /v1/videos; with ways to go wrong."""

from __future__ import annotations

import json
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from clip_program import clip

from ipvg_eval.reference_generator.video_file import write_mp4


@dataclass
class Order:
    """What was asked for, and with which headers."""

    fields: dict[str, Any]
    headers: Message
    asked: int = 0


@dataclass
class Behaviour:
    """What the server does, and what it has seen.

    Attributes:
        size: pixels, width and height.
        frames: of each video.
        fps: of each video.
        open_until: how many orders must have come before the first is done.
        states: what an order says of itself before it is done, one word per question.
        answers: statuses with which the next orders are refused, oldest first; 0 breaks the connection
            after the order was taken, -1 before.
        elsewhere: address that the video is fetched from instead.
        body: what refusals say.
        orders: the orders that were taken, by number.
        keys: values of Idempotency-Key that came.
        seen: every request, as method and path.
    """

    size: tuple[int, int] = (128, 128)
    frames: int = 17
    fps: float = 16
    open_until: int = 0
    states: tuple[str, ...] = ("queued",)
    answers: list[int] = field(default_factory=list)
    elsewhere: str = ""
    body: str = "not today"
    orders: dict[str, Order] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    seen: list[tuple[str, str, str | None]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


@contextmanager
def video_server(behaviour: Behaviour) -> Iterator[str]:
    """Runs while inside; gives the address up to and without /videos."""

    class Handler(_Handler):
        does = behaviour

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    does: Behaviour

    def log_message(self, *_: object) -> None:
        """Stay silent."""

    def do_POST(self) -> None:
        """Take an order."""
        data = self.rfile.read(int(self.headers["Content-Length"]))
        self._note()
        with self.does.lock:
            answer = self.does.answers.pop(0) if self.does.answers else 200
            if answer in (0, 200):
                number = str(len(self.does.orders) + 1)
                key = self.headers.get("Idempotency-Key")
                if key is not None:
                    self.does.keys.append(key)
                    number = f"k{key}"
                self.does.orders.setdefault(number, Order(_fields(self.headers, data), self.headers))
        if answer == 200:
            self._say(200, {"id": number, "status": "queued"})
        elif answer > 0:
            self._say(answer, {"error": {"message": self.does.body}})
        else:
            self.close_connection = True

    def do_GET(self) -> None:
        """Say how far an order is, or hand the video out."""
        self._note()
        number, content = re.fullmatch(r"/v1/videos/([^/]+)(/content)?", self.path).groups()  # type: ignore[union-attr]
        order = self.does.orders.get(number)
        if order is None:
            self._say(404, {"error": {"message": "no such order"}})
        elif content and self.does.elsewhere:
            self.send_response(302)
            self.send_header("Location", f"{self.does.elsewhere}/videos/{number}/content")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif content:
            self._video(order)
        elif order.asked >= len(self.does.states) and len(self.does.orders) >= self.does.open_until:
            self._say(200, {"id": number, "status": "completed"})
        else:
            state = self.does.states[min(order.asked, len(self.does.states) - 1)]
            order.asked += 1
            self._say(200, {"id": number, "status": state, "error": {"message": self.does.body}})

    def _note(self) -> None:
        with self.does.lock:
            self.does.seen.append((self.command, self.path, self.headers.get("Authorization")))

    def _say(self, status: int, what: dict[str, Any]) -> None:
        data = json.dumps(what).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        if status == 429:
            self.send_header("Retry-After", "0")
        self.end_headers()
        self.wfile.write(data)

    def _video(self, order: Order) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "video.mp4"
            seed = sum(order.fields["prompt"].encode())
            write_mp4(path, clip(seed, *self.does.size, self.does.frames), fps=self.does.fps)
            data = path.read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _fields(headers: Message, data: bytes) -> dict[str, Any]:
    kind = headers["Content-Type"]
    if kind == "application/json":
        found: dict[str, Any] = json.loads(data)
        return found
    form = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + data)
    parts: dict[str, Any] = {}
    for part in form.get_payload():
        assert isinstance(part, Message)
        name = part.get_param("name", header="content-disposition")
        payload = part.get_payload(decode=True)
        assert isinstance(name, str)
        assert isinstance(payload, bytes)
        parts[name] = payload if part.get_filename() else payload.decode()
    return parts
