"""A page about a run that grows while it runs: what failed, then every video with its pictures."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

import numpy as np
from PIL import Image

from ipvg_eval.reference_generator.pictures import fitted
from ipvg_eval.reference_generator.record import Record, read_record, records_folder
from ipvg_eval.reference_generator.video_file import Pictures

_HEIGHT, _WIDEST, _SHOWN = 160, 480, 9
_PATIENCE = 20.0
"""The page may hold thousands: it is written anew when so many times as long has passed as writing took."""

_STYLE = """
body { font: 14px/1.4 system-ui, sans-serif; margin: 2em auto; max-width: 1100px; padding: 0 1em; }
article { border-top: 1px solid #ccc; padding: .8em 0; } h2 { font-size: 15px; margin: 0 0 .3em; }
img { max-width: 100%; height: auto; background: #eee; } p { margin: .2em 0; } .failed h2 { color: #b00020; }
small { color: #555; }
"""


def strip_path(record: Path) -> Path:
    """Where a sample's pictures lie, beside its record."""
    return record.with_suffix(".jpg")


def save_strip(record: Path, references: Sequence[Image.Image], stills: Sequence[Pictures]) -> None:
    """Write references and stills side by side, in one step."""
    pictures = [*references[:_SHOWN], *(Image.fromarray(np.ascontiguousarray(still)) for still in stills)]
    widths = [min(_WIDEST, max(1, one.width * _HEIGHT // one.height)) for one in pictures]
    tiles = [fitted(one, width, _HEIGHT) for one, width in zip(pictures, widths, strict=True)]
    strip = Image.new("RGB", (sum(tile.width for tile in tiles), _HEIGHT), (255, 255, 255))
    left = 0
    for tile in tiles:
        strip.paste(tile, (left, 0))
        left += tile.width
    path = strip_path(record)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.jpg")
    strip.save(temporary, quality=85)
    temporary.replace(path)


def stills_of(pictures: Pictures) -> list[Pictures]:
    """First, middle and last picture."""
    return [pictures[0], pictures[len(pictures) // 2], pictures[-1]]


class Overview:
    """`index.html` in the folder of the records. Several shards may write it; each reads all records.

    Args:
        out: the submission folder.
        title: of the page.
    """

    def __init__(self, out: Path, title: str) -> None:
        self._out, self._title = out, title
        self._next = 0.0

    def changed(self) -> None:
        """Something is new: write the page, unless it was written just now."""
        if time.monotonic() >= self._next:
            self._write(running=True)

    def finish(self) -> None:
        """Write the page as it stays."""
        self._write(running=False)

    def _write(self, *, running: bool) -> None:
        begun = time.monotonic()
        folder = records_folder(self._out)
        temporary = folder / f".index.{os.getpid()}.html"
        temporary.write_text(page(self._out, self._title, running=running), encoding="utf-8")
        temporary.replace(folder / "index.html")
        ended = time.monotonic()
        self._next = ended + _PATIENCE * (ended - begun)


def page(out: Path, title: str, *, running: bool) -> str:
    """The page's text.

    Args:
        out: the submission folder.
        title: of the page.
        running: whether more is to come; the page then loads itself anew.
    """
    folder = records_folder(out)
    records = [
        (path, record) for path in sorted(folder.rglob("*.json")) if (record := read_record(path)) is not None
    ]
    failed = [one for one in records if one[1].status == "failed"]
    made = [one for one in records if one[1].status == "made"]
    again = '<meta http-equiv="refresh" content="20">' if running else ""
    state = "still running" if running else "ended"
    articles = "".join(_article(folder, out, path, record) for path, record in (*failed, *made))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">{again}<title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>"
        f"<p>{len(made)} videos made, {len(failed)} failed; {state}.</p>{articles}</body></html>\n"
    )


def _article(folder: Path, out: Path, path: Path, record: Record) -> str:
    name = escape(record.sample)
    strip, parts = strip_path(path), []
    if record.status == "made":
        video = quote(os.path.relpath(out / record.video, folder))
        name = f'<a href="{video}">{name}</a>'
        if strip.is_file():
            source = quote(strip.relative_to(folder).as_posix())
            what = "references, then first, middle and last frame"
            parts.append(f'<img src="{source}" loading="lazy" alt="{what}">')
    else:
        parts.append(f"<p>{escape(record.reason or '')}</p>")
    parts.append(f"<p>{escape(record.prompt)}</p>")
    remarks = [f"used: {text}" for text in record.prompts if text != record.prompt]
    remarks += [f"note: {note}" for note in record.notes]
    parts += [f"<p><small>{escape(remark)}</small></p>" for remark in remarks]
    seconds = record.seconds.get("videos")
    took = "" if seconds is None else f", {seconds:.0f} s"
    return (
        f'<article class="{record.status}"><h2>{name}</h2>{"".join(parts)}'
        f"<p><small>seed {record.seed}{took}</small></p></article>"
    )
