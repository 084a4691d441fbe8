"""What teams are called of whom there is nothing but submissions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from ipvg_eval.core.errors import UsageError
from ipvg_eval.core.printable import printable
from ipvg_eval.submission.address import is_url
from ipvg_eval.submission.model import Submission


def team_names(submissions: Sequence[Submission]) -> list[str]:
    """Each submission's own name, or where several have the same, that of the folder it lies in.

    Challenges give the file a name that is everybody's: uploads/TEAM/facial_results.zip.

    Raises:
        UsageError: two submissions would have one name all the same.
    """
    own = Counter(submission.name for submission in submissions)
    names = [one.name if own[one.name] == 1 else _folder_of(one) or one.name for one in submissions]
    for name, count in Counter(names).items():
        if count > 1:
            places = " and ".join(
                s.location for s, own_name in zip(submissions, names, strict=True) if own_name == name
            )
            raise UsageError(
                f"two submissions have the same team name {name!r}: {places}",
                hint="Keep each in a folder named after its team, or give them one at a time.",
            )
    return names


def _folder_of(submission: Submission) -> str:
    if is_url(submission.location):
        return PurePosixPath(urlsplit(submission.location).path).parent.name
    return printable(submission.path.resolve().parent.name, longest=None)
