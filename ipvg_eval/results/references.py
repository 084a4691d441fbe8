"""What a run remembers of the faces in the test set's reference pictures."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, TypeAdapter

from ipvg_eval.findings import Finding


class ReferenceFace(BaseModel):
    """The face of one reference picture that counts.

    Attributes:
        identity: whose picture it is.
        path: the picture, relative to the test set.
        first: it is the identity's first picture, of which a run keeps a small copy.
        box: left, top, right, bottom of the face as shares of the picture's width and height, each between
            0 and 1; None where no face is found.
        finding: what is wrong with the picture, or None.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    identity: str
    path: str
    first: bool
    box: tuple[float, float, float, float] | None
    finding: Finding | None


REFERENCE_FACES: TypeAdapter[tuple[ReferenceFace, ...]] = TypeAdapter(tuple[ReferenceFace, ...])


def findings_of(faces: Sequence[ReferenceFace]) -> tuple[Finding, ...]:
    """Each picture's finding once, however many identities share the picture."""
    return tuple({face.path: face.finding for face in faces if face.finding is not None}.values())
