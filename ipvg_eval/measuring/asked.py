"""Videos that somebody wants measured, as the test set and the submission that scoring takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ipvg_eval.core.errors import UsageError
from ipvg_eval.core.suggest import listed
from ipvg_eval.metrics.target import Reference
from ipvg_eval.submission.folder import FolderSubmission
from ipvg_eval.submission.limits import Limits
from ipvg_eval.submission.listing import Listing
from ipvg_eval.testset.fingerprint import fingerprint
from ipvg_eval.testset.model import Layout, Sample, TestSet, Track
from ipvg_eval.testset.pictures import read_pictures
from ipvg_eval.testset.short_identity import short_identity


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One video and what it was made from, as far as that is known.

    Attributes:
        video: the file.
        references: pictures of the person or the subjects; none makes what compares with them missing.
        prompt: text prompt; empty makes what compares with it missing.
        timeline: which action when (see `ipvg-eval timeline`), or None.
        identity: videos of one identity are not independent; made of the references where None.
        columns: whatever else belongs to the video and is to stand in the table.
    """

    video: Path
    references: tuple[Path, ...] = ()
    prompt: str = ""
    timeline: str | None = None
    identity: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, eq=False)
class AskedVideos:
    """What `scoring.score` takes, and what was asked by the ids that it gives back.

    Attributes:
        by_id: what was asked, by sample id, in the order in which it was asked.
    """

    testset: TestSet
    submission: FolderSubmission
    by_id: Mapping[str, Asked]


def as_scored(asked: Sequence[Asked]) -> AskedVideos:
    """A test set that asks for these videos and a submission that has them.

    A sample's id is its video's path as it was given, with a number where a video is asked for again.

    Raises:
        UsageError: there is none, a file is not there, or a reference picture cannot be read.
    """
    if not asked:
        raise UsageError("there is no video to measure", hint="Name files, folders or a table with --pairs.")
    by_id: dict[str, Asked] = {}
    for one in asked:
        _require_file(one.video, "video")
        for reference in one.references:
            _require_file(reference, "reference picture")
        by_id[_free_id(one.video.as_posix(), by_id)] = one
    pictures = read_pictures(reference for one in asked for reference in one.references)
    if broken := [f"{path}: {state.problem}" for path, state in pictures.items() if state.problem]:
        raise UsageError(
            f"reference pictures cannot be used:\n{listed(broken)}", hint="Give png, webp or jpg files."
        )
    samples = tuple(_sample(name, one) for name, one in by_id.items())
    hashes = {path: state.sha256 for path, state in pictures.items()}
    timed = any(one.timeline is not None for one in asked)
    files = {sample.video: by_id[sample.id].video for sample in samples}
    sizes = {name: path.stat().st_size for name, path in files.items()}
    listing = Listing(items=files, sizes=sizes, refused=(), wrapper=None, findings=())
    return AskedVideos(
        testset=TestSet(
            root=Path("given videos"),
            layout=Layout.FOLDERS,
            track=Track.SEQUENTIAL if timed else Track.FACIAL,
            samples=samples,
            fingerprint=fingerprint(samples, hashes),
        ),
        submission=FolderSubmission(Path.cwd(), listing=listing, limits=Limits()),
        by_id=by_id,
    )


def _require_file(path: Path, what: str) -> None:
    if not path.is_file():
        found = "is no file" if path.exists() else "does not exist"
        raise UsageError(f"this {what} {found}", path=path, hint="Check the path.")


def _free_id(name: str, taken: Mapping[str, Asked]) -> str:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise UsageError("the file's name is no UTF-8", path=name, hint="Rename the file.") from None
    if name not in taken:
        return name
    number = 2
    while f"{name} #{number}" in taken:
        number += 1
    return f"{name} #{number}"


def _sample(name: str, one: Asked) -> Sample:
    identity = one.identity or "+".join(path.as_posix() for path in one.references) or name
    return Sample(
        id=name,
        identity=short_identity(identity),
        references=tuple(Reference(path=path) for path in one.references),
        prompt=one.prompt,
        timeline=one.timeline,
        video=name,
    )
