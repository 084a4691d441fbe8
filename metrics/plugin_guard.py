"""Another package's evaluator among ours: what goes wrong in it bears the package's name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, ClassVar, TypeVar

import numpy as np
from pydantic import BaseModel

from ipvg_eval.core.errors import IpvgError
from ipvg_eval.core.measurement import ClipInfo, Frames, Measurement
from ipvg_eval.metrics.evaluator import Evaluator, Pass
from ipvg_eval.metrics.plugins import EvaluatorFailed, Plugin
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.target import Target

T = TypeVar("T")


def explained(plugin: Plugin, doing: str, step: Callable[[], T]) -> T:
    """What a step gives that needs no video.

    Raises:
        IpvgError: whatever of these it raises; it has its own explanation.
        BrokenPlugin: it raises anything else.
    """
    try:
        return step()
    except IpvgError:
        raise
    except Exception as error:
        raise plugin.raised(doing, error) from error


class GuardedEvaluator(Evaluator[BaseModel]):
    """An evaluator of another package; it behaves like the one inside, but says whose faults are whose.

    Args:
        plugin: where it comes from.
        cls: its class.
        options: its options.
        runtime: what it is built with.

    Raises:
        BrokenPlugin: building it raises.
    """

    Options = BaseModel
    SPECS = ()
    BUDGET: ClassVar[str | None] = None

    def __init__(self, plugin: Plugin, cls: type[Evaluator], options: Any, runtime: Runtime) -> None:
        self._plugin = plugin
        self._inside = explained(plugin, "building it", lambda: cls(options, runtime))
        self.specs = explained(plugin, "reading its specs", lambda: plugin.stamped(self._inside.specs))
        self.weights = explained(plugin, "reading its weights", lambda: dict(self._inside.weights))
        self.notice: str | None = getattr(self._inside, "notice", None)

    def frames(self, clip: ClipInfo) -> Sequence[int]:
        """The frames that it wants, if these are frames of the video."""
        with self._naming():
            wanted = [int(index) for index in self._inside.frames(clip)]
        ascending = all(one < other for one, other in pairwise(wanted))
        if not ascending or (wanted and not 0 <= wanted[0] <= wanted[-1] < clip.frame_count):
            raise self._failed(f"frames() gives {wanted[:5]}..., which are not ascending frames of the video")
        return wanted

    def start(self, target: Target, clip: ClipInfo) -> Pass:
        """Begin the measuring of one video."""
        with self._naming():
            return _GuardedPass(self, self._inside.start(target, clip))

    def checked(self, measurements: object) -> list[Measurement]:
        """What it measured, if that is one measurement per spec."""
        names = [spec.name for spec in self.specs]
        if not isinstance(measurements, list) or not all(isinstance(m, Measurement) for m in measurements):
            raise self._failed("finish() gives no list of Measurement")
        found = [measurement.name for measurement in measurements]
        if found != names:
            raise self._failed(f"finish() measures {', '.join(found)}, and its specs are {', '.join(names)}")
        for measurement in measurements:
            if measurement.value is not None and not isinstance(
                measurement.value, float | int | np.floating | np.integer
            ):
                raise self._failed(f"{measurement.name} is {measurement.value!r}, which is no number")
        return measurements

    @contextmanager
    def _naming(self) -> Iterator[None]:
        try:
            yield
        except (IpvgError, EvaluatorFailed, MemoryError):
            raise
        except Exception as error:
            raise self._failed(f"{type(error).__name__}: {error}") from error

    def _failed(self, what: str) -> EvaluatorFailed:
        return EvaluatorFailed(f"{self._plugin.kind!r} of the package {self._plugin}: {what}")


class _GuardedPass:
    def __init__(self, guard: GuardedEvaluator, inside: Pass) -> None:
        self._guard = guard
        self._inside = inside

    def add(self, indices: Sequence[int], frames: Frames) -> None:
        with self._guard._naming():
            self._inside.add(indices, frames)

    def finish(self) -> list[Measurement]:
        with self._guard._naming():
            return self._guard.checked(self._inside.finish())
