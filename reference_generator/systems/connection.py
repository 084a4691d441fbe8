"""Requests to a server that may be down, busy, slow or hostile."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from ipvg_eval.core.printable import printable
from ipvg_eval.reference_generator.errors import GeneratorError, SystemFailed, SystemUnusable
from ipvg_eval.reference_generator.redaction import redacted
from ipvg_eval.reference_generator.system_settings import HttpSettings
from ipvg_eval.reference_generator.systems.templates import environment_names, filled

_LARGEST_ANSWER = 4 * 2**20
_LONGEST_WAIT = 300.0
_MOST_REDIRECTS = 5
_TRY_AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
_UNCERTAIN = frozenset({408, 409, 500, 502, 504})
"""After these, an order may have been taken all the same."""

_KEY_REFUSED = frozenset({401, 403})
_GONE = frozenset({404, 410})
_DETAIL = 300


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a server said, read in full and bounded."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        """Whether it did what was asked."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """Its body. Raises ValueError where that is no JSON."""
        return json.loads(self.body)


class UnknownToServer(SystemFailed):
    """The server knows nothing at this path."""


class NotSent(Exception):
    """An order certainly was not taken.

    Attributes:
        cause: why, for whoever reads it.
    """

    def __init__(self, cause: GeneratorError) -> None:
        super().__init__(str(cause))
        self.cause = cause


class Connection:
    """Sends requests, again after a pause where that may help. Secrets never stand in what it says.

    Args:
        settings: address, headers, time limit and attempts.
        stopped: set when the run ends, which ends every pause.
    """

    def __init__(self, settings: HttpSettings, *, stopped: threading.Event) -> None:
        self._settings = settings
        self._stopped = stopped
        self._reached = False
        self._base = str(filled(settings.base_url, {})).rstrip("/")
        self._secrets = environment_names(settings.model_dump())
        self._headers = {name: str(filled(value, {})) for name, value in settings.headers.items() if value}
        self._client = httpx.Client(timeout=settings.request_timeout, follow_redirects=False)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def shown(self, text: str) -> str:
        """The text without secrets."""
        return redacted(text, self._secrets)

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        files: Mapping[str, Path] | None = None,
        headers: Mapping[str, str] | None = None,
        safe_to_repeat: bool,
    ) -> Any:
        """The server's answer to a request, from JSON.

        Args:
            method: of the request.
            path: below the server's address.
            body: fields to send.
            files: files to send with them, as a form.
            headers: beside those of the settings.
            safe_to_repeat: whether the request may be sent again where it is not known if it arrived.

        Raises:
            NotSent: an order (a request that is not safe to repeat) certainly was not taken.
            SystemFailed: no usable answer; an order may have been taken.
            SystemUnusable: no request can succeed.
        """

        def send() -> Answer:
            with ExitStack() as stack:
                how: dict[str, Any] = {"headers": {**self._headers, **(headers or {})}}
                if files:
                    how["data"] = {name: _form_value(value) for name, value in (body or {}).items()}
                    how["files"] = {
                        name: stack.enter_context(path.open("rb")) for name, path in files.items()
                    }
                elif body is not None:
                    how["json"] = body
                request = self._client.build_request(method, self._base + path, **how)
                answer = self._client.send(request, stream=True)
                stack.callback(answer.close)
                return _read(answer)

        answer = self._repeated(send, order=method == "POST", safe_to_repeat=safe_to_repeat)
        try:
            return answer.json()
        except ValueError as error:
            raise SystemFailed(self.shown(f"the server's answer to {method} {path} is no JSON")) from error

    def download(self, address: str, out: Path, *, most: int) -> None:
        """Read a file of at most `most` bytes. Headers with keys go to the server's own address alone.

        Raises:
            SystemFailed: it cannot be read, is cut off or too large.
            SystemUnusable: the server refuses the key.
        """
        whole = address if "://" in address else self._base + "/" + address.lstrip("/")

        def fetch() -> Answer:
            place = whole
            for _ in range(_MOST_REDIRECTS):
                if urlsplit(place).scheme not in ("http", "https"):
                    raise SystemFailed("the video's address is none of http or https")
                own = _origin(place) == _origin(self._base)
                with self._client.stream("GET", place, headers=self._headers if own else {}) as answer:
                    if answer.is_redirect:
                        place = urljoin(place, answer.headers.get("location", ""))
                        continue
                    if not answer.is_success:
                        return _read(answer)
                    _save(answer, out, most)
                    return Answer(status=answer.status_code, headers={}, body=b"")
            raise SystemFailed("the video's address leads from one place to the next without end")

        self._repeated(fetch, order=False, safe_to_repeat=True)

    def _repeated(self, send: Callable[[], Answer], *, order: bool, safe_to_repeat: bool) -> Answer:
        problem: GeneratorError = SystemFailed("the server was not asked")
        certain = True  # that no order was taken
        for attempt in range(self._settings.attempts):
            pause = min(self._settings.poll_seconds * 2**attempt, _LONGEST_WAIT)
            try:
                answer = send()
            except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
                raise SystemUnusable(
                    self.shown(f"the server's address is not usable ({error})"), hint="Check http.base_url."
                ) from error
            except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
                problem = self._unreachable(error)
            except httpx.HTTPError as error:
                problem = SystemFailed(self.shown(f"the connection to the server broke ({_said(error)})"))
                certain = False
                if not safe_to_repeat:
                    break
            else:
                self._reached = True
                if answer.is_success:
                    return answer
                certain = certain and answer.status not in _UNCERTAIN
                problem = self._refusal(answer)
                if answer.status not in _TRY_AGAIN or not (certain or safe_to_repeat):
                    break
                pause = _wanted_pause(answer, pause)
            if attempt + 1 < self._settings.attempts and self._stopped.wait(pause):
                problem = SystemUnusable("the run was ended while the server was asked")
                break
        if order and certain:
            raise NotSent(problem)
        raise problem

    def _unreachable(self, error: httpx.HTTPError) -> GeneratorError:
        message = self.shown(f"the server cannot be reached ({_said(error)})")
        if self._reached:
            return SystemFailed(message)
        return SystemUnusable(message, hint="Check http.base_url, and that the server runs.")

    def _refusal(self, answer: Answer) -> GeneratorError:
        detail = printable(self.shown(_detail(answer)), longest=_DETAIL)
        status = answer.status
        if status in _KEY_REFUSED:
            names = ", ".join(f"${name}" for name in sorted(self._secrets)) or "http.headers"
            return SystemUnusable(
                f"the server refuses the key (status {status}{detail})", hint=f"Check {names}."
            )
        if status in _GONE:
            return UnknownToServer(f"the server answered with status {status}{detail}")
        return SystemFailed(f"the server answered with status {status}{detail}")


def place_in(answer: Any, place: str) -> Any:
    """What stands at "a.b.0" of an answer; None where nothing does."""
    for part in place.split("."):
        if isinstance(answer, Mapping):
            answer = answer.get(part)
        elif isinstance(answer, list) and part.isdigit() and int(part) < len(answer):
            answer = answer[int(part)]
        else:
            return None
    return answer


def _read(answer: httpx.Response) -> Answer:
    read = bytearray()
    for chunk in answer.iter_bytes():
        read += chunk
        if len(read) > _LARGEST_ANSWER:
            raise SystemFailed("the server's answer is too large")
    return Answer(status=answer.status_code, headers=answer.headers, body=bytes(read))


def _save(answer: httpx.Response, out: Path, most: int) -> None:
    size = 0
    with out.open("wb") as file:
        for chunk in answer.iter_bytes(1 << 16):
            size += len(chunk)
            if size > most:
                raise SystemFailed(
                    f"the video has more than {most / 1e6:g} MB, which http.max_megabytes does not allow"
                )
            file.write(chunk)


def _origin(address: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(address)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname, port


def _form_value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__


def _detail(answer: Answer) -> str:
    try:
        found = answer.json()
    except ValueError:
        return ""
    error = found.get("error") if isinstance(found, dict) else None
    message = error.get("message") if isinstance(error, dict) else error
    return f": {message}" if isinstance(message, str) else ""


def _wanted_pause(answer: Answer, pause: float) -> float:
    wanted = answer.headers.get("retry-after", "")
    return min(float(wanted), _LONGEST_WAIT) if wanted.replace(".", "", 1).isdecimal() else pause
