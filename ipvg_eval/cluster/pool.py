"""The workers of a run: started, admitted when they are alike, replaced when they die."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ipvg_eval.cluster.plan import Plan
from ipvg_eval.cluster.worker import MeasuringWorker, Ready, Refused
from ipvg_eval.core.errors import ExitCode, Unavailable
from ipvg_eval.core.run import DeviceInfo, WorkersInfo
from ipvg_eval.scoring.recipe import Recipe
from ipvg_eval.scoring.scorer_info import ScorerInfo

Say = Callable[[str], None]
"""Tells a person something."""

MAX_CALLS = 16
"""How many calls of one worker may run at a time: decoding, waiting for the networks, or in them."""

_DEATHS_AT_START = 3
_LOOK_EVERY = 5.0
_SAY_EVERY = 60.0


class Died(Exception):
    """A worker died, or its answer is lost.

    Attributes:
        preempted: its node was taken away by whoever runs the cluster.
    """

    def __init__(self, why: str, *, preempted: bool) -> None:
        super().__init__(why)
        self.preempted = preempted


@dataclass(frozen=True, kw_only=True, eq=False)
class Hired:
    """A worker as the driver sees it.

    Attributes:
        actor: Ray's handle.
        hello: answered once its process runs.
        since: when it was asked for, monotonic seconds.
    """

    actor: Any
    hello: Any
    since: float = field(default_factory=time.monotonic)


class WorkerPool:
    """Workers that build the same scorer, each in a process of its own.

    Args:
        ray: the module, connected.
        recipe: of the scorer.
        plan: how many workers, and what each takes.
        patience: seconds to wait for the first of the workers to get its place in the cluster.
        say: tells a person why nothing happens.
    """

    def __init__(self, ray: Any, recipe: Recipe, plan: Plan, *, patience: float, say: Say) -> None:
        self._ray = ray
        self._recipe = recipe
        self._patience = patience
        self._say = say
        self._said = time.monotonic()
        self._deaths_at_start = 0
        self._admitted: dict[Hired, DeviceInfo] = {}
        self._class = ray.remote(MeasuringWorker).options(
            num_cpus=plan.cpus,
            num_gpus=plan.gpus,
            max_concurrency=MAX_CALLS,
            max_restarts=0,
            max_task_retries=0,
            scheduling_strategy="SPREAD",
        )
        self.workers = [self._hire() for _ in range(plan.workers)]

    def start(self) -> ScorerInfo:
        """Wait until the first worker has loaded its networks; what a run records of all of them.

        Raises:
            Unavailable: no worker starts.
        """
        building = {worker.actor.build.remote(): worker for worker in self.workers}
        while True:
            for call in self.wait(building, starting=building.values()):
                worker = building.pop(call)
                try:
                    ready = self.result(call)
                except Died as error:
                    replacement = self.replace(worker, at_start=str(error))
                    building[replacement.actor.build.remote()] = replacement
                else:
                    assert isinstance(ready, Ready)
                    self._first = ready
                    self._admit(worker, ready)
                    return ready.info

    @property
    def window(self) -> int:
        """How many samples the networks of a worker have begun at a time."""
        return self._first.window

    def admit(self, worker: Hired, ready: Ready) -> None:
        """Let a worker take part.

        Raises:
            Unavailable: it would not measure as the others do.
        """
        first, here = _traits(self._first.info), _traits(ready.info)
        different = [
            f"{name} {here[name]} there, {first[name]} elsewhere"
            for name in first
            if here[name] != first[name]
        ]
        if different:
            raise Unavailable(
                f"the worker on {ready.node} differs from the one on {self._first.node}: "
                + "; ".join(different),
                hint="Give every node the same installation, weights and kind of device.",
            )
        self._admit(worker, ready)

    def result(self, call: Any) -> Any:
        """What a call gave.

        Raises:
            Died: its worker died.
            Unavailable: it was refused, with the worker's reason.
        """
        errors = self._ray.exceptions
        try:
            answer = self._ray.get(call)
        except (errors.RayActorError, errors.ObjectLostError, errors.WorkerCrashedError) as error:
            raise Died(_last_line(error), preempted=getattr(error, "preempted", False)) from error
        if isinstance(answer, Refused):
            refusal = Unavailable(f"worker on {answer.node}: {answer.text}", hint=answer.hint)
            refusal.exit_code = ExitCode(answer.exit_code)
            raise refusal
        return answer

    def replace(self, worker: Hired, *, at_start: str | None = None) -> Hired:
        """Start another worker in the place of one that died.

        Args:
            worker: the dead one.
            at_start: why, if it never became ready.

        Raises:
            Unavailable: workers keep dying before they are ready.
        """
        self._ray.kill(worker.actor)
        self._deaths_at_start = 0 if at_start is None else self._deaths_at_start + 1
        if self._deaths_at_start >= _DEATHS_AT_START:
            raise Unavailable(
                f"{_DEATHS_AT_START} workers in a row died while they started; the last one: {at_start}",
                hint="Every node needs this version of ipvg-eval, the packages of all metrics, and memory "
                "for the networks.",
            )
        self.workers[self.workers.index(worker)] = hired = self._hire()
        return hired

    def wait(self, calls: Iterable[Any], *, starting: Iterable[Hired]) -> list[Any]:
        """The calls that have an answer, at least one.

        Args:
            calls: what is waited for.
            starting: the workers that are waited for, where there is nobody else to go on; none otherwise.

        Raises:
            Unavailable: none of the workers gets a place in the cluster.
        """
        calls, starting = list(calls), list(starting)
        while True:
            done, _ = self._ray.wait(calls, num_returns=len(calls), timeout=0)
            if not done:
                done, _ = self._ray.wait(calls, num_returns=1, timeout=_LOOK_EVERY)
            if done:
                return list(done)
            if starting:
                self._lose_patience(starting)

    def info(self) -> WorkersInfo:
        """The workers that took part so far and live, or lived to the end."""
        devices: dict[str, int] = {}
        for device in self._admitted.values():
            kind = device.device.partition(":")[0]
            text = f"{kind}, {device.name}, {device.dtype}, {device.threads} threads"
            devices[text] = devices.get(text, 0) + 1
        return WorkersInfo(engine=f"ray {self._ray.__version__}", count=len(self._admitted), devices=devices)

    def dismiss(self) -> None:
        """End all workers."""
        for worker in self.workers:
            self._ray.kill(worker.actor)

    def _admit(self, worker: Hired, ready: Ready) -> None:
        self._deaths_at_start = 0
        self._admitted[worker] = ready.info.device_info

    def _hire(self) -> Hired:
        actor = self._class.remote(self._recipe, str(Path.cwd()))
        return Hired(actor=actor, hello=actor.hello.remote())

    def _lose_patience(self, starting: list[Hired]) -> None:
        running, _ = self._ray.wait([worker.hello for worker in starting], num_returns=1, timeout=0)
        waited = time.monotonic() - max(worker.since for worker in starting)
        if running:
            return
        if waited > self._patience:
            raise Unavailable(
                f"no worker got a place in the cluster within {self._patience:g} s: all of it is in use",
                hint="Look with `ray status`. What is measured is kept: run the same command again later.",
            )
        if waited > _SAY_EVERY and time.monotonic() - self._said > _SAY_EVERY:
            self._said = time.monotonic()
            self._say("Waiting for a place in the Ray cluster; `ray status` shows who uses it.")


def _traits(info: ScorerInfo) -> dict[str, str]:
    """What all workers must share for their numbers to be one run's."""
    return {
        "ipvg-eval": info.provenance.version,
        "packages": ", ".join(f"{name} {version}" for name, version in info.provenance.packages.items()),
        "weights": ", ".join(f"{name} {sha}" for name, sha in sorted(info.weights.items())) or "none",
        "decoder": info.decoder,
        "device type": info.device_info.device.partition(":")[0],
        "dtype": info.device_info.dtype,
        "threads": str(info.device_info.threads),
        "batch size": str(info.device_info.batch_size),
        "networks on the CPU": ", ".join(sorted(info.device_info.on_the_cpu)) or "none",
    }


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
