"""A test set of samples: what every submission must answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ipvg_eval.findings import Finding
from ipvg_eval.metrics.target import Audio, Reference, Target


class Track(StrEnum):
    """The challenge's tracks."""

    FACIAL = "facial"
    SEQUENTIAL = "sequential"
    TALKING = "talking"


class Layout(StrEnum):
    """How a test set lies on disk."""

    FOLDERS = "folders"
    EVAL_JSON = "eval.json"
    TRIPLES = "triples"


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One video to generate.

    Attributes:
        id: unique within the test set ("id001/prompt1", or "17" for the 17th item of eval.json).
        identity: which references it shares with other samples, at most 80 characters; scores of one identity
            are not independent.
        references: reference pictures, at least one.
        prompt: text prompt, without byte order mark, line ends normalised, outer white space stripped.
        timeline: Track 2's timeline as it stands in the test set (prompt string or JSON text), else None.
        video: where a submission must put the video, relative, with forward slashes.
        audio: what a talking head is driven with; None on other tracks.
        reference_video: the real video of the same sound and person, where whoever scores has it.
    """

    id: str
    identity: str
    references: tuple[Reference, ...]
    prompt: str
    timeline: str | None
    video: str
    audio: Audio | None = None
    reference_video: Path | None = None

    @property
    def target(self) -> Target:
        """What a video of this sample is measured against."""
        return Target(
            sample_id=self.id,
            references=self.references,
            prompt=self.prompt,
            timeline=self.timeline,
            audio=self.audio,
            reference_video=self.reference_video,
        )


@dataclass(frozen=True, kw_only=True)
class TestSet:
    """A test set, read from disk.

    Attributes:
        root: its folder.
        layout: how it lies on disk.
        track: which track it belongs to.
        samples: in natural order of their ids.
        fingerprint: sha256 over ids, identities, prompts, timelines, class labels and the bytes of every
            reference picture and driving sound; two test sets with one fingerprint ask for the same videos,
            wherever they lie.
        reference_videos: sha256 over the real videos that a talking head is compared with; None where there
            are none.
        findings: what is wrong with single samples; those samples are left out of `samples`.
    """

    __test__ = False

    root: Path
    layout: Layout
    track: Track
    samples: tuple[Sample, ...]
    fingerprint: str
    reference_videos: str | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def identities(self) -> tuple[str, ...]:
        """Every identity once, in the samples' order."""
        return tuple(dict.fromkeys(sample.identity for sample in self.samples))
