"""Two Ray workers against one: protocol lite on the CPU, one core and one decoder for each worker.

The ten clips of the fixtures are scored many times over, under identities of a test set made for the
purpose, so that neither the start nor the last sample decides; the clock runs from when every worker has
loaded its networks and measured clips. A worker and its decoder stay on one core of their own: else a single
worker would use a second core for its decoder. Both numbers of workers take turns, in pairs, in one cluster.

Run: python benchmarks/workers.py [--copies 6] [--rounds 3] [--frames 0]
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ipvg_eval import load_submission, load_testset
from ipvg_eval.cluster import RayEngine, ray_engine
from ipvg_eval.cluster.connection import connected
from ipvg_eval.core.row import Status
from ipvg_eval.sandbox import ProcessLimits
from ipvg_eval.scoring import Recipe
from ipvg_eval.submission import Submission
from ipvg_eval.testset import TestSet

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--copies", type=int, default=6, help="how many times the ten clips are scored")
    parser.add_argument("--rounds", type=int, default=3, help="how many pairs are timed")
    parser.add_argument("--frames", type=int, default=0, help="frames per video; 0 for the protocol's rule")
    options = parser.parse_args()
    recipe = Recipe(protocol="lite", frames=options.frames or None, device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        testset, submission = _repeated(Path(folder), options.copies)
        seconds: dict[int, list[float]] = {1: [], 2: []}
        with connected("local", workers=3) as ray:
            for _ in range(options.rounds):
                for workers, times in seconds.items():
                    with ray_engine(recipe, workers=workers) as engine:
                        times.append(_seconds(ray, engine, submission, testset))
    samples = len(testset.samples)
    one, two = (statistics.median(times) for times in seconds.values())
    ratios = sorted(alone / both for alone, both in zip(*seconds.values(), strict=True))
    machine = platform.processor() or platform.machine()
    print(f"{machine}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{samples} clips of 3 s, 320 x 240, protocol lite, {options.rounds} rounds")
    print("| workers | s | videos/hour | ratio |")
    print("|--:|--:|--:|--:|")
    print(f"| 1 | {one:.1f} | {samples / one * 3600:,.0f} | 1 |")
    print(f"| 2 | {two:.1f} | {samples / two * 3600:,.0f} | {statistics.median(ratios):.2f} |")
    print(f"ratios of the rounds: {', '.join(f'{ratio:.2f}' for ratio in ratios)}")
    print(f"load of this machine meanwhile: {os.getloadavg()[1]:.1f} processes", file=sys.stderr)


def _repeated(folder: Path, copies: int) -> tuple[TestSet, Submission]:
    for copy in range(copies):
        for identity in ("id001", "id002"):
            name = f"id{2 * copy + int(identity[2:]):03d}"
            shutil.copytree(FIXTURES / "testset" / identity, folder / "testset" / name)
            shutil.copytree(FIXTURES / "submissions/careful" / identity, folder / "careful" / name)
    return load_testset(folder / "testset"), load_submission(folder / "careful")


def _pin(_: object, core: int) -> None:
    """Keep all threads of this process, and the processes it starts, on one core."""
    for thread in Path("/proc/self/task").iterdir():
        os.sched_setaffinity(int(thread.name), {core})


def _seconds(ray: Any, engine: RayEngine, submission: Submission, testset: TestSet) -> float:
    """Time for all samples, once every worker is ready."""
    executor = engine.suited_to(testset).executor(submission, testset, limits=ProcessLimits(), decoders=1)
    engine.pool.open(executor.job)
    cores = sorted(os.sched_getaffinity(0))
    ray.get(
        [w.actor.__ray_call__.remote(_pin, core) for w, core in zip(engine.pool.workers, cores, strict=False)]
    )
    for _ in executor.results(testset.samples[: 2 * engine.plan.workers], {}):
        continue
    begun = time.perf_counter()
    statuses = {measured.row.status for _, measured in executor.results(testset.samples, {}) if measured}
    seconds = time.perf_counter() - begun
    assert statuses == {Status.SCORED}, statuses
    return seconds


if __name__ == "__main__":
    main()
