"""Another package's evaluator among ours: what goes wrong in it bears the package's name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from typing import Any, ClassVar, TypeVar

import numpy as np
from pydantic import BaseModel

from ipvg_eval.core.errors import IpvgError
from ipvg_eval.core.measurement import ClipInfo, Frames, Measurement
from ipvg_eval.metrics.evaluator import Evaluator, KnownPass, Pass, missing
from ipvg_eval.metrics.plugins import Plugin
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
    """An evaluator of another package; where it breaks, that costs its own metrics only.

    On a video it breaks by raising, whatever that is, or by answering what is no answer. Its metrics are then
    missing with the package's name, and marked as broken; those of other evaluators are not touched.

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
        """The frames that it wants; none where it breaks, which `start` will meet again."""
        try:
            return self._wanted(clip)
        except _Broken:
            return ()

    def start(self, target: Target, clip: ClipInfo) -> Pass:
        """Begin the measuring of one video.

        Raises:
            IpvgError: the evaluator says that the target cannot be measured against.
        """
        try:
            self._wanted(clip)
            with self._breaking(but=IpvgError):
                return _GuardedPass(self, self._inside.start(target, clip))
        except _Broken as broken:
            return KnownPass(self.missing(broken))

    def add(self, inside: Pass, indices: Sequence[int], frames: Frames) -> None:
        """Hand over frames of which it may do what it likes.

        Raises:
            _Broken: it breaks.
        """
        with self._breaking():
            inside.add(indices, frames.copy())

    def finish(self, inside: Pass) -> list[Measurement]:
        """What it measured, if that is one measurement per spec.

        Raises:
            _Broken: it breaks, or it is not.
        """
        with self._breaking():
            measurements: object = inside.finish()
        names = [spec.name for spec in self.specs]
        if not isinstance(measurements, list) or not all(isinstance(m, Measurement) for m in measurements):
            raise self._broken("finish() gives no list of Measurement")
        found = [measurement.name for measurement in measurements]
        if found != names:
            raise self._broken(f"finish() measures {', '.join(found)}, and its specs are {', '.join(names)}")
        for measurement in measurements:
            if measurement.value is not None and not isinstance(
                measurement.value, float | int | np.floating | np.integer
            ):
                raise self._broken(f"{measurement.name} is {measurement.value!r}, which is no number")
        return measurements

    def missing(self, broken: _Broken) -> list[Measurement]:
        """Its metrics where it broke."""
        return [replace(one, broken=True) for one in missing(self.specs, str(broken))]

    def _wanted(self, clip: ClipInfo) -> list[int]:
        with self._breaking():
            wanted = [int(index) for index in self._inside.frames(clip)]
        ascending = all(one < other for one, other in pairwise(wanted))
        if not ascending or (wanted and not 0 <= wanted[0] <= wanted[-1] < clip.frame_count):
            raise self._broken(f"frames() gives {wanted[:5]}..., which are not ascending frames of the video")
        return wanted

    @contextmanager
    def _breaking(self, *, but: type[Exception] | tuple[()] = ()) -> Iterator[None]:
        try:
            yield
        except MemoryError:
            raise  # nobody knows whose it is
        except but:
            raise
        except (Exception, SystemExit) as error:  # another's code may raise anything
            raise self._broken(f"{type(error).__name__}: {error}") from error

    def _broken(self, what: str) -> _Broken:
        return _Broken(f"{self._plugin.kind!r} of the package {self._plugin}: {what}")


class _Broken(Exception):
    """It raised, or answered what is no answer, on one video."""


class _GuardedPass:
    def __init__(self, guard: GuardedEvaluator, inside: Pass) -> None:
        self._guard = guard
        self._inside = inside
        self._broken: _Broken | None = None

    def add(self, indices: Sequence[int], frames: Frames) -> None:
        if self._broken is None:
            try:
                self._guard.add(self._inside, indices, frames)
            except _Broken as broken:
                self._broken = broken

    def finish(self) -> list[Measurement]:
        if self._broken is None:
            try:
                return self._guard.finish(self._inside)
            except _Broken as broken:
                self._broken = broken
        return self._guard.missing(self._broken)
