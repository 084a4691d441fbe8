"""The contract between whoever decodes a video and whatever measures it.

One pass over one video: an evaluator says which frames it needs, a pass collects them in
ascending order and ends with measurements. The same decoded frames feed every evaluator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from ipvg_eval.core.measurement import ClipInfo, Frames, Measurement
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.target import Target


class Pass(Protocol):
    """The measuring of one video by one evaluator."""

    def add(self, indices: Sequence[int], frames: Frames) -> None:
        """Take the next wanted frames.

        Args:
            indices: ascending frame indices, all of them asked for by `Evaluator.frames`; frames that
                could not be decoded are left out.
            frames: (len(indices), height, width, 3) RGB uint8; only valid during the call.
        """
        ...

    def finish(self) -> list[Measurement]:
        """One measurement per spec, in the specs' order, from the frames seen so far."""
        ...


class Evaluator(Protocol):
    """A family of metrics that share work on the same frames.

    Attributes:
        specs: the metrics it measures, in the order `Pass.finish` reports them.
        weights: sha256 of every weight file in use, by name; empty where there is none. A file that says
            something of the one submission has a name that begins with `SUBMISSION_FILE`.
    """

    specs: tuple[MetricSpec, ...]
    weights: Mapping[str, str]

    def frames(self, clip: ClipInfo) -> Sequence[int]:
        """Indices of the frames it wants, ascending, without repeats."""
        ...

    def start(self, target: Target, clip: ClipInfo) -> Pass:
        """Begin the measuring of one video.

        Raises:
            MetricsError: the target cannot be measured against (an unreadable reference picture).
        """
        ...
