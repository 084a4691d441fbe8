"""The page's section about the test set's reference pictures: which face of each counts."""

from __future__ import annotations

from dataclasses import dataclass

from ipvg_eval.core.page import Album, Picture
from ipvg_eval.results.reading import Run
from ipvg_eval.results.references import ReferenceFace


@dataclass(frozen=True, kw_only=True)
class Box:
    """A face in percent of the picture's width and height."""

    left: str
    top: str
    width: str
    height: str


@dataclass(frozen=True, kw_only=True)
class ReferencePicture:
    """One picture; without a small copy in the run it is told in words alone."""

    face: ReferenceFace
    picture: Picture | None
    box: Box | None


@dataclass(frozen=True, kw_only=True)
class ReferencesSection:
    """Pictures with something to tell, each once, and the others."""

    told: tuple[ReferencePicture, ...]
    plain: tuple[ReferencePicture, ...]


def references_section(run: Run, album: Album) -> ReferencesSection | None:
    """The section, or None where nobody looked at the pictures.

    Raises:
        RunError: references.json is damaged.
    """
    by_path: dict[str, ReferenceFace] = {}
    for face in run.folder.read_reference_faces():
        by_path.setdefault(face.path, face)
    if not by_path:
        return None
    shown = [_shown(face, run, album) for face in sorted(by_path.values(), key=lambda f: f.finding is None)]
    return ReferencesSection(
        told=tuple(one for one in shown if one.face.finding is not None),
        plain=tuple(one for one in shown if one.face.finding is None),
    )


def _shown(face: ReferenceFace, run: Run, album: Album) -> ReferencePicture:
    box = None
    if face.box is not None:
        left, top, right, bottom = (100 * share for share in face.box)
        box = Box(
            left=f"{left:.2f}", top=f"{top:.2f}", width=f"{right - left:.2f}", height=f"{bottom - top:.2f}"
        )
    picture = album.picture(run.folder.reference(face.identity)) if face.first else None
    return ReferencePicture(face=face, picture=picture, box=box)
