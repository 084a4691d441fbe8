"""What every request and response of the server goes through."""

from __future__ import annotations

import asyncio
import json
import math
from typing import NoReturn
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_LIMIT = 4096
BODY_SECONDS = 10.0
HEADER = "x-study"

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "media-src 'self' blob:",
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


class _Refused(Exception):
    """A request that goes no further."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Guard:
    """Security headers on every response; refuses foreign origins, and large, slow and malformed bodies.

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

        if scope["method"] not in ("GET", "HEAD"):
            try:
                self._check(Headers(scope=scope))
                body = await _body(receive)
                _check_json(body)
            except _Refused as refusal:
                # What is left of the body is not waited for.
                answer = JSONResponse({"error": str(refusal)}, refusal.status, {"connection": "close"})
                await answer(scope, receive, with_headers)
                return
            receive = _replay(body)
        await self._app(scope, receive, with_headers)

    def _check(self, headers: Headers) -> None:
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()) or int(length[:9]) > BODY_LIMIT:
            raise _Refused(413, "too large")
        if HEADER not in headers:
            raise _Refused(403, "not sent by the study's page")
        foreign = _Refused(403, "sent by another site")
        if headers.get("sec-fetch-site", "same-origin") != "same-origin":
            raise foreign
        origin = headers.get("origin")
        if origin is None:
            return
        if self._origin is not None:
            if origin.lower() != self._origin:
                raise foreign
            return
        host = headers.get("host", "")
        try:
            named = urlsplit(origin).netloc
        except ValueError:
            named = ""
        if named.lower() != host.lower() or not host:
            raise foreign


async def _body(receive: Receive) -> bytes:
    """The whole body, whatever its header says of its length."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    return bytes(body)
                body += message.get("body", b"")
                if len(body) > BODY_LIMIT:
                    raise _Refused(413, "too large")
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError:
        raise _Refused(408, "too slow") from None


def _check_json(body: bytes) -> None:
    """Refuse what is no flat JSON by the letter: NaN, 1e400, half characters, nesting."""
    if not body:
        return
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_no_number, parse_float=_finite)
        json.dumps(value, ensure_ascii=False).encode("utf-8")
        if not isinstance(value, dict) or any(isinstance(part, dict | list) for part in value.values()):
            raise ValueError("nested")
    except (ValueError, RecursionError):
        raise _Refused(400, "not understood") from None


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _replay(body: bytes) -> Receive:
    sent = False

    async def receive() -> Message:
        nonlocal sent
        if sent:
            return {"type": "http.disconnect"}
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
