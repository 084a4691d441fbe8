"""What the last `ipvg-eval doctor` found on this machine, for the runs that are measured after it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from ipvg_eval.core.run import Moment
from ipvg_eval.core.verdict import Verdict
from ipvg_eval.metrics.weights.places import Places
from ipvg_eval.results.files import replacing

_FILE = "doctor.json"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class CheckedMetric(_Record):
    """One metric as it was when it was checked.

    Attributes:
        verdict: what was found.
        weights: sha256 of the weights in use, by name.
    """

    verdict: Verdict
    weights: dict[str, str]


class DoctorRecord(_Record):
    """The outcome of a check.

    Attributes:
        time: when.
        device: on which device.
        packages: versions of the packages that can change a number.
        metrics: what was checked, by name.
    """

    time: Moment
    device: str
    packages: dict[str, str]
    metrics: dict[str, CheckedMetric]


def record_path() -> Path:
    """Where the record of this machine lies."""
    return Places.from_environment().cache_dir.parent / _FILE


def read_record() -> DoctorRecord | None:
    """The record of this machine; None where there is none that can be read."""
    try:
        return DoctorRecord.model_validate_json(record_path().read_bytes())
    except (OSError, ValidationError):
        return None


def write_record(record: DoctorRecord) -> None:
    """Keep a record, with what earlier checks of the same packages and device found of other metrics.

    Raises:
        OSError: the cache cannot be written.
    """
    old = read_record()
    if old is not None and (old.packages, old.device) == (record.packages, record.device):
        record = record.model_copy(update={"metrics": {**old.metrics, **record.metrics}})
    path = record_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        temporary.write_text(record.model_dump_json(indent=1), "utf-8")


def verdicts_of(
    metrics: Iterable[str], weights: Mapping[str, str], packages: Mapping[str, str], device: str
) -> dict[str, Verdict]:
    """The verdict on each metric; unchecked where the record is of other weights, packages or devices.

    Args:
        metrics: names.
        weights: sha256 by name of every weight in use.
        packages: versions in use.
        device: where the networks run.
    """
    record = read_record()
    same = record is not None and (record.packages, record.device) == (dict(packages), device)
    found = {}
    for name in metrics:
        checked = record.metrics.get(name) if record is not None and same else None
        known = checked is not None and checked.weights.items() <= weights.items()
        found[name] = checked.verdict if checked is not None and known else Verdict.UNCHECKED
    return found
