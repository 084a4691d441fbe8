"""A server that takes orders for videos."""

from __future__ import annotations

from typing import TYPE_CHECKING
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
        _check_secrets(http)
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
    if parts.username or parts.password:
        raise ValueError("http.base_url holds a name or password; use http.headers with {env:NAME}")


def _check_secrets(http: HttpSettings) -> None:
    fields = {**http.headers, **{k: v for k, v in http.submit.body.items() if isinstance(v, str)}}
    for name, value in fields.items():
        if SECRET_NAME.search(name) and value and "{" not in value:
            raise ValueError(
                f"the field {name} holds a secret as it is, which belongs into no file; write "
                "{env:NAME} and set that variable"
            )


KIND = HttpKind()
