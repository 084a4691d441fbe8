"""Reading the texts of a container."""

from __future__ import annotations

import re

from ipvg_eval.core.printable import printable
from ipvg_eval.video.container import Source, open_container, texts_of

_BRANDS = ("major_brand", "minor_version", "compatible_brands", "vendor_id")
_PLAIN_KEYS = frozenset((*_BRANDS, "creation_time", "duration", "language"))
_PLAIN_VALUES = re.compile(r"(Lavf|Lavc|x264|x265|VideoHandler|SoundHandler|ISO Media file).*|$", re.I)
_MOST = 40


def read_texts(source: Source) -> dict[str, str]:
    """The texts of a container and its streams, printable and shortened, at most forty.

    Brands, dates, languages and the names of common libraries are left out.

    Raises:
        VideoError: the file cannot be opened.
    """
    with open_container(source, headers_only=True) as container:
        sources = [container.metadata, *(stream.metadata for stream in container.streams)]
        pairs = [(key, value) for source in sources for key, value in texts_of(source).items()]
    kept = {
        printable(key): printable(value)
        for key, value in pairs
        if key.lower() not in _PLAIN_KEYS and not _PLAIN_VALUES.match(value)
    }
    return dict(list(kept.items())[:_MOST])
