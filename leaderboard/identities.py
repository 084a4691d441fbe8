"""Which face a sample shows, for votes without runs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from ipvg_eval.core.suggest import listed
from ipvg_eval.leaderboard.errors import VotesError
from ipvg_eval.leaderboard.sheet import bad_lines, read_sheet

_COLUMNS = ("sample", "identity")


def read_identities(path: Path | str, *, samples: Collection[str]) -> dict[str, str]:
    """Read sample -> identity from CSV: sample, identity.

    Args:
        path: the file.
        samples: those that must be in it; others may be there too.

    Raises:
        VotesError: unreadable, other columns, malformed or repeated lines, or a sample has no identity.
    """

    def check(header: Sequence[str]) -> None:
        if sorted(header) != sorted(_COLUMNS):
            raise VotesError(
                f"line 1: the columns are {', '.join(header)}",
                path=path,
                hint="They must be sample,identity.",
            )

    sheet = read_sheet(path, check_header=check)
    problems = list(sheet.problems)
    found: dict[str, str] = {}
    for line, cells in sheet.records:
        sample, identity = cells["sample"], cells["identity"]
        if not sample or not identity:
            problems.append((line, f"no {'identity' if sample else 'sample'}"))
        elif sample in found:
            problems.append((line, f"sample {sample!r} is there twice"))
        else:
            found[sample] = identity
    if problems:
        raise bad_lines(problems, path=sheet.path, hint="Mend these lines.")
    if missing := sorted(set(samples) - set(found)):
        raise VotesError(
            f"samples without an identity:\n{listed(missing)}", path=path, hint="Add a line for each of them."
        )
    return found
