"""Votes: one annotator's answer to which of two teams' videos is better.

Whatever the votes come from, the rest of the package sees the table of `Votes`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ipvg_eval.core.names import composed, look_alikes, team_name
from ipvg_eval.core.suggest import did_you_mean, listed
from ipvg_eval.leaderboard.errors import VotesError
from ipvg_eval.leaderboard.sheet import bad_lines, read_sheet

REQUIRED = ("sample", "team_a", "team_b", "winner")
OPTIONAL = ("annotator", "question", "time")
WINNERS = ("a", "b", "draw")
DEFAULT_QUESTION = "overall"
_LONGEST = 1000


@dataclass(frozen=True, kw_only=True, eq=False)
class Votes:
    """Checked votes.

    Attributes:
        source: where they came from.
        sha256: hash of the file, or of the table.
        table: one row per vote in the order they were given: sample, team_a, team_b, winner ("a", "b" or
            "draw"), annotator, question, time (text; empty where unknown, "overall" for the question) and
            line (number in the source).
    """

    source: str
    sha256: str
    table: pd.DataFrame

    def __len__(self) -> int:
        return len(self.table)

    @property
    def teams(self) -> tuple[str, ...]:
        """Every team that is voted on, by name."""
        return tuple(sorted({*self.table["team_a"], *self.table["team_b"]}))

    @property
    def questions(self) -> tuple[str, ...]:
        """Every question, in the order of its first vote."""
        return tuple(dict.fromkeys(self.table["question"]))

    def check(self, *, teams: Collection[str], samples: Collection[str] | None = None) -> None:
        """Refuse votes on unknown teams or samples.

        Raises:
            VotesError: names the lines, and the nearest known name of the first.
        """
        problems: list[str] = []
        hint = ""
        for row in self.table.itertuples():
            for team in (str(row.team_a), str(row.team_b)):
                if team not in teams:
                    problems.append(f"line {row.line}: unknown team {team!r}")
                    hint = hint or did_you_mean(team, teams)
            if samples is not None and row.sample not in samples:
                problems.append(f"line {row.line}: unknown sample {str(row.sample)!r}")
                hint = hint or "Samples are named as in the runs' tables, such as " + min(samples) + "."
        if problems:
            raise VotesError(
                f"votes on what the runs do not have:\n{listed(problems)}", path=self.source, hint=hint
            )


def read_votes(path: Path | str) -> Votes:
    """Read votes from CSV: sample, team_a, team_b, winner and perhaps annotator, question and time.

    Raises:
        VotesError: unreadable, a missing or unknown column, or lines that are malformed, hold an unknown
            winner, compare a team with itself or repeat a vote; every such line is named.
    """
    sheet = read_sheet(path, check_header=lambda header: _check_columns(header, path))
    rows = [
        {
            **{column: cells.get(column, "") for column in (*REQUIRED, *OPTIONAL)},
            "line": line,
        }
        for line, cells in sheet.records
    ]
    table = pd.DataFrame(rows, columns=[*REQUIRED, *OPTIONAL, "line"])
    return _checked(table, source=sheet.path, sha256=sheet.sha256, problems=sheet.problems)


def votes_from_table(table: pd.DataFrame, *, source: str) -> Votes:
    """Check votes that are already in a table, such as an export of a study.

    Args:
        table: columns as in the CSV, and perhaps line; missing values are empty text.
        source: what to call it in messages.

    Raises:
        VotesError: as `read_votes`.
    """
    _check_columns([str(column) for column in table.columns if column != "line"], source)
    lines = table["line"] if "line" in table else pd.Series(range(1, len(table) + 1), index=table.index)
    text = {
        column: table[column].astype(object).where(table[column].notna(), "").map(str).map(composed)
        if column in table
        else pd.Series("", index=table.index, dtype=object)
        for column in (*REQUIRED, *OPTIONAL)
    }
    clean = pd.DataFrame({**text, "line": lines}).reset_index(drop=True)
    sha256 = hashlib.sha256(clean.to_csv(index=False).encode()).hexdigest()
    return _checked(clean, source=source, sha256=sha256, problems=())


def _check_columns(header: Sequence[str], path: Path | str) -> None:
    for column in header:
        if column not in (*REQUIRED, *OPTIONAL):
            hint = did_you_mean(column, (*REQUIRED, *OPTIONAL))
            raise VotesError(f"line 1: unknown column {column!r}", path=path, hint=hint)
    for column in REQUIRED:
        if column not in header:
            raise VotesError(
                f"line 1: there is no column {column!r}",
                path=path,
                hint=f"The first line is {','.join(REQUIRED)} and perhaps {', '.join(OPTIONAL)}.",
            )


def _checked(table: pd.DataFrame, *, source: str, sha256: str, problems: Sequence[tuple[int, str]]) -> Votes:
    problems = list(problems)
    table = table.assign(
        team_a=table["team_a"].map(team_name),
        team_b=table["team_b"].map(team_name),
        winner=table["winner"].str.lower(),
        question=table["question"].where(table["question"] != "", DEFAULT_QUESTION),
    )
    seen: dict[tuple[str, ...], int] = {}
    for row in table.to_dict("records"):
        flaw = _flaw(row)
        if flaw:
            problems.append((row["line"], flaw))
            continue
        one, other = sorted((row["team_a"], row["team_b"]))
        key = (row["annotator"], row["sample"], one, other, row["question"])
        if key in seen:
            who = f"annotator {row['annotator']!r}" if row["annotator"] else "no annotator given"
            what = f"sample {row['sample']!r}, {one} and {other}, {who}"
            problems.append((row["line"], f"the same vote as line {seen[key]} ({what})"))
        seen.setdefault(key, row["line"])
    if problems:
        hint = "Mend these lines; several people's votes on one pair need a column `annotator`."
        raise bad_lines(problems, path=source, hint=hint)
    if clashes := look_alikes([*table["team_a"], *table["team_b"]]):
        raise VotesError(
            "teams whose names differ by case or invisible marks alone:\n"
            + listed([f"{one!r} and {other!r}" for one, other in clashes]),
            path=source,
            hint="Write every team's name in one way.",
        )
    if table.empty:
        raise VotesError("there is no vote", path=source, hint="Below the header, one line per vote.")
    return Votes(source=source, sha256=sha256, table=table)


def _flaw(row: Mapping[Hashable, str]) -> str:
    empty = [column for column in REQUIRED if not row[column]]
    if empty:
        return f"no {empty[0]}"
    if long := [column for column, cell in row.items() if len(str(cell)) > _LONGEST]:
        return f"{long[0]} has {len(row[long[0]]):,} characters, at most {_LONGEST:,} are taken"
    if row["winner"] not in WINNERS:
        return f"winner {row['winner']!r} is not a, b or draw"
    if row["team_a"] == row["team_b"]:
        return f"team {row['team_a']!r} against itself"
    return ""


def drop_outs(votes: Votes, question: str) -> tuple[str, ...]:
    """Says so where annotators gave far fewer votes than the others, which leaves the pairs unbalanced."""
    given = votes.table[(votes.table["question"] == question) & (votes.table["annotator"] != "")]
    counts = given.groupby("annotator").size()
    early = counts[counts < counts.median() / 2] if len(counts) else counts
    if early.empty:
        return ()
    return (
        f"{len(early)} of {len(counts)} annotators gave fewer than half as many votes as the median one "
        f"({counts.median():g}): {early.sum()} votes are theirs, and pairs may not be balanced.",
    )
