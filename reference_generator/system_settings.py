"""Settings of systems that need no code: a diffusers pipeline, a command, a server."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from ipvg_eval.reference_generator.section import Positive, Section

Seconds = Annotated[float, Field(gt=0)]


class DiffusersSettings(Section):
    """A pipeline of diffusers, called as it is.

    Attributes:
        pipeline: its class in diffusers.
        arguments: what its call is given, by argument; texts may be placeholders, see `systems.templates`.
    """

    pipeline: str = ""
    arguments: dict[str, Any] = Field(default_factory=dict)


class CommandSettings(Section):
    """A program that makes one video per call.

    Attributes:
        argv: its words, which no shell reads; with placeholders, see `systems.templates`.
        folder: where it runs; here if left out.
        timeout: seconds until it is ended.
        environment: variables to set for it; it also sees those of this process.
        secrets: environment variables that it needs and whose values are never shown.
        version: change it when the program makes other videos than before.
    """

    argv: tuple[str, ...] = ()
    folder: str | None = None
    timeout: Seconds = 3600.0
    environment: dict[str, str] = Field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    version: str = ""


class SubmitSettings(Section):
    """The request that orders a video.

    Attributes:
        path: below the server's address.
        body: its fields, with placeholders; nested as the server wants them.
        files: fields that carry a file, by name; with any, the body is sent as a form, else as JSON.
    """

    path: str = ""
    body: dict[str, Any] = Field(default_factory=dict)
    files: dict[str, str] = Field(default_factory=dict)


class HttpSettings(Section):
    """A server that takes an order, is asked until the video is done, and hands it out.

    Attributes:
        base_url: its address.
        headers: of every request to it; `{env:NAME}` stands for an environment variable.
        submit: the order.
        job: where in the answer the order's number stands, such as "data.id".
        poll: path to ask at, with `{job}`.
        status: where in that answer the state stands.
        done: states that mean a finished video.
        failed: states that mean there will be none.
        error: where the reason stands then.
        download: path of the video, with `{job}`; or
        video: where in the last answer the video's address stands.
        poll_seconds: pause between two questions.
        timeout: seconds after which an order is asked for no longer; a later run asks again.
        request_timeout: seconds until one request is given up.
        attempts: how often a request is sent before it counts as failed.
        concurrency: orders that are open at the same time.
        max_megabytes: largest video that is taken.
        price: of one order.
        cost_cap: what all orders of this output folder may cost together; None for no limit.
        idempotency_header: header by which the server knows an order that comes twice.
        resubmit: order again where it is not known whether the server took the first order.
    """

    base_url: str = ""
    headers: dict[str, str] = Field(default_factory=dict)
    submit: SubmitSettings = SubmitSettings()
    job: str = "id"
    poll: str = ""
    status: str = "status"
    done: tuple[str, ...] = ("completed", "succeeded", "success")
    failed: tuple[str, ...] = ("failed", "error", "cancelled", "canceled", "expired")
    error: str = "error.message"
    download: str = ""
    video: str = ""
    poll_seconds: Seconds = 5.0
    timeout: Seconds = 3600.0
    request_timeout: Seconds = 60.0
    attempts: Positive = 5
    concurrency: Annotated[int, Field(ge=1, le=64)] = 1
    max_megabytes: Positive = 500
    price: Annotated[float, Field(ge=0)] = 0.0
    cost_cap: Annotated[float, Field(ge=0)] | None = None
    idempotency_header: str | None = None
    resubmit: bool = False
