"""Scores that the published scripts measured elsewhere, from the JSON files they write.

A file maps videos to scores: `{"singleface_3": {"nexus_score": 0.013}}`, `{"singleface_3": 0.013}`, or, for
NaturalScore, `{"singleface_3": "4"}`. A video is named by its sample's id ("id001/prompt1", "17"). As the
scripts only see the videos of one flat folder, the id may also be written with underscores for slashes
("id001_prompt1"), unless it contains underscores itself: then two samples could share that name.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ipvg_eval.metrics.errors import ProtocolError

Score = float | str | None
"""A number; what stands there in its place; None for null."""


@dataclass(frozen=True, kw_only=True)
class ScoreFile:
    """One file of scores.

    Attributes:
        path: where it was read from.
        sha256: of its bytes.
        scores: by video, as the file names it.
    """

    path: Path
    sha256: str
    scores: Mapping[str, Score]

    def score(self, sample: str) -> Score:
        """The score of a sample.

        Raises:
            KeyError: the file has none.
        """
        for name in names_of(sample):
            if name in self.scores:
                return self.scores[name]
        raise KeyError(sample)


def names_of(sample: str) -> tuple[str, ...]:
    """How a file may name a sample, the preferred way first."""
    return (sample,) if "/" not in sample or "_" in sample else (sample, sample.replace("/", "_"))


def read_numbers(path: Path, key: str) -> ScoreFile:
    """A file of numbers.

    Args:
        path: the file.
        key: name of the number where a video has an object of several.

    Raises:
        ProtocolError: it cannot be read, is not such a file, names a video twice, or has a score that is no
            finite number.
    """
    sha256, content = _read(path)
    scores: dict[str, Score] = {}
    for video, value in content.items():
        number = _finite(value.get(key) if isinstance(value, Mapping) else value)
        if number is None:
            expected = f'a number or {{"{key}": number}}'
            raise _refused(path, f"{video!r} has {_short(value)} where {expected} belongs")
        scores[video] = number
    return ScoreFile(path=path, sha256=sha256, scores=scores)


def read_marks(path: Path) -> ScoreFile:
    """A file of marks that a language model gave, as numbers or as text.

    Text that is no number is kept: the script writes "error" where it had no answer.

    Raises:
        ProtocolError: it cannot be read, is not such a file, or names a video twice.
    """
    sha256, content = _read(path)
    scores: dict[str, Score] = {}
    for video, value in content.items():
        if isinstance(value, bool) or not isinstance(value, int | float | str | None):
            raise _refused(path, f"{video!r} has {_short(value)} where a mark belongs")
        number = _finite(value)
        scores[video] = number if number is not None or value is None else str(value)
    return ScoreFile(path=path, sha256=sha256, scores=scores)


def _finite(value: object) -> float | None:
    """The number a JSON value is, or says; None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _read(path: Path) -> tuple[str, dict[str, object]]:
    try:
        data = path.read_bytes()
        content = json.loads(data.decode("utf-8"), object_pairs_hook=_once)
    except OSError as error:
        raise _refused(path, error.strerror or str(error)) from error
    except (ValueError, RecursionError) as error:  # bad UTF-8, bad JSON, a repeated name
        raise _refused(path, str(error)) from error
    if not isinstance(content, dict):
        raise _refused(path, f"it holds {_short(content)} where an object of videos belongs")
    return hashlib.sha256(data).hexdigest(), content


def _once(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(n for n in names if names.count(n) > 1)!r} stands there twice")
    return found


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:60]}..."


def _refused(path: Path, problem: str) -> ProtocolError:
    return ProtocolError(
        f"this file of scores cannot be used: {problem}",
        path=path,
        hint='Expected is {"VIDEO": score}, as the published script writes it; relative paths start from the '
        "folder the command runs in.",
    )
