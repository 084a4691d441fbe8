"""A folder that is replaced as a whole, or not at all."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from ipvg_eval.core.suggest import listed
from ipvg_eval.leaderboard.site.errors import SiteError

MANIFEST = "site.json"


def replace_folder(out: Path, files: Iterable[tuple[str, str]], about: dict[str, object]) -> None:
    """Write files into a new folder that then takes the place of `out`.

    An error while `files` is made leaves what was there. A list of the files, site.json, is written with
    them: a folder with anything else in it is not replaced.

    Args:
        out: the folder; made if it is not there.
        files: (path inside the folder, text), made one after the other.
        about: what else site.json says.

    Raises:
        SiteError: `out` is a file, holds what no earlier call wrote, or cannot be written.
    """
    out = out.resolve()
    _check_replaceable(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))
    except OSError as error:
        raise SiteError(
            f"the site cannot be written here ({error.strerror})", path=out, hint="Choose another --out."
        ) from error
    try:
        _fill(temporary / "new", files, about)
        if out.exists():
            out.rename(temporary / "old")
        try:
            (temporary / "new").rename(out)
        except OSError:
            if (temporary / "old").exists():
                (temporary / "old").rename(out)
            raise
    except OSError as error:
        raise SiteError(
            f"the site cannot be written here ({error.strerror})",
            path=out,
            hint="Make room or choose another --out.",
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _check_replaceable(out: Path) -> None:
    if not out.exists():
        return
    if not out.is_dir():
        raise SiteError("this is a file, the site is a folder", path=out, hint="Choose another --out.")
    known = {MANIFEST}
    if (out / MANIFEST).is_file():
        try:
            known |= set(json.loads((out / MANIFEST).read_text("utf-8"))["files"])
        except (OSError, ValueError, KeyError, TypeError):
            known = set()
    foreign = sorted(
        path.relative_to(out).as_posix()
        for path in out.rglob("*")
        if (path.is_symlink() or not path.is_dir()) and path.relative_to(out).as_posix() not in known
    )
    if foreign:
        raise SiteError(
            f"this folder holds files that no earlier site wrote:\n{listed(foreign)}",
            path=out,
            hint="Choose another --out, or move those files away.",
        )


def _fill(folder: Path, files: Iterable[tuple[str, str]], about: dict[str, object]) -> None:
    folder.mkdir()
    names = []
    for name, text in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8", "replace"))
        names.append(name)
    (folder / MANIFEST).write_text(json.dumps({**about, "files": sorted(names)}, indent=1) + "\n", "utf-8")
