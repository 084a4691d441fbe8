"""What every request and response of the server goes through."""

from __future__ import annotations

import time
from collections import deque
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_LIMIT = 4096
HEADER = "x-study"

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "media-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), display-capture=()",
    "x-robots-tag": "noindex, nofollow",
}


class Guard:
    """Security headers on every response; refuses foreign origins and large bodies.

    A request that changes something needs the header `x-study`, which no form and no foreign page can send,
    and an `Origin` that is the server's own where the browser names one.

    Args:
        app: what comes next.
        origin: the server's address as browsers see it, such as https://study.example.org; the Host header
            says it where None.
    """

    def __init__(self, app: ASGIApp, *, origin: str | None = None) -> None:
        self._app = app
        self._origin = origin.rstrip("/").lower() if origin else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        headers = Headers(scope=scope)
        if scope["method"] not in ("GET", "HEAD"):
            refusal = self._refusal(headers)
            if refusal is None:
                body = await _body(receive)
                refusal = "too large" if body is None else None
                receive = _replay(body or b"")
            if refusal is not None:
                status = 413 if refusal == "too large" else 403
                await JSONResponse({"error": refusal}, status)(scope, receive, with_headers)
                return
        await self._app(scope, receive, with_headers)

    def _refusal(self, headers: Headers) -> str | None:
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > BODY_LIMIT:
            return "too large"
        if HEADER not in headers:
            return "not sent by the study's page"
        if headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return "sent by another site"
        origin = headers.get("origin")
        if origin is None:
            return None
        if self._origin is not None:
            return None if origin.lower() == self._origin else "sent by another site"
        host = headers.get("host", "")
        return None if urlsplit(origin).netloc.lower() == host.lower() != "" else "sent by another site"


class WrongTokens:
    """How often each address tried a wrong token lately. Right tokens are never held up."""

    def __init__(self, *, allowed: int = 30, seconds: float = 60.0) -> None:
        self._allowed = allowed
        self._seconds = seconds
        self._tries: dict[str, deque[float]] = {}

    def too_many(self, address: str) -> bool:
        """Note a wrong token; True if there were more than allowed."""
        now = time.monotonic()
        if len(self._tries) > 10_000:
            self._tries.clear()
        tries = self._tries.setdefault(address, deque(maxlen=self._allowed + 1))
        tries.append(now)
        return len(tries) > self._allowed and now - tries[0] < self._seconds


async def _body(receive: Receive) -> bytes | None:
    """The whole body; None if it is longer than allowed, whatever its header says."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return bytes(body)
        body += message.get("body", b"")
        if len(body) > BODY_LIMIT:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def _replay(body: bytes) -> Receive:
    sent = False

    async def receive() -> Message:
        nonlocal sent
        if sent:
            return {"type": "http.disconnect"}
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
