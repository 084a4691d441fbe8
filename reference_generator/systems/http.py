"""Ordering videos from a server."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ipvg_eval.core.printable import printable
from ipvg_eval.reference_generator.errors import SystemFailed, SystemUnusable
from ipvg_eval.reference_generator.job import Job
from ipvg_eval.reference_generator.record import record_path
from ipvg_eval.reference_generator.rewriting.rewriter import data_url
from ipvg_eval.reference_generator.settings import Settings
from ipvg_eval.reference_generator.systems.connection import Connection, NotSent, UnknownToServer, place_in
from ipvg_eval.reference_generator.systems.orders import Order, Orders, kept_file
from ipvg_eval.reference_generator.systems.templates import (
    common_fields,
    environment_names,
    filled,
    require_environment,
)
from ipvg_eval.reference_generator.task import Desk, System, Task

_DETAIL = 300


class HttpSystem(System):
    """A server that is sent an order per video, asked until it is done, and read the video from.

    An order's number is written down before it is asked for, so a run that goes on asks for the same order.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.concurrency = settings.http.concurrency
        self._stopped = threading.Event()
        self._connection = Connection(settings.http, stopped=self._stopped)
        self._orders: Orders | None = None

    def begin(self, jobs: Sequence[tuple[Job, str]], records: Path) -> None:
        """See `System.begin`."""
        http = self._settings.http
        require_environment(environment_names(http.model_dump()), "http.headers")
        self._orders = Orders(records, price=http.price, cap=http.cost_cap)
        out = records.parent / records.name.removesuffix(".records")
        kept = [(kept_file(record_path(out, job)), hash_) for job, hash_ in jobs]
        self._orders.check(sum(self._orders.standing(*one) is None for one in kept))

    def make(self, task: Task) -> Path:
        """See `System.make`."""
        desk = task.desk
        assert desk is not None
        assert self._orders is not None
        if self._stopped.is_set():
            raise SystemUnusable("the run was ended before this video was ordered")
        order = self._orders.standing(desk.kept, desk.hash)
        if order is not None and order.state == "sending" and not self._may_send_again():
            raise SystemFailed(
                "an order was sent and its answer never came, so it may be charged already; look at the "
                "server's own list, then go on with --set http.resubmit=true"
            )
        if order is None or order.state == "sending":
            job = self._submit(task, desk, order)
        else:
            assert order.job is not None
            job = order.job
        return self._download(self._wait(job, desk), job, desk)

    def stop(self) -> None:
        """See `System.stop`; a request that is under way ends by itself."""
        self._stopped.set()

    def close(self) -> None:
        """See `System.close`."""
        self._connection.close()

    def _may_send_again(self) -> bool:
        return self._settings.http.resubmit or self._settings.http.idempotency_header is not None

    def _submit(self, task: Task, desk: Desk, before: Order | None) -> str:
        assert self._orders is not None
        http = self._settings.http
        fields = common_fields(task, self._settings) | _references(desk.files)
        headers = {http.idempotency_header: desk.hash} if http.idempotency_header else {}
        files = {name: Path(str(filled(value, fields))) for name, value in http.submit.files.items()}
        if before is None or not http.idempotency_header:
            self._orders.send(desk.kept, desk.hash)
        try:
            answer = self._connection.ask(
                "POST",
                str(filled(http.submit.path, {})),
                body=filled(http.submit.body, fields),
                files=files,
                headers=headers,
                safe_to_repeat=http.idempotency_header is not None,
            )
        except NotSent as error:
            self._orders.refused(desk.kept)
            raise error.cause from error
        job = place_in(answer, http.job)
        if not isinstance(job, (str, int)) or not str(job) or len(str(job)) > 500:
            raise SystemFailed(f"the server's answer to the order has no number at {http.job!r}")
        self._orders.taken(desk.kept, str(job))
        return str(job)

    def _wait(self, job: str, desk: Desk) -> Any:
        """The answer that says the video is done."""
        assert self._orders is not None
        http = self._settings.http
        path = str(filled(http.poll, {"job": quote(job, safe="")}))
        end = time.monotonic() + http.timeout
        while True:
            try:
                answer = self._connection.ask("GET", path, safe_to_repeat=True)
            except UnknownToServer as error:
                raise SystemFailed(
                    f"the order is not there any more: {error.message}; check http.poll, or remove "
                    f"{desk.kept.name} beside the record to order it anew"
                ) from error
            state = str(place_in(answer, http.status) or "")
            if state.casefold() in {name.casefold() for name in http.done}:
                return answer
            if state.casefold() in {name.casefold() for name in http.failed}:
                self._orders.failed(desk.kept)
                reason = self._connection.shown(str(place_in(answer, http.error) or "it does not say why"))
                raise SystemFailed(f"the server gave up on the video: {printable(reason, longest=_DETAIL)}")
            if time.monotonic() >= end:
                shown = printable(self._connection.shown(state), longest=40)
                raise SystemFailed(
                    f"the server's order is still {shown!r} after {http.timeout:g} s; the next run asks "
                    "for it again"
                )
            if self._stopped.wait(http.poll_seconds):
                raise SystemUnusable("the run was ended while the server was at work")

    def _download(self, answer: Any, job: str, desk: Desk) -> Path:
        http = self._settings.http
        if http.download:
            address = str(filled(http.download, {"job": quote(job, safe="")}))
        else:
            found = place_in(answer, http.video)
            if not isinstance(found, str) or not found:
                raise SystemFailed(f"the server's last answer has no address of the video at {http.video!r}")
            address = found
        out = desk.scratch / "video.mp4"
        self._connection.download(address, out, most=http.max_megabytes * 10**6)
        return out


def _references(files: Sequence[Path]) -> dict[str, Any]:
    encoded = [base64.b64encode(path.read_bytes()).decode("ascii") for path in files]
    addresses = [data_url(path) for path in files]
    return {
        "ref": str(files[0]),
        "refs": [str(path) for path in files],
        "ref_base64": encoded[0],
        "refs_base64": encoded,
        "ref_data": addresses[0],
        "refs_data": addresses,
    }
