"""The videos to make, and what identifies each."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ipvg_eval.reference_generator.errors import SettingsError, UnreadableReference
from ipvg_eval.reference_generator.ranks import Ranks
from ipvg_eval.reference_generator.settings import Settings
from ipvg_eval.reference_generator.systems.kinds.kind import OWN_SECTIONS
from ipvg_eval.reference_generator.systems.registry import kind_of

FORMAT = 3
"""Raised when the same settings begin to give another video."""

_SEED_BITS = 63


@dataclass(frozen=True, kw_only=True)
class Job:
    """One video to make.

    Attributes:
        id: unique among the jobs.
        prompt: text.
        references: picture files.
        video: where the video goes, relative to the output folder, with forward slashes.
        timeline: Track 2's timeline as the test set has it, else None.
        labels: what each reference shows, such as "man" or "dog"; None where the test set does not say.
        given: prompts that are used instead of rewriting `prompt`: one, or one per event; empty for none.
        given_picture: the same for the picture model.
    """

    id: str
    prompt: str
    references: tuple[Path, ...]
    video: str
    timeline: str | None = None
    labels: tuple[str | None, ...] = ()
    given: tuple[str, ...] = ()
    given_picture: str | None = None


def seed_of(base: int, sample: str) -> int:
    """A sample's own seed: it depends on its id and the base seed, not on its place or shard."""
    digest = hashlib.sha256(f"{base}\0{sample}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> (64 - _SEED_BITS)


def sample_seed(settings: Settings, sample: str) -> int:
    """The seed that a sample is made with."""
    sampling = settings.sampling
    return sampling.seed if sampling.same_seed else seed_of(sampling.seed, sample)


def job_hash(settings: Settings, job: Job, revision: str) -> str:
    """What a finished video is recognised by when a run goes on.

    Every setting counts except where the model runs, how the estimate is made and what belongs to other kinds
    of systems; so do the job and the bytes of its references, and the model's exact revision.

    Args:
        settings: the system.
        job: the video.
        revision: commit of the model's files, as `models` resolved it.

    Raises:
        UnreadableReference: a picture cannot be opened.
    """
    values = settings.as_dict()
    for placement in ("device", "offload", "compile", "tflops"):
        del values["runtime"][placement]
    del values["picture"]["billions"]
    for wording in ("name", "title", "source", "published"):
        del values[wording]
    for detail in ("timeout", "attempts", "key_variable"):
        del values["prompt"][detail]
    values["model"] = {**values["model"], "revision": revision, "stored_gb": None, "path": None}
    kind = kind_of(settings.system)
    for section in OWN_SECTIONS:
        if section != kind.section:
            del values[section]
    for detail in kind.incidental:
        del values[kind.section or ""][detail]
    facts = {
        "format": FORMAT,
        "settings": values,
        "id": job.id,
        "prompt": job.prompt,
        "timeline": job.timeline,
        "references": [file_sha256(path) for path in job.references],
    }
    if any(job.labels):
        facts["labels"] = job.labels
    if job.given:
        facts["given"] = [job.given, job.given_picture]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def file_sha256(path: Path) -> str:
    """Hex digest of a file's bytes.

    Raises:
        UnreadableReference: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UnreadableReference(
            f"the reference picture cannot be opened ({error.strerror})", path=path
        ) from error


@dataclass(frozen=True, kw_only=True)
class Shard:
    """Which part of the jobs this process makes: every `count`-th, beginning with `index`."""

    index: int = 0
    count: int = 1

    def of(self, jobs: Sequence[Job]) -> list[Job]:
        """This shard's jobs."""
        return list(jobs[self.index :: self.count])

    @classmethod
    def parse(cls, text: str) -> Shard:
        """A shard from "i/n", with i from 1 to n.

        Raises:
            SettingsError: the text is something else.
        """
        found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text.strip())
        if not found or not 1 <= int(found[1]) <= int(found[2]):
            raise SettingsError(f"{text!r} is no shard", hint="Write i/n, such as 1/4 for the first of four.")
        return cls(index=int(found[1]) - 1, count=int(found[2]))

    @classmethod
    def from_environment(cls) -> Shard:
        """The shard that torchrun or Slurm's srun say; else everything.

        Raises:
            SettingsError: they contradict each other.
        """
        ranks = Ranks.from_environment()
        return cls(index=ranks.rank, count=ranks.count)
