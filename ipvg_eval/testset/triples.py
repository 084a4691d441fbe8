"""Test sets of talking heads: a face, the sound that drives it and a description under one name."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from ipvg_eval.core.errors import UsageError
from ipvg_eval.findings import Finding, Severity
from ipvg_eval.metrics.target import Audio, Reference
from ipvg_eval.testset.junk import is_junk
from ipvg_eval.testset.model import Sample, Track
from ipvg_eval.testset.order import natural_key
from ipvg_eval.testset.pictures import PICTURE_SUFFIXES
from ipvg_eval.testset.prompts import read_prompt
from ipvg_eval.testset.sound_files import SOUND_SUFFIXES, kind_of_sound, sound_problem

REFERENCE_FOLDER = "reference"
"""Where organisers keep the real videos, which participants do not have."""


def is_triples_layout(root: Path) -> bool:
    """Whether a sound file, here or in a folder directly inside, has the name of a picture."""
    entries = list(_entries(root))
    sounds = {_stem(path) for path in entries if path.suffix.lower() in SOUND_SUFFIXES}
    return any(path.suffix.lower() in PICTURE_SUFFIXES and _stem(path) in sounds for path in entries)


def read_triples(root: Path) -> tuple[Track, list[Sample], list[Finding]]:
    """Every sample that has a picture and a sound, and what is wrong with the rest; a text may be missing."""
    findings: list[Finding] = []
    entries = sorted(_entries(root), key=lambda path: natural_key(path.name))
    pictures = _by_stem(root, entries, PICTURE_SUFFIXES, findings)
    sounds = _by_stem(root, entries, SOUND_SUFFIXES, findings)
    texts = _by_stem(root, entries, (".txt",), findings)
    samples = []
    for name in sorted(pictures.keys() | sounds.keys(), key=natural_key):
        if name not in pictures or name not in sounds:
            lacking = "picture" if name in sounds else "sound"
            findings.append(_incomplete(name, lacking))
            continue
        if (audio := _audio(root, sounds[name], name, findings)) is None:
            continue
        prompt: str | Finding = ""
        if name in texts:
            prompt = read_prompt(texts[name], shown=_shown(root, texts[name]), sample=name)
        if isinstance(prompt, Finding):
            findings.append(replace(prompt, severity=Severity.WARNING))
            prompt = ""
        samples.append(
            Sample(
                id=name,
                identity=_identity(pictures[name]),
                references=(Reference(path=pictures[name]),),
                prompt=prompt,
                timeline=None,
                video=f"{name}.mp4",
                audio=audio,
            )
        )
    return Track.TALKING, samples, findings


def with_reference_videos(samples: Sequence[Sample], folder: Path) -> list[Sample]:
    """The same with the real videos that a folder has for them.

    Raises:
        UsageError: the folder has none for any of them.
    """
    found = []
    for sample in samples:
        path = folder / sample.video
        found.append(replace(sample, reference_video=path) if path.is_file() else sample)
    if not any(sample.reference_video for sample in found):
        raise UsageError(
            "no reference video has the name of a sample",
            path=folder,
            hint=f"They are named like the videos of a submission: {samples[0].video}.",
        )
    return found


def reference_digest(samples: Iterable[Sample]) -> str | None:
    """Hex sha256 over the bytes of all reference videos; None where there is none."""
    digest, found = hashlib.sha256(b"reference videos\n"), False
    for sample in samples:
        if sample.reference_video is not None:
            found = True
            digest.update(f"{sample.id}\0{_sha256(sample.reference_video)}\n".encode())
    return digest.hexdigest() if found else None


def _entries(root: Path) -> Iterable[Path]:
    for path in root.iterdir():
        if is_junk(path.name):
            continue
        if path.is_file():
            yield path
        elif path.is_dir() and path.name != REFERENCE_FOLDER:
            yield from (inner for inner in path.iterdir() if inner.is_file() and not is_junk(inner.name))


def _stem(path: Path) -> str:
    # Some file systems decompose accents; one form lets names be compared with those in a zip.
    return unicodedata.normalize("NFC", path.stem)


def _shown(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()


def _by_stem(
    root: Path, entries: Iterable[Path], suffixes: Sequence[str], findings: list[Finding]
) -> dict[str, Path]:
    """The files of one kind by name; of several the one whose kind is named first."""
    wanted = [path for path in entries if path.suffix.lower() in suffixes]
    chosen: dict[str, Path] = {}
    for path in sorted(wanted, key=lambda path: suffixes.index(path.suffix.lower())):
        name = _stem(path)
        if name not in chosen:
            chosen[name] = path
            continue
        findings.append(
            Finding(
                code="file-duplicate",
                severity=Severity.WARNING,
                path=_shown(root, path),
                message=f"{_shown(root, chosen[name])} is of the same kind and name; this one is not read.",
                action="Keep one of the two.",
                sample=name,
            )
        )
    return chosen


def _audio(root: Path, path: Path, name: str, findings: list[Finding]) -> Audio | None:
    shown = _shown(root, path)
    if (problem := sound_problem(path)) is not None:
        text = f"The driving sound cannot be used: {problem}."
        action = "Restore it from the original test set."
        findings.append(_finding("audio-unreadable", Severity.ERROR, shown, text, action, name))
        return None
    kind = kind_of_sound(path)
    if kind != "wav":
        named = "" if path.suffix.lower() != ".wav" else ", though its name says wav"
        text = f"The driving sound is {kind}{named}; the challenge's are wav."
        action = "Restore the wav file: other codecs shift and change the sound a little."
        findings.append(_finding("audio-format", Severity.WARNING, shown, text, action, name))
    return Audio(path=path, sha256=_sha256(path))


def _incomplete(name: str, lacking: str) -> Finding:
    code = "reference-missing" if lacking == "picture" else "audio-missing"
    text = f"There is no {lacking} of this name."
    return _finding(code, Severity.ERROR, name, text, "Restore it from the original test set.", name)


def _finding(code: str, severity: Severity, path: str, message: str, action: str, sample: str) -> Finding:
    return Finding(code=code, severity=severity, path=path, message=message, action=action, sample=sample)


def _identity(picture: Path) -> str:
    """Samples of one picture are of one identity."""
    return f"face-{_sha256(picture)[:16]}"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
