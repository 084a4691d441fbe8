"""Running the web application."""

from __future__ import annotations

from typing import Any

from ipvg_eval.leaderboard.study.errors import StudyError
from ipvg_eval.leaderboard.study.store import Study

LOOPBACK = "127.0.0.1"


def server_settings() -> dict[str, Any]:
    """How uvicorn serves a study. Addresses are not logged, as they hold the annotators' tokens."""
    from ipvg_eval.leaderboard.study.connections import MOST_CONNECTIONS, PatientProtocol

    return {
        "http": PatientProtocol,
        "limit_concurrency": MOST_CONNECTIONS + 1,
        "timeout_keep_alive": 5,
        "h11_max_incomplete_event_size": 16 * 1024,
        "log_level": "warning",
        "access_log": False,
        "server_header": False,
        "date_header": False,
        "lifespan": "off",
        "ws": "none",
    }


def serve(study: Study, *, host: str = LOOPBACK, port: int = 8000, origin: str | None = None) -> None:
    """Serve a study until interrupted.

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

        settings = server_settings()
    except ModuleNotFoundError as error:
        raise StudyError(
            f"the package {error.name!r} is missing", hint='Install it: pip install "ipvg-eval[study]"'
        ) from error
    uvicorn.run(application(study, origin=origin), host=host, port=port, **settings)
