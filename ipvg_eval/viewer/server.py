"""Serving the pages on this machine alone. Needs the `study` extra."""

from __future__ import annotations

import gzip
import re
import secrets
from collections.abc import Callable, Iterator

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ipvg_eval.core.errors import IpvgError
from ipvg_eval.leaderboard.study.guard import Guard
from ipvg_eval.viewer.site import Content, Site

_PIECE = 1 << 18
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_PACKED = ("text/html", "text/css", "text/javascript")
_HOSTS = ("127.0.0.1", "localhost", "[::1]")


def new_token() -> str:
    """The part of the address that nobody can guess."""
    return secrets.token_urlsafe(16)


def application(current: Callable[[], Site], token: str, port: int) -> ASGIApp:
    """The viewer's web application.

    Args:
        current: the pages as they are now.
        token: first part of every address that is answered.
        port: on which it is reached.
    """

    async def answer(request: Request) -> Response:
        if not secrets.compare_digest(request.path_params["token"].encode(), token.encode()):
            return _nothing()
        address = request.path_params["address"]
        try:
            content = await run_in_threadpool(lambda: current().content(address))
        except IpvgError as error:
            return PlainTextResponse(error.message, 500)
        return _nothing() if content is None else await run_in_threadpool(lambda: _sent(content, request))

    app = Starlette(routes=[Route("/{token}/{address:path}", answer, methods=["GET"])])
    app.router.redirect_slashes = False  # that would tell which addresses there are
    return LocalOnly(Guard(app), port)


class LocalOnly:
    """Refuses whatever does not come from this machine's browser looking at this very page.

    Another site's page may make a browser ask, under this address or under a name of its own that it lets
    point here: it is refused by the Host header, or by what browsers say of where a request comes from. A
    link that somebody clicks is followed.

    Args:
        app: what comes next.
        port: on which it is reached.
    """

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app = app
        self._hosts = {f"{host}:{port}" for host in _HOSTS}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http" and (refusal := self._refusal(scope["method"], Headers(scope=scope))):
            status, words = refusal
            await PlainTextResponse(words, status, {"connection": "close"})(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _refusal(self, method: str, headers: Headers) -> tuple[int, str] | None:
        if method not in ("GET", "HEAD"):
            return 405, "nothing can be changed here"
        if headers.get("host", "").lower() not in self._hosts:
            return 403, "asked under another name"
        ours = headers.get("sec-fetch-site", "none") in ("same-origin", "none")
        visit = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
        return None if ours or visit else (403, "asked by another site")


def _nothing() -> Response:
    return PlainTextResponse("nothing here", 404)


def _sent(content: Content, request: Request) -> Response:
    """The content, packed where that helps, or the range of it that was asked for."""
    headers = {"content-type": content.media_type}
    if content.media_type.partition(";")[0] in _PACKED and "gzip" in request.headers.get(
        "accept-encoding", ""
    ):
        with content.open() as stream:
            packed = gzip.compress(stream.read(), compresslevel=5)
        return Response(packed, headers=headers | {"content-encoding": "gzip", "vary": "accept-encoding"})
    headers["accept-ranges"] = "bytes"
    asked = request.headers.get("range")
    if asked is None:
        headers["content-length"] = str(content.size)
        return StreamingResponse(_pieces(content, 0, content.size), headers=headers)
    span = _span(asked, content.size)
    if span is None:
        return Response(status_code=416, headers={"content-range": f"bytes */{content.size}"})
    start, end = span
    headers |= {
        "content-length": str(end - start),
        "content-range": f"bytes {start}-{end - 1}/{content.size}",
    }
    return StreamingResponse(_pieces(content, start, end), 206, headers=headers)


def _span(asked: str, size: int) -> tuple[int, int] | None:
    """First byte and the one after the last of a range header; None where there is no such range."""
    match = _RANGE.fullmatch(asked.strip())
    if match is None:
        return None
    first, last = match.groups()
    if first:
        start, end = int(first), min(size, int(last) + 1 if last else size)
    elif last:
        start, end = max(0, size - int(last)), size
    else:
        return None
    return (start, end) if start < end else None


def _pieces(content: Content, start: int, end: int) -> Iterator[bytes]:
    with content.open() as stream:
        stream.seek(start)
        left = end - start
        while left > 0 and (piece := stream.read(min(_PIECE, left))):
            left -= len(piece)
            yield piece
