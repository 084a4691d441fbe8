"""The web application. Needs the `study` extra."""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Any, Literal

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, PackageLoader
from pydantic import BaseModel, ConfigDict, Field

from ipvg_eval.core.page.assets import seen
from ipvg_eval.leaderboard.study import session
from ipvg_eval.leaderboard.study.annotators import join
from ipvg_eval.leaderboard.study.errors import StudyError
from ipvg_eval.leaderboard.study.guard import Guard, WrongTokens
from ipvg_eval.leaderboard.study.overview import Overview, overview
from ipvg_eval.leaderboard.study.secret import matches
from ipvg_eval.leaderboard.study.session import Annotator, Refused
from ipvg_eval.leaderboard.study.store import Study

_PACKAGE = "ipvg_eval.leaderboard.study"


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    item: int = Field(ge=1, le=2**53)


class _Watched(_Body):
    side: Literal["left", "right"]


class _Undo(_Body):
    question: str = Field(max_length=40)


class _Vote(_Undo):
    answer: Literal["left", "right", "draw"]


class _Unknown(Exception):
    """A token, secret or file that is not there."""


def application(study: Study, *, origin: str | None = None) -> Guard:
    """The study's web application.

    Args:
        study: what to show.
        origin: the address browsers know it by, where a proxy changes the Host header.
    """
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    pages = Environment(
        loader=PackageLoader(_PACKAGE), autoescape=True, trim_blocks=True, lstrip_blocks=True, finalize=seen
    )
    _handle_errors(app, pages)
    _annotator_routes(app, study, pages)
    _other_routes(app, study, pages)
    app.mount("/static", StaticFiles(packages=[(_PACKAGE, "static")]))
    return Guard(app, origin=origin)


def _handle_errors(app: FastAPI, pages: Environment) -> None:
    wrong = WrongTokens()

    @app.exception_handler(Refused)
    def refused(_request: Request, error: Refused) -> Response:
        return JSONResponse({"error": error.message, "wait": error.wait}, 409)

    @app.exception_handler(_Unknown)
    def unknown(request: Request, _error: _Unknown) -> Response:
        address = request.client.host if request.client else ""
        status = 429 if wrong.too_many(address) else 404
        return _notice(pages, "This link does not work", "Check that you copied all of it.", status)

    @app.exception_handler(404)
    def not_found(_request: Request, _error: Exception) -> Response:
        return _notice(pages, "Nothing here", "Open the link that you were given.", 404)


def _annotator_routes(app: FastAPI, study: Study, pages: Environment) -> None:
    def known(token: str) -> Annotator:
        annotator = session.annotator_of(study, token)
        if annotator is None:
            raise _Unknown
        return annotator

    @app.get("/a/{token}")
    def page(token: str) -> Response:
        if known(token).released:
            return _notice(pages, "This place was given to somebody else", "Thank you for your answers.", 410)
        config = study.config
        paragraphs = [part for part in config.instructions.split("\n\n") if part.strip()]
        return _html(pages, "annotate.html", title=config.title, instructions=paragraphs)

    @app.get("/a/{token}/state")
    def state(token: str) -> dict[str, Any]:
        return session.state(study, known(token))

    @app.post("/a/{token}/watched")
    def watched(token: str, body: _Watched) -> dict[str, Any]:
        return session.watched(study, known(token), body.item, body.side)

    @app.post("/a/{token}/vote")
    def vote(token: str, body: _Vote) -> dict[str, Any]:
        return session.vote(study, known(token), body.item, body.question, body.answer)

    @app.post("/a/{token}/undo")
    def undo(token: str, body: _Undo) -> dict[str, Any]:
        return session.undo(study, known(token), body.item, body.question)

    @app.get("/a/{token}/media/{name}")
    def media(token: str, name: str) -> Response:
        content_type = session.media_type(study, known(token), name)
        if content_type is None:
            raise _Unknown
        caching = {"cache-control": "private, max-age=3600"}
        return FileResponse(study.media / name, media_type=content_type, headers=caching)


def _other_routes(app: FastAPI, study: Study, pages: Environment) -> None:
    @app.get("/")
    def root() -> Response:
        return _notice(pages, study.config.title, "Open the link that you were given.", 200)

    @app.get("/join/{secret}")
    def joining(secret: str, pid: str = "") -> Response:
        if not study.config.crowd or not matches(secret, study.join_hash):
            raise _Unknown
        try:
            annotator = join(study, pid)
        except StudyError as error:
            return _notice(pages, "This link is not complete", f"{error}.".capitalize(), 400)
        if annotator is None:
            return _notice(pages, "The study is complete", "Thank you, no more answers are needed.", 200)
        return RedirectResponse(f"/a/{annotator.token}", 303)

    @app.get("/admin/{secret}")
    def admin(secret: str) -> Response:
        if not matches(secret, study.admin_hash):
            raise _Unknown
        seen = overview(study)
        return _html(pages, "admin.html", study=seen, letter=_letters(seen), crowd=study.config.crowd)


def _letters(seen: Overview) -> Callable[[str], str]:
    """Teams as letters: nothing the server sends says a team's name, this page included."""
    teams = sorted({team for pair in seen.coverage for team in (pair.one, pair.other)})
    names = string.ascii_uppercase
    letters = {team: names[n] if n < len(names) else f"{n + 1}" for n, team in enumerate(teams)}
    return letters.__getitem__


def _html(pages: Environment, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    return HTMLResponse(pages.get_template(template).render(**values), status)


def _notice(pages: Environment, title: str, text: str, status: int) -> HTMLResponse:
    return _html(pages, "notice.html", status=status, title=title, text=text)
