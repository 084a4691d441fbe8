"""What becomes of a failure: a record of one sample, or the end of the run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ipvg_eval.reference_generator.errors import (
    GeneratorError,
    RewriteFailed,
    SameFailureAgain,
    SampleFailed,
    SystemFailed,
)
from ipvg_eval.reference_generator.estimate import memory_advice
from ipvg_eval.reference_generator.output_folder import output_errors
from ipvg_eval.reference_generator.overview import strip_path
from ipvg_eval.reference_generator.plan import failed_record
from ipvg_eval.reference_generator.record import Record, record_path, write_record
from ipvg_eval.reference_generator.redaction import redacted
from ipvg_eval.reference_generator.settings import Settings

if TYPE_CHECKING:
    from ipvg_eval.reference_generator.job import Job

_ENOUGH = 3


class Tried(Protocol):
    """A sample that is at work: its job, the hash of what it is made from, and notes so far."""

    job: Job
    hash: str
    notes: tuple[str, ...]


@dataclass
class Outcome:
    """Whether the work inside `Failures.guarded` failed."""

    failed: bool = False


class Failures:
    """The failures of one run.

    Attributes:
        records: of the samples that failed so far.
    """

    def __init__(self, settings: Settings, out: Path) -> None:
        self._settings, self._out = settings, out
        self.records: list[Record] = []
        self._alike: list[str] = []

    def begin_stage(self) -> None:
        """Failures of another stage say nothing of this one's."""
        self._alike = []

    @contextmanager
    def guarded(self, sample: Tried) -> Iterator[Outcome]:
        """Turn one sample's failure into a record. What concerns all samples is raised."""
        outcome, kind, reason = Outcome(), "", ""
        try:
            yield outcome
            self._alike = []
            return
        except RewriteFailed as error:
            kind, reason = "rewriter", str(error)
        except SystemFailed as error:
            kind, reason = "system", str(error)
        except SampleFailed as error:
            kind, reason = "input", str(error)
        except GeneratorError:
            raise
        except Exception as error:
            kind = "out-of-memory" if _is_out_of_memory(error) else "error"
            reason = f"{type(error).__name__}: {error}"
        outcome.failed = True
        self.add(sample.job, kind, reason, hash_=sample.hash, notes=sample.notes)
        free_memory()

    def add(
        self, job: Job, kind: str, reason: str, *, hash_: str | None = None, notes: tuple[str, ...] = ()
    ) -> None:
        """Record a failure.

        Raises:
            SameFailureAgain: it is the third in a row that is alike.
            OutputUnusable: the record cannot be written.
        """
        reason = redacted(reason)
        record = failed_record(job, self._settings, hash_=hash_, kind=kind, reason=reason, notes=notes)
        self.records.append(record)
        with output_errors(self._out):
            strip_path(record_path(self._out, job)).unlink(missing_ok=True)
            write_record(record_path(self._out, job), record)
        self._stop_if_alike(kind, reason)

    def _stop_if_alike(self, kind: str, reason: str) -> None:
        """End the run where it is the system that fails. A sample's own input says nothing of the others."""
        if kind == "input":
            self._alike = []
            return
        failure = re.sub(r"\d+", "#", f"{kind} {reason}")
        self._alike = [*self._alike, failure] if failure in self._alike[-1:] else [failure]
        if len(self._alike) == _ENOUGH:
            raise SameFailureAgain(
                f"{_ENOUGH} samples in a row failed alike, so the run stops: {reason}",
                hint=memory_advice(self._settings)
                if kind == "out-of-memory"
                else "Mend the cause and run the same command again: it goes on from here.",
            )


def _is_out_of_memory(error: Exception) -> bool:
    import torch

    return isinstance(error, (MemoryError, torch.OutOfMemoryError))


def free_memory() -> None:
    """Give the device's unused memory back."""
    import gc
    import sys

    gc.collect()
    if "torch" in sys.modules:
        import torch

        if torch.cuda.is_available():
            torch.cuda.empty_cache()
