"""An evaluator that kills the process it runs in, on the samples it is told to.

Importing this module makes it known as `deadly`: for other processes, and for tests that take it back.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from ipvg_eval.core.measurement import ClipInfo, FrameFeatures, Frames, Measurement
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.evaluator import Evaluator, EvaluatorOptions
from ipvg_eval.metrics.registry import EVALUATORS
from ipvg_eval.metrics.target import Target

_SPEC = MetricSpec(
    name="frames_seen",
    title="frames seen",
    version=1,
    higher_is_better=None,
    bounds=(0.0, None),
    source="a test",
    summary="How many frames came.",
)


class DeadlyOptions(EvaluatorOptions):
    always: tuple[str, ...] = ()
    once: tuple[str, ...] = ()
    memory: Path = Path()
    frames: int = 4


class Deadly(Evaluator[DeadlyOptions]):
    """Counts the frames it sees, and keeps the mean colour of each.

    Options: `always` kills at every attempt on these samples, until there is a file `cured` in `memory`;
    `once` at the first attempt, which is
    remembered by a file in the folder `memory`.
    """

    Options = DeadlyOptions
    SPECS: ClassVar[tuple[MetricSpec, ...]] = (_SPEC,)
    BUDGET: ClassVar[str] = "frames"

    def frames(self, clip: ClipInfo) -> Sequence[int]:
        return range(min(self._options.frames, clip.frame_count))

    def start(self, target: Target, _: ClipInfo) -> _Count:
        name = target.sample_id.replace("/", "-")
        with (self._options.memory / f"{name}.{os.getpid()}").open("a") as attempts:
            attempts.write("attempt\n")
        met = self._options.memory / f"{name}.met"
        if target.sample_id in self._options.always and not (self._options.memory / "cured").exists():
            os.kill(os.getpid(), signal.SIGKILL)
        if target.sample_id in self._options.once and not met.exists():
            met.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return _Count()


class _Count:
    def __init__(self) -> None:
        self._seen: list[int] = []
        self._rows: list[np.ndarray] = []

    def add(self, indices: Sequence[int], frames: Frames) -> None:
        self._seen += indices
        self._rows += [frame.mean(axis=(0, 1), dtype=np.float64).astype(np.float32) for frame in frames]

    def finish(self) -> list[Measurement]:
        features = FrameFeatures(indices=tuple(self._seen), rows=np.stack(self._rows))
        return [Measurement(name=_SPEC.name, value=float(len(self._seen)), features=features)]


EVALUATORS["deadly"] = f"{__name__}:{Deadly.__name__}"
