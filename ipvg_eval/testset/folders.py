"""Test sets of one folder per identity: pictures and prompt1.txt, prompt2.txt, ..."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from pathlib import Path

from ipvg_eval.core.timeline import parse_timeline
from ipvg_eval.findings import Finding, Severity
from ipvg_eval.metrics.target import Reference
from ipvg_eval.testset.junk import is_junk
from ipvg_eval.testset.model import Sample, Track
from ipvg_eval.testset.order import natural_key
from ipvg_eval.testset.pictures import is_picture
from ipvg_eval.testset.prompts import read_prompt
from ipvg_eval.testset.timelines import looks_like_timeline, timeline_findings

_PROMPT = re.compile(r"prompt[0-9]+\.txt", re.IGNORECASE)


def is_folder_layout(root: Path) -> bool:
    """Whether some folder directly inside holds a prompt file."""
    return any(_prompt_files(folder) for folder in _subfolders(root))


def is_identity_folder(root: Path) -> bool:
    """Whether the folder itself holds prompt files."""
    return bool(_prompt_files(root))


def read_folders(root: Path) -> tuple[Track, list[Sample], list[Finding]]:
    """Every sample whose prompt can be read and whose folder has a picture, and what is wrong with the rest.

    The track is sequential when most prompts are timelines; the timeline is then the prompt's text.
    """
    samples: list[Sample] = []
    findings: list[Finding] = []
    taken: set[str] = set()
    for folder in _subfolders(root):
        _read_identity(folder, samples, findings, taken)
    if 2 * sum(looks_like_timeline(sample.prompt) for sample in samples) <= len(samples):
        return Track.FACIAL, samples, findings
    for sample in samples:
        timeline = parse_timeline(sample.prompt)
        findings.extend(timeline_findings(timeline, shown=f"{sample.id}.txt", sample=sample.id))
    return Track.SEQUENTIAL, [replace(s, timeline=s.prompt) for s in samples], findings


def _read_identity(folder: Path, samples: list[Sample], findings: list[Finding], taken: set[str]) -> None:
    # Some file systems decompose accents; one form lets names be compared with those in a zip.
    identity = unicodedata.normalize("NFC", folder.name)
    # By stem first, so that image.png comes before image2.png.
    entries = sorted(
        (p for p in folder.iterdir() if not is_junk(p.name) and p.is_file()),
        key=lambda p: (natural_key(p.stem), p.name),
    )
    references = tuple(Reference(path=p) for p in entries if is_picture(p))
    prompts = [p for p in entries if _PROMPT.fullmatch(p.name)]
    findings.extend(_stray_texts(identity, entries))
    if not prompts:
        findings.append(_without_prompts(identity, has_pictures=bool(references)))
    for path in prompts:
        sample_id, shown = f"{identity}/{path.stem.lower()}", f"{identity}/{path.name}"
        if sample_id in taken:
            findings.append(_second_prompt(shown, sample_id))
            continue
        taken.add(sample_id)
        prompt = read_prompt(path, shown=shown, sample=sample_id)
        if isinstance(prompt, Finding):
            findings.append(prompt)
        elif not references:
            findings.append(_without_reference(identity, sample_id))
        else:
            samples.append(
                Sample(
                    id=sample_id,
                    identity=identity,
                    references=references,
                    prompt=prompt,
                    timeline=None,
                    video=f"{sample_id}.mp4",
                )
            )


def _subfolders(root: Path) -> list[Path]:
    folders = [p for p in root.iterdir() if p.is_dir() and not is_junk(p.name)]
    return sorted(folders, key=lambda p: natural_key(p.name))


def _prompt_files(folder: Path) -> list[Path]:
    return [p for p in folder.iterdir() if _PROMPT.fullmatch(p.name)]


def _stray_texts(identity: str, entries: list[Path]) -> list[Finding]:
    return [
        Finding(
            code="prompt-unrecognised",
            severity=Severity.WARNING,
            path=f"{identity}/{path.name}",
            message="This text file is not named like a prompt and is not read.",
            action="Name prompts prompt1.txt, prompt2.txt, ..., or remove the file.",
        )
        for path in entries
        if path.suffix.lower() == ".txt" and not _PROMPT.fullmatch(path.name)
    ]


def _second_prompt(shown: str, sample_id: str) -> Finding:
    return Finding(
        code="prompt-duplicate",
        severity=Severity.ERROR,
        path=shown,
        message="A second prompt file has the same name but for case or Unicode form; it is not read.",
        action="Keep one of the two.",
        sample=sample_id,
    )


def _without_prompts(identity: str, *, has_pictures: bool) -> Finding:
    found = "pictures, but no prompts" if has_pictures else "neither pictures nor prompts"
    return Finding(
        code="prompts-missing",
        severity=Severity.ERROR if has_pictures else Severity.WARNING,
        path=identity,
        message=f"The folder holds {found}.",
        action="Add prompt1.txt, prompt2.txt, ..., or remove the folder.",
    )


def _without_reference(identity: str, sample_id: str) -> Finding:
    return Finding(
        code="reference-missing",
        severity=Severity.ERROR,
        path=identity,
        message="The folder holds no reference picture.",
        action="Add image.png, image.webp or image.jpg.",
        sample=sample_id,
    )
