"""The web application. Needs the `study` extra."""

from __future__ import annotations

import os
import string
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, PackageLoader
from pydantic import BaseModel, ConfigDict, Field

from ipvg_eval.core.page.assets import seen
from ipvg_eval.leaderboard.study import session
from ipvg_eval.leaderboard.study.annotators import invited, join
from ipvg_eval.leaderboard.study.guard import Guard
from ipvg_eval.leaderboard.study.guessing import Guesses
from ipvg_eval.leaderboard.study.kinds import Side
from ipvg_eval.leaderboard.study.overview import Overview, overview
from ipvg_eval.leaderboard.study.secret import matches
from ipvg_eval.leaderboard.study.session import Annotator, NotInStudy, Refused
from ipvg_eval.leaderboard.study.store import Study

_PACKAGE = "ipvg_eval.leaderboard.study"
_Found = TypeVar("_Found")


class _Check(Protocol):
    def __call__(self, request: Request, secret: str, look_up: Callable[[], _Found | None]) -> _Found: ...


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    item: int = Field(ge=1, le=2**53)


class _Watched(_Body):
    side: Side


class _Undo(_Body):
    question: str = Field(max_length=40)


class _Vote(_Undo):
    answer: str = Field(max_length=5)


class _Unknown(Exception):
    """A token, secret or file that is not there."""


class _TooMany(Exception):
    """A secret that is not looked up, as too many from the same address were wrong."""


class _Media(FileResponse):
    """A file, or a range of it, of which nothing but its content is told: no time and no tag."""

    def set_stat_headers(self, stat_result: os.stat_result) -> None:
        self.headers["content-length"] = str(stat_result.st_size)

    def _should_use_range(self, _if_range: str) -> bool:
        return False


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
    check = _checker(Guesses())
    _handle_errors(app, pages)
    _annotator_routes(app, study, pages, check)
    _join_routes(app, study, pages, check)
    _other_routes(app, study, pages, check)
    app.mount("/static", StaticFiles(packages=[(_PACKAGE, "static")]))
    return Guard(app, origin=origin)


def _checker(guesses: Guesses) -> _Check:
    """Looks a secret up, unless its sender has guessed too much."""

    def check(request: Request, secret: str, look_up: Callable[[], _Found | None]) -> _Found:
        address = request.client.host if request.client else ""
        if not guesses.allowed(address, secret):
            raise _TooMany
        found = look_up()
        if found is None:
            raise _Unknown
        guesses.right(address, secret)
        return found

    return check


def _handle_errors(app: FastAPI, pages: Environment) -> None:
    @app.exception_handler(Refused)
    def refused(_request: Request, error: Refused) -> Response:
        return JSONResponse({"error": error.message, "wait": error.wait}, 409)

    @app.exception_handler(RequestValidationError)
    @app.exception_handler(NotInStudy)
    def not_understood(_request: Request, _error: Exception) -> Response:
        return JSONResponse({"error": "not understood"}, 400)

    @app.exception_handler(_Unknown)
    def unknown(_request: Request, _error: _Unknown) -> Response:
        return _notice(pages, "This link does not work", "Check that you copied all of it.", 404)

    @app.exception_handler(_TooMany)
    def too_many(_request: Request, _error: _TooMany) -> Response:
        text = "Too many links from your network did not work. Try again in a minute."
        answer = _notice(pages, "Please wait", text, 429)
        answer.headers["retry-after"] = "60"
        return answer

    @app.exception_handler(404)
    def not_found(_request: Request, _error: Exception) -> Response:
        return _notice(pages, "Nothing here", "Open the link that you were given.", 404)


def _annotator_routes(app: FastAPI, study: Study, pages: Environment, check: _Check) -> None:
    def known(request: Request, token: str) -> Annotator:
        return check(request, token, lambda: session.annotator_of(study, token))

    @app.get("/a/{token}")
    def page(request: Request, token: str) -> Response:
        if known(request, token).released:
            return _notice(pages, "This place was given to somebody else", "Thank you for your answers.", 410)
        config = study.config
        paragraphs = [part for part in config.instructions.split("\n\n") if part.strip()]
        return _html(pages, "annotate.html", study=config, shown=config.shown, instructions=paragraphs)

    @app.get("/a/{token}/state")
    def state(request: Request, token: str) -> dict[str, Any]:
        return session.state(study, known(request, token))

    @app.post("/a/{token}/watched")
    def watched(request: Request, token: str, body: _Watched) -> dict[str, Any]:
        return session.watched(study, known(request, token), body.item, body.side)

    @app.post("/a/{token}/vote")
    def vote(request: Request, token: str, body: _Vote) -> dict[str, Any]:
        return session.vote(study, known(request, token), body.item, body.question, body.answer)

    @app.post("/a/{token}/undo")
    def undo(request: Request, token: str, body: _Undo) -> dict[str, Any]:
        return session.undo(study, known(request, token), body.item, body.question)

    @app.get("/a/{token}/media/{name}")
    def media(request: Request, token: str, name: str) -> Response:
        found = session.media_file(study, known(request, token), name)
        if found is None:
            raise _Unknown
        file, content_type = found
        return _Media(study.media / file, media_type=content_type)


def _join_routes(app: FastAPI, study: Study, pages: Environment, check: _Check) -> None:
    def known(request: Request, pid: str, signed: str) -> str:
        right = study.config.crowd and invited(study, pid, signed)
        return check(request, f"{pid}/{signed}", lambda: pid if right else None)

    # Looking at a link takes no sheet: mail programs and messengers do it unasked.
    @app.get("/join/{pid}/{signed}")
    def door(request: Request, pid: str, signed: str) -> Response:
        known(request, pid, signed)
        return _html(pages, "join.html", title=study.config.title, shown=study.config.shown)

    @app.post("/join/{pid}/{signed}")
    def joining(request: Request, pid: str, signed: str) -> Response:
        annotator = join(study, known(request, pid, signed))
        if annotator is None:
            return JSONResponse(
                {"error": "The study is complete. Thank you, no more answers are needed."}, 409
            )
        return JSONResponse({"link": f"/a/{annotator.token}"})


def _other_routes(app: FastAPI, study: Study, pages: Environment, check: _Check) -> None:
    @app.get("/")
    def root() -> Response:
        return _notice(pages, study.config.title, "Open the link that you were given.", 200)

    @app.get("/admin/{secret}")
    def admin(request: Request, secret: str) -> Response:
        check(request, secret, lambda: True if matches(secret, study.admin_hash) else None)
        seen = overview(study)
        return _html(pages, "admin.html", study=seen, letters=_letters(seen), crowd=study.config.crowd)


def _letters(seen: Overview) -> Callable[[tuple[str, ...]], str]:
    """Teams as letters: nothing the server sends says a team's name, this page included."""
    teams = sorted({team for part in seen.coverage for team in part.teams})
    names = string.ascii_uppercase
    letters = {team: names[n] if n < len(names) else f"{n + 1}" for n, team in enumerate(teams)}
    return lambda shown: " – ".join(letters[team] for team in shown)


def _html(pages: Environment, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    return HTMLResponse(pages.get_template(template).render(**values), status)


def _notice(pages: Environment, title: str, text: str, status: int) -> HTMLResponse:
    return _html(pages, "notice.html", status=status, title=title, text=text)
