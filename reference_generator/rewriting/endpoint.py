"""A language model behind an OpenAI-compatible address."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import httpx

from ipvg_eval.reference_generator.errors import RewriteFailed, RewriterUnusable
from ipvg_eval.reference_generator.rewriting.rewriter import Request, data_url
from ipvg_eval.reference_generator.settings import PromptSettings

_WAIT, _LONGEST_WAIT = 1.0, 60.0
_TRY_AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
_HOPELESS = {
    401: "the endpoint refuses the key",
    403: "the endpoint refuses the key",
    404: "the endpoint does not know this address or model",
}


class EndpointRewriter:
    """Asks /chat/completions, again after a pause where that may help.

    Args:
        settings: address, model, key's environment variable, time limit and attempts.
        sleep: waits so many seconds.
    """

    def __init__(self, settings: PromptSettings, *, sleep: Callable[[float], object] = time.sleep) -> None:
        self._settings = settings
        self._sleep = sleep
        self._reached = False
        key = os.environ.get(settings.key_variable)
        self._client = httpx.Client(
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=settings.timeout,
            follow_redirects=True,
        )
        self._address = settings.base_url.rstrip("/") + "/chat/completions"

    @property
    def name(self) -> str:
        """The model's name."""
        return f"endpoint {self._settings.model}"

    def rewrite(self, request: Request) -> str:
        """The model's answer. See `TextRewriter.rewrite`."""
        body = self._body(request)
        problem = ""
        for attempt in range(self._settings.attempts):
            pause = min(_WAIT * 2**attempt, _LONGEST_WAIT)
            try:
                answer = self._client.post(self._address, json=body)
            except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
                raise self._unusable(f"the endpoint's address is not usable ({error})") from error
            except httpx.TimeoutException:
                problem = f"no answer within {self._settings.timeout:g} s"
            except httpx.TransportError as error:
                problem = f"no connection ({error})"
            else:
                self._reached = True
                if answer.status_code in _HOPELESS:
                    raise self._unusable(_HOPELESS[answer.status_code] + _detail(answer))
                if answer.is_success:
                    return _text(answer)
                problem = f"status {answer.status_code}{_detail(answer)}"
                if answer.status_code not in _TRY_AGAIN:
                    break
                pause = _wanted_pause(answer, pause)
            if attempt + 1 < self._settings.attempts:
                self._sleep(pause)
        if not self._reached:
            raise self._unusable(f"the language model never answered: {problem}")
        raise RewriteFailed(f"the language model at {self._address} gave no answer: {problem}")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _body(self, request: Request) -> dict[str, Any]:
        content: list[dict[str, Any]] = [{"type": "text", "text": request.text}]
        if request.picture is not None:
            content.append({"type": "image_url", "image_url": {"url": data_url(request.picture)}})
        return {
            "model": self._settings.model,
            "messages": [
                {"role": "system", "content": request.instruction},
                {"role": "user", "content": content if len(content) > 1 else request.text},
            ],
            "max_tokens": self._settings.max_tokens,
            "temperature": 0,
        }

    def _unusable(self, message: str) -> RewriterUnusable:
        return RewriterUnusable(
            message,
            path=self._address,
            hint=f"Check prompt.base_url, prompt.model and ${self._settings.key_variable}, or switch the "
            "rewriting off with --set prompt.rewriter=none.",
        )


def _text(answer: httpx.Response) -> str:
    try:
        text = answer.json()["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError) as error:
        raise RewriteFailed("the language model's answer is not in the OpenAI format") from error
    if not isinstance(text, str) or not text.strip():
        raise RewriteFailed("the language model's answer is empty")
    return text.strip()


def _detail(answer: httpx.Response) -> str:
    try:
        return f": {answer.json()['error']['message']}"[:300]
    except (ValueError, LookupError, TypeError):
        return ""


def _wanted_pause(answer: httpx.Response, pause: float) -> float:
    wanted = answer.headers.get("retry-after", "")
    return min(float(wanted), _LONGEST_WAIT) if wanted.replace(".", "", 1).isdigit() else pause
