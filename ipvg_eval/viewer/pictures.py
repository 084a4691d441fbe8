"""Reference pictures of the test set, or the small copies that a run keeps of them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from ipvg_eval.core.bounded import read_bounded
from ipvg_eval.core.errors import UnreadablePicture
from ipvg_eval.core.page.album import webp_size
from ipvg_eval.core.pictures import read_picture
from ipvg_eval.metrics.target import Reference
from ipvg_eval.results.references import ReferenceFace
from ipvg_eval.viewer.material import Material

_LARGEST = 16 * 2**20
_LONGEST_SIDE = 512
_QUALITY = 82

Shown = dict[str, Any]
"""src, label and box (shares of the picture, or None) of a reference picture."""


class Pictures:
    """References by where the page finds them."""

    def __init__(self, material: Material) -> None:
        self._material = material
        self._encoded: dict[Path, bytes | None] = {}

    @cached_property
    def files(self) -> Mapping[str, Path]:
        """Every reference picture that can be had, by its address on the page."""
        material = self._material
        shown = [material.asked[name] for name in material.samples if name in material.asked]
        paths = dict.fromkeys(reference.path for sample in shown for reference in sample.references)
        found = {f"references/{number}.webp": path for number, path in enumerate(paths)}
        known = {sample.identity for sample in shown}
        identities = dict.fromkeys(material.identity[name] for name in material.samples)
        for number, identity in enumerate(identities):
            kept = (side.run.folder.reference(identity) for side in material.sides)
            copy = next((path for path in kept if path.is_file()), None)
            if identity not in known and copy is not None:
                found[f"references/copy-{number}.webp"] = copy
        return found

    def of_sample(self, sample: str) -> list[Shown]:
        """The references of a sample, in the test set's order."""
        asked = self._material.asked.get(sample)
        if asked is None:
            one = self.of_identity(self._material.identity[sample])
            return [] if one is None else [one]
        return [self._shown(reference.path, reference.label or "") for reference in asked.references]

    def of_identity(self, identity: str) -> Shown | None:
        """An identity's first reference; None where there is none."""
        if (first := self._first.get(identity)) is not None:
            return self._shown(first.path, first.label or "")
        for side in self._material.sides:
            path = side.run.folder.reference(identity)
            if path in self._addresses:
                face = next((f for f in self._faces.values() if f.identity == identity and f.first), None)
                return {"src": self._addresses[path], "label": "", "box": face and face.box}
        return None

    def content(self, address: str) -> bytes | None:
        """A picture as WebP; None where there is none or it cannot be read."""
        path = self.files.get(address)
        if path is None:
            return None
        if "copy-" in address:
            return webp(path)
        if path not in self._encoded:
            self._encoded[path] = _small(path)
        return self._encoded[path]

    @cached_property
    def _first(self) -> Mapping[str, Reference]:
        """The first reference of every identity that the test set has."""
        asked = (self._material.asked.get(name) for name in reversed(self._material.samples))
        return {one.identity: one.references[0] for one in asked if one is not None and one.references}

    @cached_property
    def _addresses(self) -> Mapping[Path, str]:
        return {path: address for address, path in self.files.items()}

    @cached_property
    def _faces(self) -> Mapping[str, ReferenceFace]:
        """What the runs say of the faces in the pictures, by path in the test set."""
        sides = reversed(self._material.sides)
        return {face.path: face for side in sides for face in side.run.folder.read_reference_faces()}

    def _shown(self, path: Path, label: str) -> Shown:
        testset = self._material.testset
        inside = testset is not None and path.is_relative_to(testset.root)
        face = self._faces.get(path.relative_to(testset.root).as_posix()) if inside and testset else None
        return {"src": self._addresses[path], "label": label, "box": face and face.box}


def webp(path: Path) -> bytes | None:
    """A picture of a run folder as it is; None where it is no WebP. Nothing here decodes it."""
    try:
        content = read_bounded(path, most=_LARGEST)
    except (OSError, ValueError):
        return None
    return content if webp_size(content) is not None else None


def _small(path: Path) -> bytes | None:
    try:
        picture = read_picture(path)
    except UnreadablePicture:
        return None
    picture.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
    written = io.BytesIO()
    picture.save(written, "WEBP", quality=_QUALITY)
    return written.getvalue()
