"""Measuring a part of a run again, to see whether its numbers can be reproduced."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ipvg_eval.core.comparability import differences
from ipvg_eval.core.errors import UsageError
from ipvg_eval.core.row import MeasurementRow, SampleRow, Status
from ipvg_eval.core.run import RunInfo
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.errors import RunError
from ipvg_eval.metrics.protocols.loading import restore_protocol
from ipvg_eval.metrics.runtime import DEFAULT_BATCH_SIZE, Dtype
from ipvg_eval.results import Run, load_run
from ipvg_eval.results.folder import RunFolder
from ipvg_eval.scoring.local_executor import LocalExecutor
from ipvg_eval.scoring.recipe import Recipe
from ipvg_eval.scoring.run import OnSample, ScoringRun
from ipvg_eval.submission import Submission, load_submission
from ipvg_eval.testset import TestSet, load_testset

_DTYPES: dict[str, Dtype] = {"float32": "float32", "float16": "float16", "bfloat16": "bfloat16"}
RELATIVE_TOLERANCE = 1e-3


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A number that was not reproduced.

    Attributes:
        sample: id of the sample.
        metric: the metric, or "video" where the submission holds another file than was measured.
        recorded: what the run says.
        measured: what was measured now.
        tolerance: how far the two may differ, 0 where they must be equal.
    """

    sample: str
    metric: str
    recorded: str
    measured: str
    tolerance: float


@dataclass(frozen=True, kw_only=True)
class Recomputation:
    """What measuring again showed.

    Attributes:
        samples: ids of the samples that were measured again.
        seed: which ones were drawn.
        values: how many values were compared.
        unlike: what differs between the run's machine and this one; empty where the values must be equal.
        differences: what was not reproduced.
    """

    samples: tuple[str, ...]
    seed: int
    values: int
    unlike: dict[str, tuple[str, str]]
    differences: tuple[Difference, ...]

    @property
    def ok(self) -> bool:
        """Everything was reproduced."""
        return not self.differences


def recompute(
    run: Run | Path | str,
    submission: Submission | Path | str,
    testset: TestSet | Path | str,
    *,
    count: int,
    seed: int = 0,
    device: str = "auto",
    on_sample: OnSample | None = None,
) -> Recomputation:
    """Measure a seeded sample of a run's scored videos again, by the run's own protocol.

    On the same device, with the same decoder and packages, everything kept of a measurement must be equal,
    frame by frame. Elsewhere values must agree within `tolerance` of their metric, and the same be missing.

    Args:
        run: the run, or its folder.
        submission: what was scored.
        testset: against which test set.
        count: how many samples are drawn; all scored ones if there are fewer.
        seed: of the draw.
        device: "auto", "cpu", "cuda" or "cuda:N".
        on_sample: called after every sample.

    Raises:
        UsageError: fewer than one sample is asked for.
        RunError: the run has no scored sample, or belongs to another test set.
        MetricsError: the protocol, its weights or the device cannot be used.
    """
    if count < 1:
        raise UsageError(f"--recompute {count}: there must be at least one sample to measure")
    read = run if isinstance(run, Run) else load_run(run)
    expected = testset if isinstance(testset, TestSet) else load_testset(testset)
    if expected.fingerprint != read.info.testset.fingerprint:
        raise RunError(
            "this run was measured against another test set",
            path=read.folder.path,
            hint="Give the test set of the run with --testset.",
        )
    rows = {name: row for name, row in read.folder.journal.read().items() if row.status is Status.SCORED}
    drawn = _drawn([s.id for s in expected.samples if s.id in rows], count, seed)
    if not drawn:
        raise RunError("no sample of this run is scored", path=read.folder.path, hint="Score it first.")
    subset = replace(expected, samples=tuple(s for s in expected.samples if s.id in drawn))
    loaded = submission if isinstance(submission, Submission) else load_submission(submission)
    loaded.expect([sample.video for sample in expected.samples])
    again = _measured_again(read.info, loaded, subset, device, on_sample)
    unlike = _unlike(read.info, again.info)
    different: list[Difference] = []
    compared = 0
    for sample in drawn:
        old, new = rows[sample], again.rows[sample]
        if old.video_sha256 != new.video_sha256:
            different.append(_other_video(old, new))
            continue
        for spec in read.info.specs:
            compared += 1
            before, now = _measurement(old, spec), _measurement(new, spec)
            found = _difference(spec, sample, before, now, exact=not unlike)
            different.extend([found] if found is not None else [])
    return Recomputation(
        samples=tuple(drawn), seed=seed, values=compared, unlike=unlike, differences=tuple(different)
    )


def tolerance(spec: MetricSpec, value: float) -> float:
    """How far a value may be from one measured on another kind of machine.

    A thousandth of the metric's range, or of the value where the range has no end.
    """
    low, high = spec.bounds
    if low is not None and high is not None:
        return RELATIVE_TOLERANCE * (high - low)
    return RELATIVE_TOLERANCE * max(abs(value), RELATIVE_TOLERANCE)


@dataclass(frozen=True, kw_only=True)
class _Again:
    info: RunInfo
    rows: dict[str, SampleRow]


def _drawn(samples: list[str], count: int, seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(samples))[:count].tolist()
    return [samples[k] for k in sorted(chosen)]


def _measured_again(
    info: RunInfo, submission: Submission, subset: TestSet, device: str, on_sample: OnSample | None
) -> _Again:
    recorded = info.device
    recipe = Recipe(
        protocol=restore_protocol(
            info.protocol.text,
            info.protocol.evaluators,
            where=info.protocol.name,
            versions={spec.name: spec.version for spec in info.specs},
        ),
        device=device,
        dtype=_DTYPES[recorded.dtype],
        weights=None if info.random_weights is None else f"random:{info.random_weights}",
        deterministic=recorded.deterministic,
        batch_size=recorded.batch_size or DEFAULT_BATCH_SIZE,
    )
    scorer = recipe.build()
    with tempfile.TemporaryDirectory(prefix="ipvg-") as temporary:
        folder = RunFolder(Path(temporary) / "run")
        ScoringRun(
            submission=submission,
            testset=subset,
            scorer_info=scorer.info,
            folder=folder,
            team=info.team,
            executor=LocalExecutor(submission=submission, scorer=scorer),
        ).execute(on_sample=on_sample)
        return _Again(info=folder.read_info(), rows=folder.journal.read())


def _unlike(old: RunInfo, new: RunInfo) -> dict[str, tuple[str, str]]:
    """What may move the last digits: device, threads, compilation, decoder, packages, weights."""
    ignored = {"protocol", "metrics", "test set"}
    found = {name: pair for name, pair in differences(old, new).items() if name not in ignored}
    pairs = {
        "device": (old.device.name, new.device.name),
        "threads": (str(old.device.threads), str(new.device.threads)),
        "compiled": (str(old.device.compiled), str(new.device.compiled)),
    }
    installed = old.provenance.packages.keys() | new.provenance.packages.keys()
    for name in sorted(installed):
        pairs[name] = (old.provenance.packages.get(name, "-"), new.provenance.packages.get(name, "-"))
    return found | {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _measurement(row: SampleRow, spec: MetricSpec) -> MeasurementRow:
    missing = MeasurementRow(name=spec.name, value=None, reason=row.reason)
    return next((m for m in row.measurements if m.name == spec.name), missing)


def _other_video(old: SampleRow, new: SampleRow) -> Difference:
    return Difference(
        sample=old.sample,
        metric="video",
        recorded=f"sha256 {old.video_sha256}",
        measured=f"sha256 {new.video_sha256}",
        tolerance=0.0,
    )


def _difference(
    spec: MetricSpec, sample: str, old: MeasurementRow, new: MeasurementRow, *, exact: bool
) -> Difference | None:
    allowed = 0.0 if exact else tolerance(spec, old.value or 0.0)
    if exact:
        same = old == new
    elif old.value is None or new.value is None:
        same = old.value is new.value
    else:
        same = abs(old.value - new.value) <= allowed
    if same:
        return None
    return Difference(
        sample=sample, metric=spec.name, recorded=_text(old), measured=_text(new), tolerance=allowed
    )


def _text(measurement: MeasurementRow) -> str:
    return repr(measurement.value) if measurement.value is not None else f"none: {measurement.reason}"
