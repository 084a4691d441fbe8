"""Systems of other packages: a class that is made of the settings and has `make(task)`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ipvg_eval.reference_generator.errors import GeneratorError, SystemUnusable
from ipvg_eval.reference_generator.systems.kinds.kind import Kind
from ipvg_eval.reference_generator.task import Clip, System, Task

if TYPE_CHECKING:
    from ipvg_eval.reference_generator.job import Job
    from ipvg_eval.reference_generator.models import Found
    from ipvg_eval.reference_generator.settings import Settings


class PlugInKind(Kind):
    """A class of another package. If it has `Options`, a pydantic model, they check `options`."""

    section = "options"
    has_models = False

    def __init__(self, plugged: Any) -> None:
        self._plugged = plugged

    def check(self, settings: Settings) -> None:
        """See `Kind.check`."""
        super().check(settings)
        model = getattr(self._plugged, "Options", None)
        if model is None:
            return
        try:
            model.model_validate(settings.options)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(("options", *map(str, first["loc"])))
            raise ValueError(f"{place}: {first['msg']}") from error

    def load(self, settings: Settings, found: dict[str, Found]) -> System:
        """See `Kind.load`."""
        del found
        try:
            return PluggedIn(self._plugged(settings))
        except GeneratorError:
            raise
        except Exception as error:
            raise SystemUnusable(
                f"the system {settings.system} cannot be loaded ({type(error).__name__}: {error})",
                hint="Ask the package that it comes from.",
            ) from error


class PluggedIn(System):
    """Whatever has `make(task)`; `begin`, `stop`, `close` and `concurrency` are used where they are there."""

    def __init__(self, plugged: Any) -> None:
        self._plugged = plugged
        self.concurrency = int(getattr(plugged, "concurrency", 1))

    def begin(self, jobs: Sequence[tuple[Job, str]], records: Path) -> None:
        """See `System.begin`."""
        if (begin := getattr(self._plugged, "begin", None)) is not None:
            begin(jobs, records)

    def make(self, task: Task) -> Clip | Path:
        """See `System.make`."""
        made: Clip | Path = self._plugged.make(task)
        return made

    def stop(self) -> None:
        """See `System.stop`."""
        if (stop := getattr(self._plugged, "stop", None)) is not None:
            stop()

    def close(self) -> None:
        """See `System.close`."""
        if (close := getattr(self._plugged, "close", None)) is not None:
            close()
