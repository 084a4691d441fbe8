"""Connections that end when nothing comes over them. Needs the `study` extra."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_SECONDS = 10.0
"""From the first byte, or from the connection, to the end of a request's header."""
WRITE_SECONDS = 30.0
"""Without any progress of an answer that is being sent."""
MOST_CONNECTIONS = 512


class PatientProtocol(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, with an end to waiting.

    uvicorn ends idle connections after an answer; this one ends those that never send a whole header, and
    those that never take their answer. Where there are too many, the one that has waited longest has to go.
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._request: asyncio.TimerHandle | None = None
        self._write: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A connection is open; its first request is due."""
        super().connection_made(transport)
        self._expect_request()
        if len(self.connections) > MOST_CONNECTIONS:
            waiting = [
                (other._request.when(), id(other), other)
                for other in self.connections
                if isinstance(other, PatientProtocol) and other._request is not None
            ]
            min(waiting)[2].transport.abort()

    def data_received(self, data: bytes) -> None:
        """Bytes came; the time runs on until they are a whole header."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._cancel_request()
        elif self._request is None:
            self._expect_request()

    def pause_writing(self) -> None:
        """The other side takes nothing more for now."""
        super().pause_writing()
        self._write = self.loop.call_later(WRITE_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """The other side goes on."""
        super().resume_writing()
        self._cancel_write()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed."""
        self._cancel_request()
        self._cancel_write()
        super().connection_lost(exc)

    def _expect_request(self) -> None:
        self._request = self.loop.call_later(REQUEST_SECONDS, self.transport.abort)

    def _cancel_request(self) -> None:
        if self._request is not None:
            self._request.cancel()
            self._request = None

    def _cancel_write(self) -> None:
        if self._write is not None:
            self._write.cancel()
            self._write = None
