"""The pages as a folder that opens from a file and from any static host."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from ipvg_eval.core.errors import UsageError
from ipvg_eval.core.suggest import listed
from ipvg_eval.errors import VideoError
from ipvg_eval.results.files import replacing
from ipvg_eval.viewer.material import Material
from ipvg_eval.viewer.site import Content, Site

MANIFEST = "viewer.json"
"""Lists what an export wrote; a folder with anything else in it is not written into."""


class Videos(StrEnum):
    """What becomes of the videos in an export."""

    COPY = "copy"
    LINK = "link"
    NONE = "none"


def export(material: Material, out: Path, *, videos: Videos = Videos.COPY) -> tuple[str, ...]:
    """Write the pages and everything they show into a folder.

    Args:
        material: what to show.
        out: the folder; made if it is not there, written anew if an earlier export made it.
        videos: copied, linked (symbolic links; what lies packed in a zip is copied) or left out.

    Returns:
        the videos that could not be read, with the reason.

    Raises:
        UsageError: the folder holds files of others, or cannot be written.
        RunError: a file of a run is damaged.
    """
    try:
        _clear(out)
        return _write(Site(material), out, videos)
    except OSError as error:
        raise UsageError(
            f"the pages cannot be written here ({error.strerror or error})",
            path=out,
            hint="Make room, or choose another folder.",
        ) from error


def _write(site: Site, out: Path, videos: Videos) -> tuple[str, ...]:
    unreadable, written = [], []
    try:
        for address, content in _contents(site, videos):
            path = out / address
            path.parent.mkdir(parents=True, exist_ok=True)
            written.append(address)
            place = _link(site, address) if videos is Videos.LINK and address.startswith("videos/") else None
            if place is not None:
                path.symlink_to(os.path.relpath(place, path.parent.resolve()))
                continue
            try:
                with content.open() as source, path.open("wb") as target:
                    shutil.copyfileobj(source, target, 1 << 20)
            except VideoError as error:
                unreadable.append(str(error))
                path.unlink(missing_ok=True)
    finally:
        with replacing(out / MANIFEST) as temporary:
            temporary.write_text(json.dumps({"files": sorted(written)}, indent=1) + "\n", "utf-8")
    return tuple(unreadable)


def _contents(site: Site, videos: Videos) -> Iterator[tuple[str, Content]]:
    for address in site.addresses(videos=videos is not Videos.NONE):
        content = site.content(address)
        if content is not None:
            yield address, content


def _link(site: Site, address: str) -> Path | None:
    """The file that a video is as it lies there; None where it is part of a zip."""
    source = site.source(address)
    if source is None:
        return None
    submission, relative = source
    place = submission.place(relative)
    whole = place is not None and place.offset == 0 and place.size == place.path.stat().st_size
    return place.path.resolve() if place is not None and whole else None


def _clear(out: Path) -> None:
    """Remove what an earlier export wrote.

    Raises:
        UsageError: there is anything else.
    """
    if not out.exists():
        return
    if not out.is_dir():
        raise UsageError("this is a file, the pages are a folder", path=out, hint="Choose another folder.")
    known = {MANIFEST}
    if (out / MANIFEST).is_file():
        try:
            known |= set(json.loads((out / MANIFEST).read_text("utf-8"))["files"])
        except (ValueError, KeyError, TypeError):
            known = set()
    there = [path for path in out.rglob("*") if path.is_symlink() or not path.is_dir()]
    foreign = sorted(name for path in there if (name := path.relative_to(out).as_posix()) not in known)
    if foreign:
        raise UsageError(
            f"this folder holds files that no earlier export wrote:\n{listed(foreign)}",
            path=out,
            hint="Choose another folder, or move those files away.",
        )
    for path in there:
        path.unlink()
