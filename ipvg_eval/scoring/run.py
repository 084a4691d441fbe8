"""One submission, measured sample by sample into a run folder."""

from __future__ import annotations

import errno
import math
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from ipvg_eval.core.budget import Budget, Spending
from ipvg_eval.core.row import SampleRow
from ipvg_eval.core.run import RunInfo, SubmissionInfo, TestSetInfo, WorkersInfo
from ipvg_eval.core.summary import Summary
from ipvg_eval.core.verdict import Verdict
from ipvg_eval.errors import RunUnwritable
from ipvg_eval.findings import Finding
from ipvg_eval.metrics.timing import stage
from ipvg_eval.results.aggregate import count
from ipvg_eval.results.doctor_record import verdicts_of
from ipvg_eval.results.features import write_features
from ipvg_eval.results.folder import RunFolder
from ipvg_eval.results.journal import JournalWriter
from ipvg_eval.results.references import ReferenceFace
from ipvg_eval.sandbox import ProcessLimits
from ipvg_eval.scoring.contact_sheet import reference_picture, save_picture
from ipvg_eval.scoring.corpus import summarise_corpus
from ipvg_eval.scoring.one_video import Measured
from ipvg_eval.scoring.scorer_info import ScorerInfo
from ipvg_eval.submission import Submission
from ipvg_eval.testset.model import Sample, TestSet
from ipvg_eval.validation import validate


@dataclass(frozen=True, kw_only=True)
class SampleDone:
    """One sample of a run is done.

    Attributes:
        row: its row.
        measured: whether it was measured now, not in an earlier session.
        done: samples done so far.
        total: samples to do.
        budget: how much of the submission's time or pixels is used; above 1 where nothing is left.
    """

    row: SampleRow
    measured: bool
    done: int
    total: int
    budget: float


OnSample = Callable[[SampleDone], None]


class Executor(Protocol):
    """Whatever measures samples, here or elsewhere.

    Attributes:
        limits: of each process that decodes.
    """

    @property
    def limits(self) -> ProcessLimits:
        """Limits of each process that decodes."""
        ...

    def results(
        self, samples: Sequence[Sample], rows: Mapping[str, SampleRow], spending: Spending
    ) -> Generator[tuple[Sample, Measured | None]]:
        """Every sample once, in any order, with its result; None where its row is up to date.

        Args:
            samples: what is to be measured.
            rows: the rows so far, by sample id; read only, and growing while this runs.
            spending: what the submission may still cost; told what every video did.
        """
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoringRun:
    """The scoring of one submission.

    Attributes:
        submission: what is scored.
        testset: what it answers.
        scorer_info: what is recorded of the scorer that measures it.
        folder: where the run is written.
        team: who is scored.
        command: the command line, None where the Python API is used.
        reference_faces: which faces of the reference pictures count, where somebody looked.
        executor: what measures its samples.
        budget: what the submission's videos may cost.
        workers: tells which workers measured so far; None where this process does.
    """

    submission: Submission
    testset: TestSet
    scorer_info: ScorerInfo
    folder: RunFolder
    team: str
    executor: Executor
    command: tuple[str, ...] | None = None
    reference_faces: tuple[ReferenceFace, ...] = ()
    budget: Budget = field(default_factory=Budget)
    workers: Callable[[], WorkersInfo] | None = None

    def execute(self, *, limit: int | None = None, on_sample: OnSample | None = None) -> Summary:
        """Measure what is not measured yet, then write tables and summary.

        A row is on disk as soon as its sample is finished. When this is interrupted, the tables of the
        samples finished so far are written, and a later call goes on from there.

        Args:
            limit: look at the first so many samples only.
            on_sample: called after every sample.

        Raises:
            RunUnwritable: the folder holds a different run, is in use, or cannot be written.
        """
        begun = _now()
        with self.folder.writing(self._info(begun, {})):
            begun_with = self.folder.read_info()
            rows = self.folder.journal.read()
            try:
                try:
                    findings = self._findings()
                    with stage("write"):
                        self.folder.write_findings(findings)
                        if self.reference_faces:
                            self.folder.write_reference_faces(self.reference_faces)
                    self._samples(self.testset.samples[:limit], rows, on_sample)
                finally:
                    ordered = [rows[sample.id] for sample in self.testset.samples if sample.id in rows]
                    info = self._info(begun_with.started, rows)
                    corpus = summarise_corpus(self.scorer_info.protocol.corpus, self.folder, ordered)
                    with stage("write"):
                        summary = self.folder.write_results(
                            info.model_copy(update={"rescored": begun_with.rescored}), ordered, corpus
                        )
            except OSError as error:
                raise RunUnwritable(
                    f"the run cannot be written ({error.strerror or error})",
                    path=self.folder.path,
                    hint=_what_to_do(error),
                ) from error
        return summary

    def _findings(self) -> tuple[Finding, ...]:
        limits, budget = self.executor.limits, self.budget
        return validate(self.submission, self.testset, process_limits=limits, budget=budget).findings

    def _samples(
        self, samples: Sequence[Sample], rows: dict[str, SampleRow], on_sample: OnSample | None
    ) -> None:
        sizes = {sample.video: self.submission.files.get(sample.video, 0) for sample in samples}
        spending = Spending(self._full_budget, sizes)
        results = self.executor.results(samples, rows, spending)
        with self.folder.journal.appending() as journal, closing(results):
            for done, (sample, measured) in enumerate(results, start=1):
                if measured is not None:
                    with stage("write"):
                        rows[sample.id] = self._keep(sample, measured, journal)
                if on_sample is not None:
                    row, now = rows[sample.id], measured is not None
                    total, share = len(samples), spending.share
                    on_sample(SampleDone(row=row, measured=now, done=done, total=total, budget=share))

    @property
    def _full_budget(self) -> Budget:
        return self.budget.for_samples(len(self.testset.samples))

    def _keep(self, sample: Sample, measured: Measured, journal: JournalWriter) -> SampleRow:
        if measured.contact_sheet is not None:
            save_picture(measured.contact_sheet, self.folder.thumbnail(sample.id))
        for number, picture in enumerate(measured.event_pictures, start=1):
            path = self.folder.event_picture(sample.id, number)
            if picture is not None:
                save_picture(picture, path)
            else:
                path.unlink(missing_ok=True)
        reference = self.folder.reference(sample.identity)
        if sample.references and not reference.exists():
            save_picture(reference_picture(sample.references[0].path), reference)
        write_features(self.folder.features(sample.id), measured.features)
        journal.append(measured.row)
        return measured.row

    def _info(self, started: str, rows: dict[str, SampleRow]) -> RunInfo:
        counts = count(rows.values(), samples=len(self.testset.samples))
        return RunInfo(
            team=self.team,
            submission=SubmissionInfo(name=self.submission.name, kind=self.submission.kind),
            protocol=self.scorer_info.protocol_info,
            specs=self.scorer_info.specs,
            testset=TestSetInfo(
                name=self.testset.root.name,
                layout=self.testset.layout,
                track=self.testset.track,
                samples=len(self.testset.samples),
                identities=len(self.testset.identities),
                fingerprint=self.testset.fingerprint,
            ),
            weights=self._weights(),
            random_weights=self.scorer_info.random_seed,
            decoder=self.scorer_info.decoder,
            limits=self.executor.limits,
            budget=self._full_budget,
            confinement=self.scorer_info.confinement,
            device=self.scorer_info.device_info,
            workers=None if self.workers is None else self.workers(),
            provenance=self.scorer_info.provenance,
            command=self.command,
            started=started,
            finished=None if counts.pending else _now(),
            seconds=math.fsum(row.seconds for row in rows.values()),
            counts=counts,
            verdicts=self._verdicts(),
        )

    def _weights(self) -> dict[str, str]:
        """Of the networks, and of the real videos, which make the numbers no less."""
        digest = self.testset.reference_videos
        return self.scorer_info.weights | ({} if digest is None else {"reference_videos": digest})

    def _verdicts(self) -> dict[str, Verdict]:
        info = self.scorer_info
        names = [spec.name for spec in info.specs]
        if self.workers is not None:  # this machine's record says nothing about theirs
            return dict.fromkeys(names, Verdict.UNCHECKED)
        return verdicts_of(names, info.weights, info.provenance.packages, info.device_info.device)


def _what_to_do(error: OSError) -> str:
    again = "run the same command again: finished samples are kept."
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"Make room, then {again}"
    return f"Mend that, or choose another folder with --out; then {again}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
