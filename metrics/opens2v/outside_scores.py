"""The parts of OpenS2V-Eval that are measured elsewhere and read from files.

NaturalScore asks a commercial service. NexusScore needs YOLO-World with an adapter for picture prompts, which
no maintained library offers. Motion smoothness needs Q-Align's marks for windows of three frames; pyiqa's
port takes single pictures only, and marks of single pictures would be another metric.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from pydantic import Field, field_validator
from typing_extensions import override

from ipvg_eval.core.measurement import SUBMISSION_FILE, ClipInfo, Measurement
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.evaluator import Evaluator, EvaluatorOptions, KnownPass, Pass, missing
from ipvg_eval.metrics.opens2v.normalisation import unit_natural, unit_nexus, unit_size
from ipvg_eval.metrics.opens2v.score_files import ScoreFile, read_marks, read_numbers
from ipvg_eval.metrics.opens2v.spec import NATURAL, NATURAL_UNIT, NEXUS, NEXUS_UNIT, SMOOTHNESS_UNIT
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.target import Target

_ROUNDS = 3


class OutsideOptions(EvaluatorOptions):
    """The files, each as the published script writes it; see `ipvg_eval.metrics.opens2v.score_files`.

    Relative paths start from the folder the command runs in. Without its file a metric has no value.

    Attributes:
        motion_smoothness: motion_smoothness.json of eval/get_motion_smoothness.py.
        nexusscore: nexusscore.json of eval/get_nexusscore.py.
        naturalscore: naturalscore_1.json to naturalscore_3.json of eval/get_naturalscore.py.
    """

    motion_smoothness: str | None = None
    nexusscore: str | None = None
    naturalscore: tuple[str, ...] = Field(default=(), max_length=_ROUNDS)

    @field_validator("naturalscore")
    @classmethod
    def _different(cls, paths: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(paths)) < len(paths):
            raise ValueError("one file is named twice; every round of questions has a file of its own")
        return paths


class OutsideScores(Evaluator[OutsideOptions]):
    """Looks the scores of a video up in files that were read once.

    Measures motion smoothness, NexusScore and NaturalScore, as they are and between 0 and 1.

    Attributes:
        weights: sha256 of every file by its published name.
    """

    Options = OutsideOptions
    SPECS: ClassVar[tuple[MetricSpec, ...]] = (SMOOTHNESS_UNIT, NEXUS, NEXUS_UNIT, NATURAL, NATURAL_UNIT)
    BUDGET: ClassVar[None] = None
    FILES: ClassVar[tuple[str, ...]] = ("motion_smoothness", "nexusscore", "naturalscore")

    def __init__(self, options: OutsideOptions, runtime: Runtime) -> None:
        """Read the files.

        Raises:
            ProtocolError: a file is not there or not such a file.
        """
        super().__init__(options, runtime)
        self._smoothness = _numbers(options.motion_smoothness, "motion_smoothness")
        self._nexus = _numbers(options.nexusscore, "nexus_score")
        self._natural = tuple(read_marks(Path(path)) for path in options.naturalscore)
        named = {"motion_smoothness.json": self._smoothness, "nexusscore.json": self._nexus}
        named |= {f"naturalscore_{n}.json": file for n, file in enumerate(self._natural, start=1)}
        self.weights = {
            f"{SUBMISSION_FILE}{name}": file.sha256 for name, file in named.items() if file is not None
        }

    @override
    def frames(self, clip: ClipInfo) -> Sequence[int]:
        """It looks at no frames."""
        return ()

    @override
    def start(self, target: Target, clip: ClipInfo) -> Pass:
        """Look the video's scores up."""
        sample = target.sample_id
        return KnownPass(
            [
                _smoothness(self._smoothness, sample),
                *_nexus(self._nexus, sample),
                *_naturalness(self._natural, sample),
            ]
        )


def _numbers(path: str | None, key: str) -> ScoreFile | None:
    return None if path is None else read_numbers(Path(path), key)


def _smoothness(file: ScoreFile | None, sample: str) -> Measurement:
    value, reason = _look_up(file, sample, option="motion_smoothness")
    if value is None:
        return Measurement(name=SMOOTHNESS_UNIT.name, value=None, reason=reason)
    return Measurement(name=SMOOTHNESS_UNIT.name, value=unit_size(value))


def _nexus(file: ScoreFile | None, sample: str) -> list[Measurement]:
    value, reason = _look_up(file, sample, option="nexusscore")
    if value is None:
        return missing((NEXUS, NEXUS_UNIT), reason)
    unit = unit_nexus(value)
    zero = "NexusScore is 0, and the published mean leaves such videos out" if unit is None else None
    return [
        Measurement(name=NEXUS.name, value=value),
        Measurement(name=NEXUS_UNIT.name, value=unit, reason=zero),
    ]


def _naturalness(files: Sequence[ScoreFile], sample: str) -> list[Measurement]:
    """The mean of the rounds that have a mark, as published; a mark that is no number leaves no mean.

    The published script breaks there. Averaging the rest would hide a failed question.
    """
    specs = (NATURAL, NATURAL_UNIT)
    if not files:
        return missing(specs, _not_given("naturalscore"))
    marks: list[float] = []
    for file in files:
        mark = _mark(file, sample)
        if isinstance(mark, str):
            return missing(specs, f"{file.path.name} says {mark[:60]!r} for this video")
        if mark is not None:
            marks.append(mark)
    if not marks:
        return missing(specs, f"none of {', '.join(file.path.name for file in files)} has {sample!r}")
    value = math.fsum(marks) / len(marks)
    note = f"mean of {len(marks)} of {_ROUNDS} rounds" if len(marks) < _ROUNDS else None
    return [
        Measurement(name=NATURAL.name, value=value, note=note),
        Measurement(name=NATURAL_UNIT.name, value=unit_natural(value), note=note),
    ]


def _mark(file: ScoreFile, sample: str) -> float | str | None:
    try:
        return file.score(sample)
    except KeyError:
        return None


def _look_up(file: ScoreFile | None, sample: str, *, option: str) -> tuple[float | None, str]:
    """A number, or None and the reason."""
    if file is None:
        return None, _not_given(option)
    try:
        value = file.score(sample)
    except KeyError:
        return None, f"{file.path.name} has no {sample!r}"
    assert isinstance(value, float)
    return value, ""


def _not_given(option: str) -> str:
    return f"measured elsewhere: name its file as `{option}` in the protocol's options of outside_scores"
