"""The pages as files: what lies under which address, for a server and for an export alike."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any, BinaryIO

from ipvg_eval.core.page import read_asset
from ipvg_eval.core.printable import printable
from ipvg_eval.submission import Submission
from ipvg_eval.viewer import index as overview
from ipvg_eval.viewer.contrast import contrast
from ipvg_eval.viewer.details import details
from ipvg_eval.viewer.material import Material
from ipvg_eval.viewer.pictures import Pictures, webp

_HERE = "ipvg_eval.viewer"
_SCRIPTS = (
    "elements",
    "address",
    "data",
    "charts",
    "players",
    "faces",
    "grid",
    "sample",
    "identities",
    "contrast",
    "main",
)
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)


@dataclass(frozen=True, kw_only=True)
class Content:
    """What lies under an address.

    Attributes:
        media_type: what it is.
        size: bytes.
        open: opens it as a seekable stream; raises VideoError or OSError where it cannot be read.
    """

    media_type: str
    size: int
    open: Callable[[], AbstractContextManager[BinaryIO]]

    @classmethod
    def of(cls, media_type: str, content: bytes) -> Content:
        """Content that is at hand."""
        return cls(media_type=media_type, size=len(content), open=lambda: nullcontext(io.BytesIO(content)))


class Site:
    """The files of one viewer; addresses are relative to its page.

    Nothing but what `addresses` names is ever opened: an address is looked up, never joined to a folder.
    """

    def __init__(self, material: Material) -> None:
        self.material = material
        self._pictures = Pictures(material)

    def prepare(self) -> Site:
        """Make now what every reader asks for first."""
        for address in ("data/index.js", "data/prompts.js"):
            self.content(address)
        return self

    def addresses(self, *, videos: bool = True) -> Iterator[str]:
        """Every address; some have no content."""
        yield from ("index.html", "icon.svg", "viewer.css", "viewer.js", "data/index.js", "data/prompts.js")
        yield "data/contrast.js"
        yield from self._pictures.files
        for number in range(len(self.material.samples)):
            yield f"data/samples/{number}.js"
            for place in range(len(self.material.sides)):
                yield f"strips/{place}/{number}.webp"
                if videos:
                    yield self.video_address(place, number)

    @staticmethod
    def video_address(place: int, number: int) -> str:
        """Where the page finds the video of a run, by the run's and the sample's number."""
        return f"videos/{place}/{number}.mp4"

    def content(self, address: str) -> Content | None:
        """What lies under an address; None where there is nothing.

        Raises:
            RunError: a file of a run is damaged.
        """
        head, _, rest = address.partition("/")
        if not rest:
            return self._page(address)
        if head == "references":
            return _picture(self._pictures.content(address))
        if head == "data":
            return self._data(rest)
        if head == "strips":
            return self._strip(address)
        return self._video(address) if head == "videos" else None

    def _page(self, address: str) -> Content | None:
        if address in ("", "index.html"):
            html = read_asset("static/index.html", _HERE).replace("POLICY", _POLICY)
            return Content.of("text/html; charset=utf-8", html.encode())
        if address == "icon.svg":
            return Content.of("image/svg+xml", read_asset("static/icon.svg", _HERE).encode())
        if address == "viewer.css":
            style = read_asset("look.css") + read_asset("static/viewer.css", _HERE)
            return Content.of("text/css; charset=utf-8", style.encode())
        if address == "viewer.js":
            script = "".join(read_asset(f"static/{name}.js", _HERE) for name in _SCRIPTS)
            return Content.of("text/javascript; charset=utf-8", script.encode())
        return None

    def _data(self, rest: str) -> Content | None:
        if rest == "index.js":
            return self._index
        if rest == "prompts.js":
            return self._prompts
        if rest == "contrast.js":
            return _script("contrast", contrast(self.material))
        number = self._sample_files.get(rest)
        if number is None:
            return None
        sample = self.material.samples[number]
        return _script(f"sample-{number}", details(self.material, self._pictures, sample))

    @cached_property
    def _index(self) -> Content:
        return _script("index", overview.index(self.material, self._pictures))

    @cached_property
    def _prompts(self) -> Content:
        return _script("prompts", overview.prompts(self.material))

    @cached_property
    def _sample_files(self) -> dict[str, int]:
        return {f"samples/{number}.js": number for number in range(len(self.material.samples))}

    def _strip(self, address: str) -> Content | None:
        place, number = _numbers(address.removeprefix("strips/").removesuffix(".webp")) or (0, -1)
        if address != f"strips/{place}/{number}.webp":
            return None
        if place >= len(self.material.sides) or number >= len(self.material.samples):
            return None
        folder = self.material.sides[place].run.folder
        return _picture(webp(folder.thumbnail(self.material.samples[number])))

    def source(self, address: str) -> tuple[Submission, str] | None:
        """The submission and the path in it of the video under an address; None where there is no video."""
        numbers = _numbers(address.removeprefix("videos/").removesuffix(".mp4"))
        return self._source(*numbers) if numbers and address == self.video_address(*numbers) else None

    def _source(self, place: int, number: int) -> tuple[Submission, str] | None:
        if place >= len(self.material.sides) or number >= len(self.material.samples):
            return None
        side = self.material.sides[place]
        row = side.rows.get(self.material.samples[number])
        if row is None or side.submission is None or not side.submission.has(row.video):
            return None
        return side.submission, row.video

    def _video(self, address: str) -> Content | None:
        source = self.source(address)
        if source is None:
            return None
        submission, relative = source
        return Content(
            media_type="video/mp4",
            size=submission.files[relative],
            open=lambda: submission.open_stream(relative),
        )


def _numbers(text: str) -> tuple[int, int] | None:
    """The numbers of a run and a sample in an address."""
    place, _, number = text.partition("/")
    if not all(part.isascii() and part.isdigit() and len(part) < 9 for part in (place, number)):
        return None
    return int(place), int(number)


def _picture(content: bytes | None) -> Content | None:
    return None if content is None else Content.of("image/webp", content)


def _script(name: str, value: Any) -> Content:
    """Data as a script: a page that was opened from a file may load those, and nothing else."""
    text = json.dumps(_seen(value), separators=(",", ":"), allow_nan=False)
    return Content.of("text/javascript; charset=utf-8", f'receive("{name}",{text});\n'.encode())


def _seen(value: Any) -> Any:
    """A value whose texts are shown and never obeyed."""
    if isinstance(value, str):
        return printable(value, longest=None, keep="\n\t")
    if isinstance(value, dict):
        return {key: _seen(item) for key, item in value.items()}
    return [_seen(item) for item in value] if isinstance(value, list | tuple) else value
