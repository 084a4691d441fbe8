"""Measuring on this machine: videos are decoded ahead in processes, the networks run here."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field

from ipvg_eval.decoding import DecoderProcess
from ipvg_eval.results.row import SampleRow
from ipvg_eval.sandbox import ProcessLimits
from ipvg_eval.scoring.ahead import ahead
from ipvg_eval.scoring.measure import Measured
from ipvg_eval.scoring.prepare import Preparation
from ipvg_eval.scoring.scorer import Scorer
from ipvg_eval.submission import Submission
from ipvg_eval.testset.model import Sample


@dataclass(frozen=True, kw_only=True, eq=False)
class LocalMeasuring:
    """Measures samples in their order, in this process.

    Attributes:
        submission: where the videos are.
        scorer: what measures them.
        limits: of each decoder process.
        decoders: how many videos are decoded at a time.
    """

    submission: Submission
    scorer: Scorer
    limits: ProcessLimits = field(default_factory=ProcessLimits)
    decoders: int = 2

    def results(
        self, samples: Sequence[Sample], rows: Mapping[str, SampleRow]
    ) -> Generator[tuple[Sample, Measured | None]]:
        """Every sample as soon as it is measured; see `ipvg_eval.scoring.run.Measuring`."""
        preparation = Preparation(submission=self.submission, scorer=self.scorer, rows=rows)
        with ExitStack() as stack:
            decoders = [stack.enter_context(DecoderProcess(self.limits)) for _ in range(self.decoders)]
            turns = ahead(samples, preparation.produce, decoders, cancel=DecoderProcess.kill)
            for sample, channel in stack.enter_context(closing(turns)):
                yield sample, preparation.finish(sample, channel)
