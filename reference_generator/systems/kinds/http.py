"""A server that takes orders for videos."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ipvg_eval.reference_generator.redaction import SECRET_NAME
from ipvg_eval.reference_generator.systems.kinds.kind import Kind

if TYPE_CHECKING:
    from ipvg_eval.reference_generator.models import Found
    from ipvg_eval.reference_generator.settings import Settings
    from ipvg_eval.reference_generator.system_settings import HttpSettings
    from ipvg_eval.reference_generator.task import System


class HttpKind(Kind):
    """Its settings are the section `http`."""

    section = "http"
    incidental = frozenset(
        {"headers", "poll_seconds", "timeout", "request_timeout", "attempts", "concurrency", "max_megabytes"}
        | {"price", "cost_cap", "idempotency_header", "resubmit"}
    )
    has_models = False

    def check(self, settings: Settings) -> None:
        """See `Kind.check`."""
        from ipvg_eval.reference_generator.systems.templates import COMMON, check_placeholders

        super().check(settings)
        http = settings.http
        _check_address(http)
        _check_secrets(http.headers)
        _check_secrets(http.submit.body)
        order = COMMON | {"ref_data", "refs_data", "ref_base64", "refs_base64"}
        check_placeholders(http.submit.body, order, "http.submit.body")
        check_placeholders(http.submit.files, {"ref"}, "http.submit.files")
        check_placeholders((http.base_url, http.headers, http.submit.path), (), "http")
        check_placeholders((http.poll, http.download), {"job"}, "http.poll and http.download")
        if not http.poll:
            raise ValueError("http.poll is the path to ask at, such as /videos/{job}; it is empty")
        if bool(http.download) == bool(http.video):
            raise ValueError("one of http.download and http.video says where the video is; give one of them")
        if http.cost_cap is not None and not http.price:
            raise ValueError("http.cost_cap needs http.price, what one video costs")

    def load(self, settings: Settings, found: dict[str, Found]) -> System:
        """See `Kind.load`."""
        from ipvg_eval.reference_generator.systems.http import HttpSystem

        del found
        return HttpSystem(settings)


def _check_address(http: HttpSettings) -> None:
    parts = urlsplit(http.base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("http.base_url must be an address that begins with http:// or https://")
    if parts.username or parts.password or parts.query:
        raise ValueError("http.base_url is an address alone; keys belong into http.headers as {env:NAME}")


def _check_secrets(fields: Mapping[str, Any]) -> None:
    for name, value in fields.items():
        if isinstance(value, Mapping):
            _check_secrets(value)
        elif SECRET_NAME.search(name) and isinstance(value, str) and value and "{" not in value:
            raise ValueError(
                f"the field {name} holds a secret as it is, which belongs into no file; write "
                "{env:NAME} and set that variable"
            )


KIND = HttpKind()
