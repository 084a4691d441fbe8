"""Which video a wrongly named file was meant to be."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable

VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".wmv", ".flv", ".gif")

_Key = Callable[[list[str]], Hashable | None]


class NearMisses:
    """Finds the expected video that a name comes closest to.

    Names are reduced step by step: case, Unicode form, blanks, hyphens, underscores and leading zeros
    first, then surrounding and inner folders, then everything but the numbers. The first step at which
    exactly one expected video has the same reduced name decides.
    """

    def __init__(self, expected: Iterable[str]) -> None:
        expected = list(expected)
        self._depth = max((name.count("/") + 1 for name in expected), default=1)
        self._keys: list[_Key] = [
            lambda parts: tuple(map(_squeezed, parts)),
            lambda parts: tuple(map(_squeezed, parts[-self._depth :])),
            lambda parts: (_squeezed(parts[0]), _squeezed(parts[-1])) if self._depth == 2 else None,
            lambda parts: _squeezed(" ".join(parts)),
            lambda parts: tuple(re.findall(r"[0-9]+", " ".join(parts))),
        ]
        self._tables: list[dict[Hashable, list[str]]] = []
        for key in self._keys:
            table: dict[Hashable, list[str]] = defaultdict(list)
            for name in expected:
                table[key(_reduced(name))].append(name)
            self._tables.append(table)

    def meant_by(self, name: str) -> str | None:
        """The expected video, or None if none is close or several are."""
        parts = _reduced(name)
        if not parts:
            return None
        for key, table in zip(self._keys, self._tables, strict=True):
            value = key(parts)
            if value in (None, ()):
                continue
            matches = table.get(value, [])
            if len(matches) == 1:
                return matches[0]
        return None


def is_video_name(name: str) -> bool:
    """Whether the name ends like a video's."""
    return name.lower().rstrip(" .").endswith(VIDEO_SUFFIXES)


def _reduced(name: str) -> list[str]:
    """Folder names and stem in lower case, without leading zeros, separators as single blanks."""
    plain = unicodedata.normalize("NFKC", name).casefold().replace("\\", "/").rstrip(" .")
    while plain.endswith(VIDEO_SUFFIXES):
        plain = plain.rpartition(".")[0].rstrip(" .")
    parts = [re.sub(r"[\s_\-.()]+", " ", part).strip() for part in plain.split("/")]
    return [re.sub(r"(?<![0-9])0+(?=[0-9])", "", part) for part in parts if part]


def _squeezed(part: str) -> str:
    """Without blanks, except between two numbers, which would become another number."""
    return re.sub(r"(?<![0-9]) | (?![0-9])", "", part)
