"""One submission, measured by the workers."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ipvg_eval.cluster.dispatch import Dispatcher
from ipvg_eval.cluster.pool import MAX_CALLS, Died, Hired, WorkerPool
from ipvg_eval.cluster.worker import Job
from ipvg_eval.core.budget import Spending
from ipvg_eval.core.row import SampleRow, Status
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.sandbox import ProcessLimits
from ipvg_eval.scoring.one_video import Measured, unmeasured
from ipvg_eval.testset.model import Sample

_GIVEN_UP = (
    "the process that measured it died, and so did a second one that had nothing else to do; "
    "usually memory ran out, or native code crashed"
)


@dataclass(frozen=True, kw_only=True, eq=False)
class RayExecutor:
    """Measures samples on the workers, in no order; see `ipvg_eval.scoring.run.Executor`.

    Attributes:
        pool: the workers.
        specs: the metrics, for samples that are given up.
        job: what they measure.
    """

    pool: WorkerPool
    specs: Sequence[MetricSpec]
    job: Job

    @property
    def limits(self) -> ProcessLimits:
        """Of each decoder process."""
        return self.job.limits

    def results(
        self, samples: Sequence[Sample], rows: Mapping[str, SampleRow], spending: Spending
    ) -> Generator[tuple[Sample, Measured | None]]:
        """Every sample as soon as a worker has measured it, or two have died of it."""
        session = _Session(self, samples, rows, spending)
        while not session.dispatcher.finished:
            yield from session.step()


class _Session:
    """The calls that are under way.

    Attributes:
        dispatcher: which worker has which samples in hand.
    """

    def __init__(
        self,
        executor: RayExecutor,
        samples: Sequence[Sample],
        rows: Mapping[str, SampleRow],
        spending: Spending,
    ) -> None:
        self.dispatcher: Dispatcher[Sample, Hired] = Dispatcher(
            samples, depth=min(executor.job.decoders + executor.pool.window, MAX_CALLS)
        )
        self._pool, self._job, self._specs = executor.pool, executor.job, executor.specs
        self._rows = rows
        self._spending = spending
        self._open: list[Hired] = []
        self._opening: dict[Any, Hired] = {}
        self._calls: dict[Any, tuple[Hired, Sample]] = {}
        for worker in self._pool.workers:
            self._begin(worker)

    def step(self) -> Iterator[tuple[Sample, Measured | None]]:
        """Keep every worker busy, and give what has come meanwhile; waits for something."""
        for worker in self._open:
            while (sample := self.dispatcher.take(worker)) is not None:
                earlier = self._rows.get(sample.id)
                reason = self._spending.refusal(sample.video)
                if reason is not None and not (earlier is not None and earlier.finished):
                    self.dispatcher.done(worker, sample)
                    yield sample, unmeasured(sample, self._specs, Status.CRASHED, reason)
                    continue
                call = worker.actor.measure.remote(sample, earlier)
                self._calls[call] = worker, sample
        if not (self._calls or self._opening):
            return
        starting = () if self._calls else self._opening.values()
        for call in self._pool.wait([*self._opening, *self._calls], starting=starting):
            if call in self._opening:
                self._opened(call)
            elif call in self._calls:
                yield from self._measured(call)

    def _begin(self, worker: Hired) -> None:
        self._opening[worker.actor.open.remote(self._job)] = worker

    def _opened(self, call: Any) -> None:
        worker = self._opening.pop(call)
        try:
            self._pool.admit(worker, self._pool.result(call))
        except Died as death:
            self._begin(self._pool.replace(worker, at_start=str(death)))
        else:
            self._open.append(worker)

    def _measured(self, call: Any) -> Iterator[tuple[Sample, Measured | None]]:
        worker, sample = self._calls.pop(call)
        try:
            measured = self._pool.result(call)
        except Died as death:
            yield from self._bury(worker, death)
        else:
            self.dispatcher.done(worker, sample)
            if measured is None:
                self._spending.spend(pixels=self._rows[sample.id].pixels)
            else:
                self._spending.spend(seconds=measured.waited, pixels=measured.row.pixels)
            yield sample, measured

    def _bury(self, worker: Hired, death: Died) -> Iterator[tuple[Sample, Measured | None]]:
        """Save what a dead worker had finished, and decide what becomes of the rest."""
        self._open.remove(worker)
        self._begin(self._pool.replace(worker))
        for call, (owner, other) in list(self._calls.items()):
            if owner is not worker:
                continue
            del self._calls[call]
            try:
                measured = self._pool.result(call)
            except Died:
                continue
            self.dispatcher.done(worker, other)
            yield other, measured
        if death.preempted:
            self.dispatcher.withdrawn(worker)
            return
        for given_up in self.dispatcher.died(worker):
            yield given_up, unmeasured(given_up, self._specs, Status.CRASHED, _GIVEN_UP)
