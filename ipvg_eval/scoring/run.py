"""One submission, measured sample by sample into a run folder."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ipvg_eval.errors import RunError, VideoError
from ipvg_eval.results.aggregate import CorpusSummary, count
from ipvg_eval.results.features import read_features, write_features
from ipvg_eval.results.folder import RunFolder
from ipvg_eval.results.info import RunInfo, SubmissionInfo, TestSetInfo
from ipvg_eval.results.journal import JournalWriter
from ipvg_eval.results.provenance import collect_provenance
from ipvg_eval.results.row import SampleRow, Status
from ipvg_eval.results.summary import Summary
from ipvg_eval.scoring.contact_sheet import reference_picture, save_picture
from ipvg_eval.scoring.measure import Measured, measure, unmeasured
from ipvg_eval.scoring.scorer import Scorer
from ipvg_eval.submission import Submission
from ipvg_eval.testset.model import Sample, TestSet
from ipvg_eval.validation import validate
from ipvg_eval.video import decoder_version


@dataclass(frozen=True, kw_only=True)
class SampleDone:
    """One sample of a run is done.

    Attributes:
        row: its row.
        measured: whether it was measured now, not in an earlier session.
        done: samples done so far.
        total: samples to do.
    """

    row: SampleRow
    measured: bool
    done: int
    total: int


OnSample = Callable[[SampleDone], None]


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoringRun:
    """The scoring of one submission.

    Attributes:
        submission: what is scored.
        testset: what it answers.
        scorer: what measures it.
        folder: where the run is written.
        team: who is scored.
        command: the command line, None where the Python API is used.
    """

    submission: Submission
    testset: TestSet
    scorer: Scorer
    folder: RunFolder
    team: str
    command: tuple[str, ...] | None = None

    def execute(self, *, limit: int | None = None, on_sample: OnSample | None = None) -> Summary:
        """Measure what is not measured yet, then write tables and summary.

        A row is on disk before the next sample starts. When this is interrupted, the tables of the
        samples finished so far are written, and a later call goes on from there.

        Args:
            limit: look at the first so many samples only.
            on_sample: called after every sample.

        Raises:
            RunError: the folder holds a different run, is in use, or cannot be written.
        """
        begun = _now()
        with self.folder.writing(self._info(begun, {})):
            started = self.folder.read_info().started
            rows = self.folder.journal.read()
            try:
                try:
                    self.folder.write_findings(validate(self.submission, self.testset).findings)
                    self._samples(self.testset.samples[:limit], rows, on_sample)
                finally:
                    ordered = [rows[sample.id] for sample in self.testset.samples if sample.id in rows]
                    summary = self.folder.write_results(
                        self._info(started, rows), ordered, self._corpus(ordered)
                    )
            except OSError as error:
                raise RunError(
                    f"the run cannot be written ({error.strerror or error})",
                    path=self.folder.path,
                    hint="Make room, then run the same command again: finished samples are kept.",
                ) from error
        return summary

    def _samples(
        self, samples: Sequence[Sample], rows: dict[str, SampleRow], on_sample: OnSample | None
    ) -> None:
        with self.folder.journal.appending() as journal:
            for done, sample in enumerate(samples, start=1):
                measured = self._one(sample, rows, journal)
                if on_sample is not None:
                    row = rows[sample.id]
                    on_sample(SampleDone(row=row, measured=measured, done=done, total=len(samples)))

    def _one(self, sample: Sample, rows: dict[str, SampleRow], journal: JournalWriter) -> bool:
        """Bring one sample's row up to date; whether it had to be measured."""
        sha256, refusal = self._hash(sample)
        earlier = rows.get(sample.id)
        if earlier is not None and earlier.finished and earlier.video_sha256 == sha256:
            return False
        measured = self._measured(sample, sha256) if sha256 is not None else refusal
        rows[sample.id] = self._keep(sample, measured, journal)
        return True

    def _hash(self, sample: Sample) -> tuple[str | None, Measured]:
        """The video's hash, or None and the result for a sample whose video cannot be read."""
        specs = self.scorer.specs
        refused = sample.video in self.submission.refused
        reason = f"{sample.video} was refused, see the findings" if refused else f"there is no {sample.video}"
        missing = unmeasured(sample, specs, Status.MISSING, reason)
        if not self.submission.has(sample.video):
            return None, missing
        try:
            return self.submission.sha256(sample.video), missing
        except VideoError as error:
            return None, unmeasured(sample, specs, Status.UNDECODABLE, error.message)

    def _measured(self, sample: Sample, sha256: str) -> Measured:
        with self.submission.open_video(sample.video) as video:
            return measure(sample, video, sha256, self.scorer.evaluators, self.scorer.specs)

    def _keep(self, sample: Sample, measured: Measured, journal: JournalWriter) -> SampleRow:
        if measured.contact_sheet is not None:
            save_picture(measured.contact_sheet, self.folder.thumbnail(sample.id))
        reference = self.folder.reference(sample.identity)
        if not reference.exists():
            save_picture(reference_picture(sample.references[0].path), reference)
        write_features(self.folder.features(sample.id), measured.features)
        journal.append(measured.row)
        return measured.row

    def _corpus(self, rows: Sequence[SampleRow]) -> list[CorpusSummary]:
        """The metrics of the whole submission, from the features the rows left behind."""
        summaries = []
        for metric in self.scorer.protocol.corpus:
            kept = (read_features(self.folder.features(row.sample)) for row in rows)
            result = metric(features[metric.needs] for features in kept if metric.needs in features)
            summaries.append(
                CorpusSummary(
                    name=metric.spec.name,
                    title=metric.spec.title,
                    higher_is_better=metric.spec.higher_is_better,
                    value=result.value,
                    reason=result.reason,
                    samples=result.samples,
                    references=result.references,
                )
            )
        return summaries

    def _info(self, started: str, rows: dict[str, SampleRow]) -> RunInfo:
        counts = count(rows.values(), samples=len(self.testset.samples))
        return RunInfo(
            team=self.team,
            submission=SubmissionInfo(name=self.submission.name, kind=self.submission.kind),
            protocol=self.scorer.protocol_info,
            specs=self.scorer.specs,
            testset=TestSetInfo(
                name=self.testset.root.name,
                layout=self.testset.layout,
                track=self.testset.track,
                samples=len(self.testset.samples),
                identities=len(self.testset.identities),
                fingerprint=self.testset.fingerprint,
            ),
            weights=self.scorer.weights,
            random_weights=self.scorer.random_seed,
            decoder=decoder_version(),
            device=self.scorer.device_info,
            provenance=collect_provenance(),
            command=self.command,
            started=started,
            finished=None if counts.pending else _now(),
            seconds=math.fsum(row.seconds for row in rows.values()),
            counts=counts,
        )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
