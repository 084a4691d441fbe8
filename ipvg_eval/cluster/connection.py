"""Reaching a Ray cluster: one that is there, or one of our own for the time of the run."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import socket
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, chdir, contextmanager
from typing import Any

from ipvg_eval.core.errors import Unavailable, UsageError
from ipvg_eval.sandbox.python import absolute_python_path

AUTO = "auto"
LOCAL = "local"
_ADDRESS_VARIABLE = "RAY_ADDRESS"
_ANSWER_WITHIN = 10.0
# Ray's head speaks gRPC: as every HTTP/2 server it answers a greeting with its settings (RFC 9113, 3.4).
_HTTP2_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
_HTTP2_FRAME_HEADER = 9
_HTTP2_SETTINGS = b"\x04"
_TOKEN_VARIABLES = {"RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"}
_LONGEST_FOLDER = 40  # Ray adds 67 characters for its sockets, whose names have 107 at most
_OBJECT_STORE = 512 * 2**20


@contextmanager
def connected(address: str, *, workers: int | None = None) -> Iterator[Any]:
    """Ray, connected to a cluster.

    A cluster that is started here ends with the block; from one that was there before, or that this process
    is connected to already, only the connection is closed, or nothing.

    Args:
        address: HOST:PORT; "local" for a cluster on this machine, of its own; "auto" for the one that
            `$RAY_ADDRESS` names, and "local" where there is none.
        workers: how many processes a local cluster must have room for, though there be fewer cores.

    Yields:
        The module `ray`.

    Raises:
        Unavailable: Ray is not installed, or there is no cluster.
        UsageError: the address makes no sense.
    """
    ray = _import()
    if ray.is_initialized():
        yield ray
        return
    if address == AUTO:
        address = os.environ.get(_ADDRESS_VARIABLE) or LOCAL
    with ExitStack() as stack:
        settings: dict[str, Any] = {}
        if address == LOCAL:
            settings = stack.enter_context(_local_settings(workers))
        else:
            _expect_answer(address)
        try:
            with _nowhere():
                ray.init(address, log_to_driver=False, configure_logging=False, **settings)
        except Exception as error:  # Ray raises whatever went wrong on the way
            why = str(error).strip().partition("\n")[0] or type(error).__name__
            raise _unreachable(address, why) from error
        stack.callback(ray.shutdown)
        yield ray


@contextmanager
def _nowhere() -> Iterator[None]:
    """Keep the current folder, which Ray adds, and relative PYTHONPATH entries off the workers' import path.

    A folder that is on the path in any case stands in for it; a file in a submission is no library.
    """
    before = os.environ.get("PYTHONPATH")
    environment = absolute_python_path(os.environ)
    with chdir(sysconfig.get_path("purelib")):
        if before is not None:
            os.environ["PYTHONPATH"] = environment.get("PYTHONPATH", "")
        try:
            yield
        finally:
            if before is not None:
                os.environ["PYTHONPATH"] = before


@contextmanager
def _local_settings(workers: int | None) -> Iterator[dict[str, Any]]:
    """A cluster of this machine that nobody else can use and that leaves nothing behind."""
    if not _TOKEN_VARIABLES & os.environ.keys():
        # Ray lets only those in who have a token, and would leave one in the home folder. It reads the token
        # once per process, so this one stays.
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    settings: dict[str, Any] = {
        "num_cpus": max(os.cpu_count() or 1, workers or 0),
        "include_dashboard": False,
        "object_store_memory": _OBJECT_STORE,
    }
    folder = tempfile.mkdtemp(prefix="ipvg-ray-")
    if len(folder) <= _LONGEST_FOLDER:
        settings["_temp_dir"] = folder
    try:
        yield settings
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # Ray's agents may still write there


def _import() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Workers without a GPU see none: "auto" must mean the same on each of them.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "1")
    try:
        import ray
    except ImportError as error:
        raise Unavailable(
            f"--ray needs the package ray, which cannot be imported ({error})",
            hint="Install it: pip install 'ipvg-eval[ray]'",
        ) from error
    logging.getLogger("ray").setLevel(logging.ERROR)
    return ray


def _expect_answer(address: str) -> None:
    """Knock before Ray does, which waits for minutes where nobody is at home."""
    if address == "auto":
        return
    host, colon, port = address.rpartition(":")
    if "://" in address or not colon or not port.isdigit() or not 0 < int(port) < 65536:
        raise UsageError(
            f"--ray {address!r} is not an address",
            hint="Give auto, local, or HOST:PORT of a cluster's head as `ray start` prints it, "
            "on a machine of the cluster.",
        )
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWER_WITHIN) as knock:
            if os.environ.get("RAY_USE_TLS", "0") == "0":
                knock.sendall(_HTTP2_GREETING)
                with knock.makefile("rb") as answers:
                    frame = answers.read(_HTTP2_FRAME_HEADER)
                if frame[3:4] != _HTTP2_SETTINGS:
                    raise _unreachable(address, "something else than Ray answers there")
    except TimeoutError as error:
        raise _unreachable(address, f"no answer within {_ANSWER_WITHIN:g} s") from error
    except OSError as error:
        raise _unreachable(address, error.strerror or str(error)) from error


def _unreachable(address: str, why: str) -> Unavailable:
    if address == LOCAL:
        return Unavailable(
            f"Ray cannot be started here: {why}", hint="`ray start --head` shows what Ray itself says."
        )
    return Unavailable(
        f"there is no Ray cluster at {address}: {why}",
        hint="Look with `ray status` on this machine, which must be one of the cluster's. If the cluster was "
        "started with a token, RAY_AUTH_MODE=token and the token must be set here too. "
        "--ray local needs no cluster.",
    )
