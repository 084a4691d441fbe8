"""Recognising a test set's layout and reading it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ipvg_eval.core.errors import UsageError
from ipvg_eval.errors import TestSetError
from ipvg_eval.findings import Finding, Severity
from ipvg_eval.testset.eval_json import FILE_NAME, read_eval_json
from ipvg_eval.testset.fingerprint import fingerprint
from ipvg_eval.testset.folders import is_folder_layout, is_identity_folder, read_folders
from ipvg_eval.testset.junk import is_junk
from ipvg_eval.testset.model import Layout, Sample, TestSet, Track
from ipvg_eval.testset.order import natural_key
from ipvg_eval.testset.pictures import PictureState, read_pictures
from ipvg_eval.testset.short_identity import short_identity
from ipvg_eval.testset.triples import (
    REFERENCE_FOLDER,
    is_triples_layout,
    read_triples,
    reference_digest,
    with_reference_videos,
)

_LOOKED_FOR = (
    f"Looked for {FILE_NAME}, and for folders such as id001/ that hold image.png (or .webp, .jpg) "
    "and prompt1.txt, prompt2.txt, ..., and for pictures and sounds of one name (1.png, 1.wav)"
)
_READERS = {
    Layout.FOLDERS: read_folders,
    Layout.EVAL_JSON: read_eval_json,
    Layout.TRIPLES: read_triples,
}


def load_testset(path: Path | str, *, reference_videos: Path | None = None) -> TestSet:
    """A test set read from disk, whichever of the layouts it has.

    The layout is recognised from the files: pictures and sounds of one name (talking heads), an `eval.json`
    of Track 1 or Track 2 items, or folders with pictures and prompts, where prompts that hold time ranges
    make the set Track 2's. Samples that cannot be used are left out and named in `findings`.

    Args:
        path: the folder, a folder that holds it alone, or the eval.json itself.
        reference_videos: folder of the real videos of a test set of talking heads, where they do not lie in
            `reference/` inside it.

    Raises:
        TestSetError: no layout is recognised, or no sample is usable.
        UsageError: no sample's reference video is where it was said to be.
    """
    try:
        layout, location = _recognise(Path(path))
        track, candidates, findings = _READERS[layout](location)
    except OSError as error:
        raise TestSetError(
            f"cannot be read: {error.strerror or error}",
            path=error.filename or path,
            hint="Check that the folder is complete and its permissions.",
        ) from error
    root = location.parent if layout is Layout.EVAL_JSON else location
    pictures = read_pictures(reference.path for sample in candidates for reference in sample.references)
    samples, unreadable = _with_readable_pictures(candidates, pictures, root)
    findings.extend(unreadable)
    samples.sort(key=lambda sample: natural_key(sample.id))
    if not samples:
        raise TestSetError(
            f"no usable sample. {_first_problem(findings)}{_LOOKED_FOR}",
            path=path,
            hint="Restore the test set from the original.",
        )
    samples = _with_reference_videos(samples, root, track, reference_videos)
    found = fingerprint(samples, {file: state.sha256 for file, state in pictures.items()})
    if layout is Layout.EVAL_JSON:  # there it is made of paths, which the fingerprint has in full
        samples = [replace(sample, identity=short_identity(sample.identity)) for sample in samples]
    return TestSet(
        root=root,
        layout=layout,
        track=track,
        samples=tuple(samples),
        fingerprint=found,
        reference_videos=reference_digest(samples),
        findings=tuple(findings),
    )


def _with_reference_videos(
    samples: list[Sample], root: Path, track: Track, folder: Path | None
) -> list[Sample]:
    if folder is None and track is Track.TALKING and (root / REFERENCE_FOLDER).is_dir():
        folder = root / REFERENCE_FOLDER
    if folder is None:
        return samples
    if track is not Track.TALKING:
        raise UsageError(
            f"a test set of the {track} track has no reference videos",
            path=root,
            hint="Leave --reference-videos out.",
        )
    return with_reference_videos(samples, folder)


def _recognise(path: Path) -> tuple[Layout, Path]:
    """The layout and its location: the eval.json, or the folder of folders."""
    if path.is_file():
        if path.suffix.lower() == ".json":
            return Layout.EVAL_JSON, path
        hint = "Unpack it first." if path.suffix.lower() == ".zip" else "Give the folder or the eval.json."
        raise TestSetError(f"not a test set. {_LOOKED_FOR}", path=path, hint=hint)
    if not path.is_dir():
        raise TestSetError("does not exist", path=path, hint="Check the path.")
    if found := _layout_of(path):
        return found
    if is_identity_folder(path):
        raise TestSetError(
            "this is the folder of one identity", path=path, hint=f"Give the folder above it: {path.parent}"
        )
    inner = [p for p in sorted(path.iterdir()) if p.is_dir() and not is_junk(p.name)]
    wrapped = [found for folder in inner if (found := _layout_of(folder))]
    if len(wrapped) == 1:
        return wrapped[0]
    if wrapped:
        names = ", ".join(sorted({_folder(location).name for _, location in wrapped}))
        raise TestSetError(f"holds several test sets: {names}", path=path, hint="Give one of these folders.")
    raise TestSetError(f"no test set here. {_LOOKED_FOR}", path=path, hint="Give the test set's folder.")


def _layout_of(folder: Path) -> tuple[Layout, Path] | None:
    if is_triples_layout(folder):
        return Layout.TRIPLES, folder
    if (folder / FILE_NAME).is_file():
        return Layout.EVAL_JSON, folder / FILE_NAME
    if is_folder_layout(folder):
        return Layout.FOLDERS, folder
    return None


def _folder(location: Path) -> Path:
    return location.parent if location.is_file() else location


def _with_readable_pictures(
    candidates: list[Sample], pictures: Mapping[Path, PictureState], root: Path
) -> tuple[list[Sample], list[Finding]]:
    samples: list[Sample] = []
    findings: list[Finding] = []
    for sample in candidates:
        problems = [(r.path, pictures[r.path].problem) for r in sample.references]
        broken = [(path, problem) for path, problem in problems if problem is not None]
        if not broken:
            samples.append(sample)
        findings.extend(
            Finding(
                code="reference-unreadable",
                severity=Severity.ERROR,
                path=path.relative_to(root).as_posix(),
                message=f"The reference picture cannot be used: {problem}.",
                action="Replace it with a valid png, webp or jpg file.",
                sample=sample.id,
            )
            for path, problem in broken
        )
    return samples, findings


def _first_problem(findings: list[Finding]) -> str:
    if not findings:
        return ""
    first = findings[0]
    more = f" (and {len(findings) - 1} more findings)" if len(findings) > 1 else ""
    return f"{first.path}: {first.message}{more} "
