"""Identities of long paths, short enough to be shown."""

from __future__ import annotations

from pathlib import PurePosixPath

from ipvg_eval.core.file_names import file_name

_LONGEST = 80
_SHOWN = 40


def short_identity(identity: str) -> str:
    """An identity of long paths, joined by +, as its files' names and a hash; a short one as it is."""
    if len(identity) <= _LONGEST:
        return identity
    names = "+".join(PurePosixPath(path).name for path in identity.split("+"))
    _, _, digest = file_name(identity).rpartition("-")
    return f"{names[:_SHOWN]}-{digest}"
