"""Opening whatever a team hands in."""

from __future__ import annotations

import zipfile
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from ipvg_eval.core.errors import UsageError
from ipvg_eval.errors import SubmissionError
from ipvg_eval.submission.address import is_url, scheme_of
from ipvg_eval.submission.archive import open_zip
from ipvg_eval.submission.folder import open_folder
from ipvg_eval.submission.formats import why_no_zip
from ipvg_eval.submission.limits import Limits
from ipvg_eval.submission.model import Submission
from ipvg_eval.submission.remote import open_remote


def load_submission(path: Path | str, *, limits: Limits | None = None) -> Submission:
    """A submission, read without unpacking it.

    Unsafe entries are refused and named in `findings`; the rest stays usable.

    Args:
        path: a folder or a zip, or the URL of one: s3://, gs://, hf://, https://, file:// and whatever
            fsspec knows. A folder's files are fetched one by one, a zip at once.
        limits: bounds on counts and sizes; generous ones by default.

    Raises:
        UsageError: the path or URL does not exist, or is a run.
        Unavailable: a storage cannot be reached, refuses, or its package is not installed.
        SubmissionError: it is neither a folder nor a readable zip.
    """
    limits = limits or Limits()
    if isinstance(path, str) and is_url(path):
        if scheme_of(path) != "file":
            return open_remote(path, limits)
        path = url2pathname(urlsplit(path).path)
    path = Path(path)
    if (path / "run.json").is_file() and (path / "journal.jsonl").is_file():
        hint = "Give the folder or zip of videos that it scored."
        raise UsageError("this is a run folder that `ipvg-eval score` wrote", path=path, hint=hint)
    if path.is_dir():
        return open_folder(path, limits)
    if not path.exists():
        raise UsageError("does not exist", path=path, hint="Give the submission's folder or zip.")
    if not path.is_file():
        raise SubmissionError("neither a folder nor a file", path=path, hint="Give a folder or a zip.")
    if path.suffix.lower() != ".zip" and not _is_zip(path):
        found, hint = why_no_zip(path)
        raise SubmissionError(f"neither a folder nor a zip: {found}", path=path, hint=hint)
    return open_zip(path, limits)


def _is_zip(path: Path) -> bool:
    try:
        return zipfile.is_zipfile(path)
    except OSError:
        return False
