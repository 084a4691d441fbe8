"""The page's section about an audit, where the run folder holds one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ipvg_eval.audit.model import KINDS
from ipvg_eval.audit.records import read_audit
from ipvg_eval.core.audit_record import AuditEntry
from ipvg_eval.core.page import Album, Picture
from ipvg_eval.report.samples import Sample
from ipvg_eval.results.reading import Run


@dataclass(frozen=True, kw_only=True)
class Kind:
    """The findings of one kind."""

    name: str
    title: str
    entries: tuple[AuditEntry, ...]


@dataclass(frozen=True, kw_only=True)
class AuditSection:
    """What the template shows; `strips` holds thumbnails by the video's path."""

    kinds: tuple[Kind, ...]
    unchecked: tuple[str, ...]
    strips: Mapping[str, Picture | None]


def audit_section(run: Run, samples: Sequence[Sample], album: Album) -> AuditSection | None:
    """The section, or None where the run was not audited.

    Raises:
        RunError: audit.json is damaged.
    """
    record = read_audit(run.folder.path)
    if record is None:
        return None
    groups = {name: tuple(f for f in record.findings if f.kind == name) for name in KINDS}
    sample_of = {sample.video: sample.sample for sample in samples}
    videos = dict.fromkeys(video for finding in record.findings for video in finding.videos[:5])
    return AuditSection(
        kinds=tuple(Kind(name=n, title=KINDS[n], entries=group) for n, group in groups.items() if group),
        unchecked=record.unchecked,
        strips={
            video: album.picture(run.folder.thumbnail(sample_of[video])) if video in sample_of else None
            for video in videos
        },
    )
