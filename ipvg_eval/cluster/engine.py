"""Scoring with Ray: from a recipe and an address to something that measures submissions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from ipvg_eval.cluster.connection import AUTO, connected
from ipvg_eval.cluster.executor import RayExecutor
from ipvg_eval.cluster.plan import Plan, check_request, plan_workers
from ipvg_eval.cluster.pool import Say, WorkerPool
from ipvg_eval.cluster.worker import Job, listing_hash
from ipvg_eval.core.run import WorkersInfo
from ipvg_eval.sandbox import ProcessLimits
from ipvg_eval.scoring.recipe import Recipe
from ipvg_eval.scoring.scorer_info import ScorerInfo
from ipvg_eval.submission import Submission
from ipvg_eval.testset import TestSet

_PATIENCE = 600.0


@dataclass(frozen=True, kw_only=True, eq=False)
class RayEngine:
    """Workers of a Ray cluster that have built the same scorer.

    Attributes:
        info: what a run records of each of them.
        pool: the workers.
        plan: how many were asked for.
    """

    info: ScorerInfo
    pool: WorkerPool
    plan: Plan

    def suited_to(self, testset: TestSet) -> RayEngine:
        """The same without what needs timelines, where a test set has none.

        Raises:
            ProtocolError: nothing is left to measure.
        """
        return replace(self, info=self.info.suited_to(testset))

    def executor(
        self, submission: Submission, testset: TestSet, *, limits: ProcessLimits, decoders: int
    ) -> RayExecutor:
        """What measures the samples of a submission; one submission at a time."""
        job = Job(
            submission=submission.address,
            listing=listing_hash(submission),
            testset=testset.root,
            fingerprint=testset.fingerprint,
            limits=limits,
            decoders=decoders,
        )
        return RayExecutor(pool=self.pool, specs=self.info.specs, job=job)

    def workers(self) -> WorkersInfo:
        """The workers that took part so far."""
        return self.pool.info()


@contextmanager
def ray_engine(
    recipe: Recipe,
    *,
    address: str = AUTO,
    workers: int | None = None,
    gpus_per_worker: float | None = None,
    patience: float = _PATIENCE,
    say: Say = lambda _: None,
) -> Iterator[RayEngine]:
    """Workers for the time of the block, ready to measure.

    Args:
        recipe: of the scorer that each builds; its device is "auto", "cpu" or "cuda".
        address: see `ipvg_eval.cluster.connection.connected`.
        workers: how many; as many as fit where None.
        gpus_per_worker: GPUs of each, perhaps a fraction; where None, one if there are any.
        patience: seconds to wait for a place in a cluster that others use too.
        say: tells a person why nothing happens.

    Raises:
        UsageError: the numbers or the address make no sense.
        ProtocolError: the protocol or a metric name is not understood.
        Unavailable: Ray is not installed, there is no such cluster, or it cannot hold one worker.
        IpvgError: the workers cannot build the scorer, with the exit code of the worker's own error.
    """
    check_request(workers=workers, gpus_per_worker=gpus_per_worker, device=recipe.device)
    recipe = recipe.loaded()
    with connected(address, workers=workers) as ray:
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        plan = plan_workers(nodes, workers=workers, gpus_per_worker=gpus_per_worker, device=recipe.device)
        if plan.fitting < plan.workers:
            say(f"The cluster has room for {plan.fitting} of {plan.workers} workers; the others wait.")
        pool = WorkerPool(ray, replace(recipe, device=plan.device), plan, patience=patience, say=say)
        try:
            yield RayEngine(info=pool.start(), pool=pool, plan=plan)
        finally:
            pool.dismiss()
