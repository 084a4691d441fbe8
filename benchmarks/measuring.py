"""What measuring one clip costs beside its networks.

    python benchmarks/measuring.py [--frames 49] [--size 720x480] [--repeats 7]

Two questions, with the networks loaded: how long do `score` and `measure` take for the same file (wall time,
by turns), and how much of a call on an array is spent outside the evaluators (CPU time)? The quickest of each
counts, so that a machine with other work to do says the same; the first call of each does not.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ipvg_eval import Asked, Recipe, Scorer, measure, measure_all
from ipvg_eval.core.pictures import read_rgb

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
VIDEO = FIXTURES / "submissions" / "careful" / "id001" / "prompt1.mp4"
FACE = FIXTURES / "testset" / "id001" / "image.png"


class Clock:
    """Adds up the time that is spent in evaluators."""

    def __init__(self) -> None:
        self.inside = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """One call of one of them."""
        started = time.process_time()
        try:
            yield
        finally:
            self.inside += time.process_time() - started


class Timed:
    """An evaluator, or its pass, with a clock at every method."""

    def __init__(self, whole: Any, clock: Clock) -> None:
        self._whole, self._clock = whole, clock

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._whole, name)
        if not callable(found):
            return found

        def timed(*arguments: Any) -> Any:
            with self._clock.running():
                result = found(*arguments)
            return Timed(result, self._clock) if name == "start" else result

        return timed


def quickest(steps: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Wall time of the quickest repeat of each, taken by turns."""
    found: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(repeats + 1):
        for name, step in steps.items():
            started = time.perf_counter()
            step()
            found[name].append(time.perf_counter() - started)
    return {name: min(times[1:]) for name, times in found.items()}


def of_a_file(scorer: Scorer, repeats: int) -> None:
    """The same file by `score`'s code with a run folder, and by `measure`."""
    asked = [Asked(video=VIDEO, references=(FACE,), prompt="a person waves")]

    def scored() -> None:
        with tempfile.TemporaryDirectory() as folder:
            measure_all(asked, recipe=scorer, out=Path(folder) / "run")

    def measured() -> None:
        measure(VIDEO, reference=FACE, prompt="a person waves", recipe=scorer)

    times = quickest({"score": scored, "measure": measured}, repeats)
    for name, found in times.items():
        print(f"{f'a file by {name}':40} {found * 1e3:9.1f} ms")
    print(f"{'measure against score':40} {times['measure'] / times['score'] - 1:+11.1%}")


def of_arrays(scorer: Scorer, count: int, width: int, height: int, repeats: int) -> None:
    """What a call on an array or a tensor adds to its evaluators."""
    clock = Clock()
    timed = replace(scorer, evaluators=tuple(Timed(one, clock) for one in scorer.evaluators))
    frames = np.random.default_rng(0).integers(0, 256, (count, height, width, 3), dtype=np.uint8)
    face = read_rgb(FACE)
    tensor = torch.from_numpy(frames).permute(0, 3, 1, 2)
    ways = {"array": frames, "tensor, channels last": tensor, "tensor, contiguous": tensor.contiguous()}
    for name, clip in ways.items():
        outside = []
        for _ in range(repeats + 1):
            clock.inside = 0.0
            started = time.process_time()
            timed(clip, reference=face)
            outside.append(time.process_time() - started - clock.inside)
        print(f"{f'{name}: outside the evaluators':40} {min(outside[1:]) * 1e3:9.2f} ms")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=49)
    parser.add_argument("--size", default="720x480")
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    width, height = map(int, options.size.split("x"))
    scorer = Recipe(protocol="lite", device="cpu").build()
    of_a_file(scorer, options.repeats)
    print(f"{options.frames} frames of {width} x {height}:")
    of_arrays(scorer, options.frames, width, height, options.repeats)


if __name__ == "__main__":
    main()
