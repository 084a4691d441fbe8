"""The contract between whoever decodes a video and whatever measures it.

One pass over one video: an evaluator says which frames it needs, a pass collects them in
ascending order and ends with measurements. The same decoded frames feed every evaluator.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Generic, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict
from typing_extensions import TypeVar

from ipvg_eval.core.measurement import ClipInfo, Frames, Measurement
from ipvg_eval.core.sound import Heard, Sounds
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.runtime import Runtime, weight_source
from ipvg_eval.metrics.target import Target
from ipvg_eval.metrics.weight_file import WeightFile

NO_FRAME = "no frame could be read"
NO_FRAME_DECODED = "no frame could be decoded"
NOT_FINITE = "the network's output is not finite"


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


@runtime_checkable
class HearingPass(Pass, Protocol):
    """A pass of an evaluator that hears."""

    def hear(self, sounds: Sounds) -> None:
        """Take the sounds; called once, before the first frame."""
        ...


@runtime_checkable
class ComparingPass(Pass, Protocol):
    """A pass of an evaluator that compares with the test set's own video, which has a pass of its own."""

    def compare(self, reference: Pass | str) -> None:
        """Take the pass of the reference video, which has seen all its frames; called once, before `finish`.

        Args:
            reference: that pass, of the same evaluator; or why there is none.
        """
        ...


class KnownPass:
    """A video whose measurements are known before its first frame."""

    def __init__(self, measurements: list[Measurement]) -> None:
        self._measurements = measurements

    def add(self, indices: Sequence[int], frames: Frames) -> None:
        """Nothing to do."""

    def finish(self) -> list[Measurement]:
        """What was known."""
        return self._measurements


def missing(specs: Iterable[MetricSpec], reason: str) -> list[Measurement]:
    """Metrics without a value, all for one reason."""
    return [Measurement(name=spec.name, value=None, reason=reason) for spec in specs]


def lost_frames(read: int, wanted: int) -> list[str]:
    """The note on frames that could not be read; none where all came."""
    return [f"{read} of {wanted} frames could be read"] if read < wanted else []


class EvaluatorOptions(BaseModel):
    """Rules of one protocol; they cannot be changed afterwards, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


OptionsT = TypeVar("OptionsT", bound=BaseModel, default=Any)


class Evaluator(ABC, Generic[OptionsT]):
    """A family of metrics that share work on the same frames.

    A class whose measurements can be recombined under other options also has the methods of
    `ipvg_eval.metrics.rescoring.Rescoring`.

    Attributes:
        Options: pydantic model of its options; unknown keys are refused.
        SPECS: every metric it can measure, with its default options.
        BUDGET: the option that bounds how many frames, or groups of frames, it looks at; None where it looks
            at none.
        FILES: the options that name files about the submission; which files they are does not change the
            protocol's rules.
        WEIGHTS: the weight files that an evaluator of another package brings; ours are in a table.
        FORMULAS: the formula of each of its metrics, by name, for their cards; likewise.
        specs: the metrics it measures, in the order `Pass.finish` reports them.
        weights: sha256 of every weight file in use, by name; empty where there is none. A file that says
            something of the one submission has a name that begins with `SUBMISSION_FILE`.
        hears: which sounds its passes are given; they are `HearingPass`es where it hears any.
        compares: whether the test set's own video is shown to it too, where there is one; its passes are
            `ComparingPass`es then.
    """

    Options: ClassVar[type[BaseModel]]
    SPECS: ClassVar[tuple[MetricSpec, ...]]
    BUDGET: ClassVar[str | None]
    FILES: ClassVar[tuple[str, ...]] = ()
    WEIGHTS: ClassVar[tuple[WeightFile, ...]] = ()
    FORMULAS: ClassVar[Mapping[str, str]] = {}

    specs: tuple[MetricSpec, ...]
    weights: Mapping[str, str]
    hears: frozenset[Heard] = frozenset()
    compares: bool = False

    def __init__(self, options: OptionsT, runtime: Runtime) -> None:
        """Load the networks, where there are any.

        Raises:
            WeightsMissing: a package or a weight file is not on this machine.
        """
        self._options = options
        self.specs = self.specs_for(options)
        needed = self.required_weights(options)
        self.weights = {name: weight_source(runtime, name).sha256(name) for name in needed}

    @classmethod
    def specs_for(cls, _options: Any, /) -> tuple[MetricSpec, ...]:
        """The metrics it measures with these options; all, unless a class says otherwise."""
        return cls.SPECS

    @classmethod
    def as_measured(cls, options: dict[str, Any], _versions: Mapping[str, int], /) -> dict[str, Any]:
        """The options as a finished run understood them, where their defaults have changed since.

        Args:
            options: as the run's protocol says them.
            _versions: version of every metric of the run, by name.
        """
        return options

    @classmethod
    def required_weights(cls, options: Any, /) -> tuple[str, ...]:
        """Names of the declared weights that building it with these options needs: those of its metrics."""
        return tuple(dict.fromkeys(name for spec in cls.specs_for(options) for name in spec.weights))

    @classmethod
    def optional_weights(cls, _options: Any, /) -> tuple[str, ...]:
        """Names of the declared weights that it uses where they are on the machine.

        An evaluator that had to do without says so in its attribute `notice`, which every output of a run
        repeats.
        """
        return ()

    @abstractmethod
    def frames(self, clip: ClipInfo) -> Sequence[int]:
        """Indices of the frames it wants, ascending, without repeats."""

    @abstractmethod
    def start(self, target: Target, clip: ClipInfo) -> Pass:
        """Begin the measuring of one video.

        Raises:
            MetricsError: the target cannot be measured against (an unreadable reference picture).
        """
