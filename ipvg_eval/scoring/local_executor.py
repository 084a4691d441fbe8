"""Measuring on this machine: videos are decoded ahead in processes, the networks run here."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field

from ipvg_eval.core.budget import Spending
from ipvg_eval.core.row import SampleRow
from ipvg_eval.decoding import DecoderProcess
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.timing import running, stage
from ipvg_eval.sandbox import ProcessLimits
from ipvg_eval.scoring.one_video import Measured
from ipvg_eval.scoring.prefetch import prefetch
from ipvg_eval.scoring.prepare import Preparation
from ipvg_eval.scoring.scorer import Scorer
from ipvg_eval.submission import Submission
from ipvg_eval.testset.model import Sample

_FRAMES_PER_VIDEO = 16


@dataclass(frozen=True, kw_only=True, eq=False)
class LocalExecutor:
    """Measures samples in their order, in this process.

    Where the networks' batches may hold frames of several videos, a sample is finished some samples after its
    video was watched, so that theirs fill the batches that it began; else before the next one is begun.

    Attributes:
        submission: where the videos are.
        scorer: what measures them.
        limits: of each decoder process.
        decoders: how many videos are decoded at a time.
        window: how many samples may be unfinished at a time, at least 1; None for as many as fill a batch.
    """

    submission: Submission
    scorer: Scorer
    limits: ProcessLimits = field(default_factory=ProcessLimits)
    decoders: int = 2
    window: int | None = None

    def results(
        self, samples: Sequence[Sample], rows: Mapping[str, SampleRow], spending: Spending
    ) -> Generator[tuple[Sample, Measured | None]]:
        """Every sample as soon as it is measured; see `ipvg_eval.scoring.run.Executor`."""
        preparation = Preparation(
            submission=self.submission,
            scorer=self.scorer,
            rows=rows,
            spending=spending,
            stopwatch=running(),
        )
        window = self.window or _window(self.scorer.runtime)
        unfinished: deque[tuple[Sample, Callable[[], Measured | None]]] = deque()
        with ExitStack() as stack:
            decoders = [stack.enter_context(DecoderProcess(self.limits)) for _ in range(self.decoders)]
            turns = prefetch(samples, preparation.produce, decoders, cancel=DecoderProcess.kill)
            for sample, channel in stack.enter_context(closing(turns)):
                with stage("measure"):
                    unfinished.append((sample, preparation.watch(sample, channel)))
                if len(unfinished) >= window:
                    yield _finished(*unfinished.popleft())
            while unfinished:
                yield _finished(*unfinished.popleft())


def _finished(sample: Sample, finish: Callable[[], Measured | None]) -> tuple[Sample, Measured | None]:
    with stage("measure"):
        return sample, finish()


def _window(runtime: Runtime) -> int:
    """As many samples as it takes to fill a batch, by the published rules' frames per video, and one more."""
    return 1 + math.ceil(runtime.batch_size / _FRAMES_PER_VIDEO) if runtime.crossing else 1
