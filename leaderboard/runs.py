"""Reading the folders of scored runs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pandas as pd
from pydantic import BaseModel, ValidationError

from ipvg_eval.core.audit_record import FILE_NAME, AuditRecord
from ipvg_eval.core.bounded import read_bounded
from ipvg_eval.core.names import composed
from ipvg_eval.core.run import RunInfo
from ipvg_eval.core.run_folder import check_run_folder
from ipvg_eval.core.run_tables import read_samples
from ipvg_eval.core.suggest import listed
from ipvg_eval.core.summary import Identification, Summary
from ipvg_eval.leaderboard.errors import RunsError

_Model = TypeVar("_Model", bound=BaseModel)
_RESCORE = "Score again with the same arguments; finished samples are not measured again."


@dataclass(frozen=True, kw_only=True)
class Mean:
    """A metric's mean, None without any value, over `count` samples."""

    value: float | None
    count: int


@dataclass(frozen=True, kw_only=True)
class ScoredRun:
    """One scored submission.

    Attributes:
        path: its folder.
        info: run.json.
        means: mean and number of samples of every metric of summary.json, by name; of a metric of the whole
            submission its value, and all samples.
        samples: one row per sample: sample, identity, status, reason (text) and one float column per metric
            that has a value per sample; NaN where a value is missing.
        audit: audit.json; None where the run was not audited.
        identification: videos against everybody, one entry per network that kept embeddings.
    """

    path: Path
    info: RunInfo
    means: Mapping[str, Mean]
    samples: pd.DataFrame
    audit: AuditRecord | None = None
    identification: tuple[Identification, ...] = ()

    @property
    def team(self) -> str:
        """Who is scored."""
        return self.info.team

    @property
    def track(self) -> str:
        """The track of its test set."""
        return self.info.testset.track


def read_runs(folders: Iterable[Path | str]) -> tuple[ScoredRun, ...]:
    """Read run folders, each once.

    Raises:
        NotARun: a folder is no run.
        RunsError: no folder is given, or one is unfinished, or has a damaged file.
    """
    paths = {Path(folder).resolve(): Path(folder) for folder in folders}
    if not paths:
        raise RunsError("no run is given", hint="Give the folders that `ipvg-eval score` wrote.")
    return tuple(read_run(path) for path in paths.values())


def read_run(path: Path | str) -> ScoredRun:
    """Read one run folder: run.json, summary.json and samples.parquet.

    Raises:
        NotARun: the folder is no run.
        RunsError: as `read_runs`; names the file.
    """
    path = Path(path)
    check_run_folder(path)
    info = _read_json(path / "run.json", RunInfo)
    if info.finished is None:
        raise RunsError(
            f"this run of team {info.team!r} is not finished: "
            f"{info.counts.pending} of {info.counts.samples} samples are pending",
            path=path,
            hint="Run `ipvg-eval score` again with the same arguments; it goes on where it stopped.",
        )
    summary = _read_json(path / "summary.json", Summary)
    if (summary.team, summary.testset) != (info.team, info.testset.fingerprint):
        raise _damaged(path / "summary.json", "it belongs to another run than run.json")
    means = {metric.name: Mean(value=metric.mean, count=metric.count) for metric in summary.metrics}
    samples = _read_samples(path / "samples.parquet", info)
    _check_agreement(path / "samples.parquet", samples, means)
    for whole in summary.corpus:
        count = len(samples) if whole.value is not None else 0
        means[whole.name] = Mean(value=whole.value, count=count)
    record = path / FILE_NAME
    audit = _read_json(record, AuditRecord) if record.exists() else None
    return ScoredRun(
        path=path,
        info=info,
        means=means,
        samples=samples,
        audit=audit,
        identification=summary.identification,
    )


def _read_json(path: Path, model: type[_Model]) -> _Model:
    try:
        return model.model_validate_json(read_bounded(path))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise _damaged(path, f"{place}: {first['msg']}" if place else first["msg"]) from error
    except (OSError, ValueError) as error:
        raise _damaged(path, getattr(error, "strerror", None) or str(error)) from error


def _read_samples(path: Path, info: RunInfo) -> pd.DataFrame:
    try:
        table = read_samples(path, info)
    except (OSError, ValueError) as error:
        raise _damaged(path, str(error).partition("\n")[0]) from error
    metrics = [metric.name for metric in info.metrics if metric.name in table]
    text = ["sample", "identity", "status", "reason"]
    for name in ("sample", "identity"):
        table[name] = table[name].map(str).map(composed)
    return table[[*text, *metrics]].astype(dict.fromkeys(text, object) | dict.fromkeys(metrics, "float64"))


def _check_agreement(path: Path, samples: pd.DataFrame, means: Mapping[str, Mean]) -> None:
    """Means are recomputed from the rows: a table that was changed or truncated afterwards is found."""
    for name, told in means.items():
        if name not in samples:
            continue
        values = samples[name].dropna()
        mean = math.fsum(values) / len(values) if len(values) else None
        same = (mean is None) == (told.value is None) and math.isclose(
            mean or 0.0, told.value or 0.0, rel_tol=1e-9, abs_tol=1e-12
        )
        if len(values) != told.count or not same:
            raise _damaged(path, f"its column {name!r} does not have the mean that summary.json gives")


def _damaged(path: Path, what: str) -> RunsError:
    return RunsError(f"this file of a run is damaged ({what})", path=path, hint=_RESCORE)


def unofficial_reasons(runs: Sequence[ScoredRun]) -> tuple[str, ...]:
    """Why these runs must not be ranked officially, one sentence per reason and team; empty if they may."""
    reasons = []
    for run in runs:
        if not run.info.protocol.official:
            reasons.append(f"{run.team} ({run.path}): protocol {run.info.protocol.name!r} is not official")
        if run.info.random_weights is not None:
            reasons.append(f"{run.team} ({run.path}): its networks had random weights")
    return tuple(reasons)


def require_official(runs: Sequence[ScoredRun]) -> None:
    """Refuse runs by an unofficial protocol or with random weights.

    Raises:
        RunsError: with every reason.
    """
    if reasons := unofficial_reasons(runs):
        raise RunsError(
            "these runs cannot make a leaderboard:\n" + listed(reasons),
            hint="Score with an official protocol and real weights, or say --unofficial to see a trial page.",
        )
