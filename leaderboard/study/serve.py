"""Running the web application."""

from __future__ import annotations

from typing import Any

from ipvg_eval.leaderboard.study.errors import StudyError
from ipvg_eval.leaderboard.study.store import Study

LOOPBACK = "127.0.0.1"
UVICORN: dict[str, Any] = {
    "log_level": "warning",
    "access_log": False,
    "server_header": False,
    "lifespan": "off",
    "ws": "none",
}


def serve(study: Study, *, host: str = LOOPBACK, port: int = 8000, origin: str | None = None) -> None:
    """Serve a study until interrupted.

    Addresses are not logged, as they hold the annotators' tokens.

    Args:
        study: what to serve.
        host: address to listen on; this machine only by default.
        port: where to listen.
        origin: the address browsers know it by (https://study.example.org), where a proxy stands in front.

    Raises:
        StudyError: the packages of the `study` extra are missing.
    """
    try:
        import uvicorn

        from ipvg_eval.leaderboard.study.server import application
    except ModuleNotFoundError as error:
        raise StudyError(
            f"the package {error.name!r} is missing", hint='Install it: pip install "ipvg-eval[study]"'
        ) from error
    uvicorn.run(
        application(study, origin=origin),
        host=host,
        port=port,
        **UVICORN,
    )
