"""study.db: one SQLite file in WAL mode. A transaction that has ended is on the disk."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from ipvg_eval.core.errors import UsageError
from ipvg_eval.leaderboard.study.config import StudyConfig
from ipvg_eval.leaderboard.study.errors import StudyError
from ipvg_eval.leaderboard.study.schema import READABLE, SCHEMA, VERSION

DATABASE = "study.db"
MEDIA = "media"

_BUSY_SECONDS = 20.0


@dataclass(frozen=True, kw_only=True)
class Study:
    """A study on disk. Every transaction has its own connection, so it can be used from any thread.

    Attributes:
        path: its folder.
        config: its settings.
        admin_hash: hash of the admin page's secret.
        join_key: signs the links by which people join.
    """

    path: Path
    config: StudyConfig
    admin_hash: str
    join_key: str

    @property
    def media(self) -> Path:
        """The folder of clips and pictures."""
        return self.path / MEDIA

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One consistent view of the database."""
        with closing(connect(self.path / DATABASE)) as connection:
            connection.execute("BEGIN")
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that alone may write: durable when the block ends, undone if the block raises."""
        with closing(connect(self.path / DATABASE)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")


def connect(path: Path) -> sqlite3.Connection:
    """Open an existing database for reading and writing; rows are known by column name."""
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?mode=rw",
        uri=True,
        timeout=_BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def create_database(path: Path) -> None:
    """Make an empty database with the tables of this version."""
    path.touch(mode=0o600, exist_ok=False)
    with closing(connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(SCHEMA)
        connection.execute(f"PRAGMA user_version = {VERSION}")


def open_study(path: Path | str) -> Study:
    """Open a study.

    Args:
        path: its folder, or the study.db in it.

    Raises:
        StudyError: there is none, it is damaged, or it is of another version.
    """
    folder = Path(path).parent if Path(path).name == DATABASE else Path(path)
    database = folder / DATABASE
    if not database.is_file():
        raise UsageError(
            f"there is no study here: no {DATABASE}",
            path=path,
            hint="Give the folder that `ipvg-eval study create` made.",
        )
    try:
        with closing(connect(database)) as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version not in READABLE:
                older = version < VERSION
                raise StudyError(
                    f"the study was made by {'an older' if older else 'a newer'} version of the program "
                    f"(database {version}, this one reads {VERSION})",
                    path=database,
                    hint="Finish and export it with the version that made it, or make it anew"
                    + (": its clips could be told apart." if older else "."),
                )
            row = connection.execute("SELECT * FROM study").fetchone()
        config = StudyConfig.model_validate(json.loads(row["config"]))
    except (sqlite3.Error, TypeError, ValueError, ValidationError) as error:
        raise StudyError(
            f"the database is damaged: {str(error).splitlines()[0]}",
            path=database,
            hint="Restore it from a backup.",
        ) from error
    return Study(path=folder, config=config, admin_hash=row["admin_hash"], join_key=row["join_key"])
