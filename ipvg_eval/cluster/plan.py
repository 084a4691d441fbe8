"""How many workers a cluster has room for, and what each of them takes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ipvg_eval.core.errors import Unavailable, UsageError

_CPUS_PER_WORKER = 1


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How many workers to start.

    Attributes:
        workers: how many.
        fitting: how many of them the cluster has room for as it is now; the others wait.
        gpus: of each worker; may be a fraction.
        cpus: of each worker, as Ray counts them.
        device: what each builds its scorer for.
    """

    workers: int
    fitting: int
    gpus: float
    device: str
    cpus: int = _CPUS_PER_WORKER


def plan_workers(
    nodes: Iterable[Mapping[str, float]], *, workers: int | None, gpus_per_worker: float | None, device: str
) -> Plan:
    """Fit workers into a cluster; see `check_request` for what may be asked.

    Args:
        nodes: the resources of every node, as Ray names them.
        workers: how many are wanted; as many as fit where None.
        gpus_per_worker: what each takes; where None, one if the cluster has GPUs and the device allows it.
        device: "auto", "cpu" or "cuda".

    Raises:
        Unavailable: not a single worker fits on any node.
    """
    nodes = list(nodes)
    any_gpu = any(node.get("GPU", 0) for node in nodes)
    chosen = 1.0 if device == "cuda" or (device == "auto" and any_gpu) else 0.0
    gpus = chosen if gpus_per_worker is None else gpus_per_worker
    room = sum(_room(node, gpus) for node in nodes)
    if room == 0:
        what = f"{_CPUS_PER_WORKER} CPU" + (f" and {gpus:g} GPU" if gpus else "")
        raise Unavailable(
            f"no worker fits: each needs {what} on one node, and the cluster has {_described(nodes)}",
            hint="Lower --gpus-per-worker, or add nodes to the cluster. --gpus-per-worker 0 uses CPUs.",
        )
    wanted = room if workers is None else workers
    return Plan(workers=wanted, fitting=min(room, wanted), gpus=gpus, device="cuda" if gpus else "cpu")


def check_request(*, workers: int | None, gpus_per_worker: float | None, device: str) -> None:
    """Look at what was asked for before a cluster is.

    Raises:
        UsageError: the numbers make no sense, or contradict the device.
    """
    if workers is not None and workers < 1:
        raise UsageError(f"--workers {workers}: there must be at least one worker")
    if device not in ("auto", "cpu", "cuda"):
        raise UsageError(
            f"--device {device} cannot be used with --ray, which hands out the devices itself",
            hint="Leave --device out, or give cpu or cuda.",
        )
    if gpus_per_worker is None:
        return
    if not 0 <= gpus_per_worker < math.inf or (gpus_per_worker > 1 and gpus_per_worker % 1):
        raise UsageError(
            f"--gpus-per-worker {gpus_per_worker:g} makes no sense",
            hint="Give 0, a share below 1, or a whole number.",
        )
    if device != "auto" and (device == "cuda") != (gpus_per_worker > 0):
        raise UsageError(
            f"--gpus-per-worker {gpus_per_worker:g} contradicts --device {device}", hint="Leave one out."
        )


def _room(node: Mapping[str, float], gpus: float) -> int:
    by_cpu = int(node.get("CPU", 0) // _CPUS_PER_WORKER)
    if not gpus:
        return by_cpu
    here = int(node.get("GPU", 0))
    return min(by_cpu, here * int(1 / gpus) if gpus < 1 else here // int(gpus))


def _described(nodes: list[Mapping[str, float]]) -> str:
    most = max((node.get("GPU", 0) for node in nodes), default=0)
    cpus = sum(node.get("CPU", 0) for node in nodes)
    return f"{len(nodes)} node(s) with {cpus:g} CPUs together and at most {most:g} GPUs on one"
