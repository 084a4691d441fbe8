"""Running the viewer until it is interrupted."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

from ipvg_eval.core.errors import IpvgError, Unavailable, UsageError
from ipvg_eval.leaderboard.study.serve import LOOPBACK, server_settings
from ipvg_eval.viewer.material import Material
from ipvg_eval.viewer.site import Site

_PATIENCE = 2.0
"""Seconds after which a run that is being written is looked at again, at the earliest."""


class Current:
    """The pages as they are now: read again where a run that is still being written has grown."""

    def __init__(self, gather: Callable[[], Material]) -> None:
        self._gather = gather
        self._lock = threading.Lock()
        self._site = Site(gather()).prepare()
        self._state = self._seen()
        self._looked = time.monotonic()

    def __call__(self) -> Site:
        """The pages; those of before where the run cannot be read just now."""
        if self._site.material.live and time.monotonic() - self._looked > _PATIENCE:
            with self._lock:
                self._look()
        return self._site

    def _look(self) -> None:
        self._looked = time.monotonic()
        state = self._seen()
        if state != self._state:
            with contextlib.suppress(IpvgError):  # half of it is written: there is a next time
                self._site = Site(self._gather()).prepare()
                self._state = state

    def _seen(self) -> list[tuple[int, int]]:
        """What changes when a run grows."""
        folders = [side.run.folder.path for side in self._site.material.sides]
        return [_stamp(path / name) for path in folders for name in ("run.json", "journal.jsonl")]


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_size


def serve(
    gather: Callable[[], Material], *, port: int, ready: Callable[[str, Material], None] = lambda *_: None
) -> None:
    """Serve the pages to this machine until interrupted.

    Args:
        gather: reads what is shown.
        port: where to listen; any free one for 0.
        ready: told the page's address, which has a token in it, and what is shown.

    Raises:
        UsageError: the port is taken.
        Unavailable: the packages of the `study` extra are missing.
        IpvgError: a run cannot be read.
    """
    try:
        import uvicorn

        from ipvg_eval.viewer.server import application, new_token

        settings = server_settings()
    except ModuleNotFoundError as error:
        raise Unavailable(
            f"the package {error.name!r} is missing",
            hint='Install it: pip install "ipvg-eval[study]". Or write the pages with --export DIR.',
        ) from error
    current = Current(gather)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except OSError as error:
            raise UsageError(
                f"port {port} cannot be listened on ({error.strerror})", hint="Choose another with --port."
            ) from error
        port = listener.getsockname()[1]
        token = new_token()
        app = application(current, token, port)
        ready(f"http://{LOOPBACK}:{port}/{token}/", current().material)
        uvicorn.Server(uvicorn.Config(app, **settings)).run(sockets=[listener])
