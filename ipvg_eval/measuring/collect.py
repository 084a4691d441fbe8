"""From words on a command line to videos: files, folders, globs, a pattern of names, a table."""

from __future__ import annotations

import glob
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from ipvg_eval.core.errors import UsageError
from ipvg_eval.core.file_names import as_stored
from ipvg_eval.leaderboard.errors import VotesError
from ipvg_eval.leaderboard.sheet import bad_lines, read_sheet
from ipvg_eval.measuring.asked import Asked
from ipvg_eval.submission.address import is_url
from ipvg_eval.testset.order import natural_key
from ipvg_eval.testset.prompts import decode_text

SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi")
_FIELD = re.compile(r"\{(\w+)\}")
_OWN_COLUMNS = ("video", "reference", "prompt", "timeline", "identity")
_LONGEST_TEXT = 1 << 20


def videos_at(word: str) -> list[Path]:
    """The videos that a word names: a file, every video below a folder, or what a glob matches.

    Raises:
        UsageError: there is none.
    """
    path = Path(word)
    if is_url(word):
        raise UsageError("this is an address, not a file", path=word, hint="Download it first.")
    if path.is_dir():
        found = [file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file()]
        if not found:
            raise UsageError(
                "there is no video in this folder", path=path, hint=f"Videos end in {', '.join(SUFFIXES)}."
            )
    elif path.is_file():
        return [path]
    else:
        found = [Path(name) for name in glob.glob(word, recursive=True) if Path(name).is_file()]  # noqa: PTH207
        if not found:
            raise UsageError("there is no such file, folder or match", path=word, hint="Check the path.")
    return sorted(found, key=lambda file: natural_key(file.as_posix()))


def asked_of_words(
    words: Sequence[str],
    *,
    references: Sequence[str] = (),
    prompt: str = "",
    timeline: str | None = None,
    pattern: str | None = None,
) -> list[Asked]:
    """Videos that share what they were made from, or whose names say it.

    Args:
        words: files, folders, globs.
        references: pictures; with a pattern, its fields in braces are filled in.
        prompt: a text, or the path of a text file; likewise.
        timeline: likewise.
        pattern: how a name below its folder is made up, such as "{identity}/{prompt}.mp4". Every field is
            kept as a column; `identity` and `prompt` mean what they say where nothing else is given.

    Raises:
        UsageError: there is no video, none fits the pattern, a field is unknown, a text cannot be read.
    """
    if pattern is None:
        text = text_of(prompt)
        times = None if timeline is None else text_of(timeline)
        pictures = tuple(map(Path, references))
        return [
            Asked(video=video, references=pictures, prompt=text, timeline=times)
            for word in words
            for video in videos_at(word)
        ]
    names = _fields_of(pattern)
    fits = re.compile(_as_expression(pattern))
    found = []
    for word in words:
        for video in videos_at(word):
            below = video.relative_to(word).as_posix() if Path(word).is_dir() else video.as_posix()
            if (match := fits.fullmatch(below)) is None:
                continue
            fields = match.groupdict()
            found.append(
                Asked(
                    video=video,
                    references=tuple(Path(_filled(name, fields)) for name in references),
                    prompt=text_of(_filled(prompt, fields)) if prompt else fields.get("prompt", ""),
                    timeline=None if timeline is None else text_of(_filled(timeline, fields)),
                    identity=fields.get("identity"),
                    columns=fields,
                )
            )
    if not found:
        raise UsageError(
            f"no video is named like {pattern!r}",
            hint=f"Its fields {', '.join(names)} stand for names without a slash, below the folder given.",
        )
    return found


def asked_of_table(path: Path) -> list[Asked]:
    """Videos of a CSV file with a column `video`.

    `reference` (several parted by |), `prompt`, `timeline` and `identity` are used where they are there;
    every other column is kept. Relative paths begin at the table's folder.

    Raises:
        UsageError: there is no such file, it has no such column or no lines, or a line cannot be used.
    """
    try:
        sheet = read_sheet(path, check_header=lambda header: _check_header(header, path))
    except VotesError as error:
        raise UsageError(error.message, path=path, hint=error.hint) from error
    problems = list(sheet.problems)
    found = []
    for line, cells in sheet.records:
        if not cells["video"]:
            problems.append((line, "no video is named"))
            continue
        references = [cell.strip() for cell in cells.get("reference", "").split("|")]
        found.append(
            Asked(
                video=_beside(path, cells["video"]),
                references=tuple(_beside(path, cell) for cell in references if cell),
                prompt=text_of(cells.get("prompt", ""), beside=path.parent),
                timeline=text_of(cells["timeline"], beside=path.parent) if cells.get("timeline") else None,
                identity=cells.get("identity") or None,
                columns={name: cell for name, cell in cells.items() if name not in _OWN_COLUMNS},
            )
        )
    if problems:
        raise UsageError(str(bad_lines(problems, path=str(path), hint="")), hint="Mend these lines.")
    if not found:
        raise UsageError("the table names no video", path=path, hint="One line per video below the header.")
    return found


def text_of(given: str, *, beside: Path | None = None) -> str:
    """A text, or the content of the text file that it names.

    Raises:
        UsageError: the file cannot be read as text.
    """
    if not given.endswith((".txt", ".json", ".md")) or "\n" in given:
        return given
    path = Path(given) if beside is None else beside / given
    try:
        with (path if beside is None else as_stored(beside, given)).open("rb") as file:
            content = file.read(_LONGEST_TEXT + 1)
        if len(content) > _LONGEST_TEXT:
            raise UsageError("this text is too long", path=path, hint="A prompt has at most a megabyte.")
        return decode_text(content)
    except UnicodeError as error:
        raise UsageError(f"this is no UTF-8 text ({error})", path=path, hint="Save it as UTF-8.") from error
    except OSError as error:
        raise UsageError(
            f"this text cannot be read ({error.strerror})", path=path, hint="Check the path."
        ) from error


def _beside(table: Path, cell: str) -> Path:
    try:
        return as_stored(table.parent, cell)
    except OSError as error:
        raise UsageError(
            f"cannot be used ({error.strerror})",
            path=table.parent / cell,
            hint=f"Check the paths in {table}.",
        ) from error


def _check_header(header: Sequence[str], path: Path) -> None:
    if "video" not in header:
        raise UsageError(
            f"line 1: there is no column 'video', only {', '.join(header)}",
            path=path,
            hint=f"Columns with a meaning: {', '.join(_OWN_COLUMNS)}; all others are kept.",
        )


def _fields_of(pattern: str) -> list[str]:
    names = _FIELD.findall(pattern)
    twice = {name for name in names if names.count(name) > 1}
    if not names or twice or _FIELD.sub("", pattern).count("{"):
        raise UsageError(
            f"{pattern!r} is no pattern of names", hint="Such as '{identity}/{prompt}.mp4', each field once."
        )
    return names


def _as_expression(pattern: str) -> str:
    pieces = _FIELD.split(pattern)
    return "".join(
        f"(?P<{piece}>[^/]+?)" if place % 2 else re.escape(piece) for place, piece in enumerate(pieces)
    )


def _filled(text: str, fields: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        if match[1] not in fields:
            raise UsageError(
                f"{text!r} names the field {match[1]!r}", hint=f"The pattern has {', '.join(fields)}."
            )
        return fields[match[1]]

    return _FIELD.sub(value, text)
