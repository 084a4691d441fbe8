"""Where the test set lies when the command line does not say."""

from __future__ import annotations

import os
from pathlib import Path

from ipvg_eval.core.errors import UsageError

ENVIRONMENT_VARIABLE = "IPVG_TESTSET"
FOLDER_NAME = "testset"


def find_testset_if_any(explicit: Path | None, submission: Path | None) -> Path | None:
    """As `find_testset`, and None where nothing names a test set and none lies in the usual places.

    Raises:
        UsageError: the named one does not exist.
    """
    try:
        return find_testset(explicit, submission)
    except UsageError:
        if explicit is not None or os.environ.get(ENVIRONMENT_VARIABLE):
            raise
        return None


def find_testset(explicit: Path | None, submission: Path | None) -> Path:
    """The test set to score against.

    The explicit path wins, then `$IPVG_TESTSET`, then `testset/` beside the submission, then `testset/` in
    the working directory.

    Raises:
        UsageError: there is none, or the named one does not exist.
    """
    if explicit is not None:
        if not explicit.exists():
            raise UsageError(
                "the test set does not exist", path=explicit, hint="Check the path given to --testset."
            )
        return explicit
    if from_environment := os.environ.get(ENVIRONMENT_VARIABLE, ""):
        path = Path(from_environment)
        if not path.exists():
            raise UsageError(
                f"${ENVIRONMENT_VARIABLE} names a test set that does not exist",
                path=path,
                hint=f"Correct or unset ${ENVIRONMENT_VARIABLE}, or give --testset.",
            )
        return path
    beside = None if submission is None else submission.resolve().parent / FOLDER_NAME
    for candidate in (beside, Path.cwd() / FOLDER_NAME):
        if candidate is not None and candidate.is_dir():
            return candidate
    there = f"beside the submission ({beside}) or " if beside else ""
    raise UsageError(
        f"no test set found: --testset is not given, ${ENVIRONMENT_VARIABLE} is not set, and there is no "
        f"{FOLDER_NAME}/ {there}in the working directory ({Path.cwd()})",
        hint="Give the test set's folder with --testset.",
    )
