"""What a viewer shows: runs side by side, their submissions and the test set they answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from ipvg_eval.audit.records import read_audit
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.report.samples import Sample, read_samples
from ipvg_eval.results import Run
from ipvg_eval.submission import Submission
from ipvg_eval.testset import TestSet
from ipvg_eval.testset.model import Sample as Asked


@dataclass(frozen=True, kw_only=True)
class Remark:
    """One finding about a sample's video, of the validation or of an audit.

    Attributes:
        kind: stable name of the kind of finding.
        severity: "error", "warning" or "audit".
        message: what was found.
        action: what to do about it, empty for nothing.
    """

    kind: str
    severity: str
    message: str
    action: str


@dataclass(frozen=True, kw_only=True)
class Side:
    """One run of those side by side.

    Attributes:
        name: what it is called: its team, with the run folder's name where two runs are of one team.
        run: the run.
        submission: its videos; None where they are not given or not found.
        videos: why there are no videos, in words; empty where there are.
    """

    name: str
    run: Run
    submission: Submission | None
    videos: str = ""

    @cached_property
    def rows(self) -> Mapping[str, Sample]:
        """Its samples by id, in the order of its tables.

        Raises:
            RunError: samples.parquet does not have the columns that run.json promises.
        """
        return {sample.sample: sample for sample in read_samples(self.run)}

    @cached_property
    def hashes(self) -> Mapping[str, str]:
        """sha256 of the measured video by sample id, where there was one."""
        known = self.run.samples.dropna(subset="video_sha256")
        return dict(zip(known["sample"], known["video_sha256"], strict=True))

    @cached_property
    def frames(self) -> Mapping[str, pd.DataFrame]:
        """Per-frame values by sample id."""
        return {str(name): group for name, group in self.run.frames.groupby("sample", sort=False)}

    @cached_property
    def remarks(self) -> Mapping[str, tuple[Remark, ...]]:
        """Findings of the validation and of an audit, by sample id.

        Raises:
            RunError: audit.json is damaged.
        """
        by_video = {sample.video: sample.sample for sample in self.rows.values()}
        found: dict[str, list[Remark]] = {}
        for finding in self.run.findings:
            sample = finding.sample or by_video.get(finding.path)
            if sample is not None:
                remark = Remark(
                    kind=finding.code,
                    severity=finding.severity.value,
                    message=finding.message,
                    action=finding.action,
                )
                found.setdefault(sample, []).append(remark)
        audit = read_audit(self.run.folder.path)
        for entry in audit.findings if audit is not None else ():
            for sample in {by_video[video] for video in entry.videos if video in by_video}:
                remark = Remark(kind=entry.kind, severity="audit", message=entry.message, action="")
                found.setdefault(sample, []).append(remark)
        return {sample: tuple(remarks) for sample, remarks in found.items()}


@dataclass(frozen=True, kw_only=True)
class Material:
    """Everything that the pages of one viewer show.

    Attributes:
        sides: the runs, in the order they were given.
        samples: ids of the samples, in the test set's order where it is known.
        testset: the test set of the runs; None where it is not known, or is another one.
        notices: what a reader must know, each in a sentence.
        excerpt: whether samples of the runs are left out.
        start: the view that is shown first: "grid" or "compare".
    """

    sides: tuple[Side, ...]
    samples: tuple[str, ...]
    testset: TestSet | None
    notices: tuple[str, ...]
    excerpt: bool = False
    start: str = "grid"

    @cached_property
    def asked(self) -> Mapping[str, Asked]:
        """What the test set asks for, by sample id; empty where it is not known."""
        return {} if self.testset is None else {sample.id: sample for sample in self.testset.samples}

    @cached_property
    def identity(self) -> Mapping[str, str]:
        """The identity of every sample."""
        known = {name: row.identity for side in self.sides for name, row in side.rows.items()}
        return {**known, **{name: sample.identity for name, sample in self.asked.items()}}

    @cached_property
    def metrics(self) -> tuple[MetricSpec, ...]:
        """Every metric that any run has a value or a reason for, in the runs' order."""
        return tuple(_first_of_name(spec for side in self.sides for spec in side.run.info.sample_metrics))

    @cached_property
    def _hidden(self) -> frozenset[str]:
        """Ids, videos and identities of the samples that are left out."""
        rows = [row for side in self.sides for row in side.rows.values() if row.sample not in self._shown]
        asked = [sample for sample in self.asked.values() if sample.id not in self._shown]
        words = {word for row in rows for word in (row.sample, row.video, row.identity)}
        words |= {word for sample in asked for word in (sample.id, sample.video, sample.identity)}
        return frozenset(words - {self.identity[name] for name in self.samples})

    @cached_property
    def _shown(self) -> frozenset[str]:
        return frozenset(self.samples)

    def may_say(self, text: str) -> bool:
        """Whether a text names no sample that is left out."""
        return not self.excerpt or not any(word in text for word in self._hidden)

    def remarks(self, side: Side, sample: str) -> tuple[Remark, ...]:
        """Findings about a sample's video, but for those that name a sample that is left out."""
        found = side.remarks.get(sample, ())
        return tuple(one for one in found if self.may_say(one.message) and self.may_say(one.action))

    @property
    def live(self) -> bool:
        """Whether a run is still being written."""
        return any(side.run.info.counts.pending for side in self.sides)


def _first_of_name(specs: Iterable[MetricSpec]) -> list[MetricSpec]:
    found: dict[str, MetricSpec] = {}
    for spec in specs:
        found.setdefault(spec.name, spec)
    return list(found.values())
