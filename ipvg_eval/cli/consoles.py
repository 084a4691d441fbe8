"""stdout carries results, stderr progress and messages; both print anything, in any encoding and width."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.text import Span, Text

from ipvg_eval.core.printable import encodable, json_text, printable

_ANY_WIDTH = 10_000
_PLAIN_WIDTH = 160
_NARROWEST = 20


def _take_no_useless_width() -> None:
    """Forget a width in $COLUMNS that nothing can be printed in, such as the 0 of a terminal without a size.

    In none, rich prints nothing at all, and in a few columns it leaves letters out; so this is said to
    every console, also those that are not of this module.
    """
    width = os.environ.get("COLUMNS", "")
    if width.isdecimal() and int(width) < _NARROWEST:
        os.environ["COLUMNS"] = str(_NARROWEST if int(width) else 80)


_take_no_useless_width()


class Terminal(Console):
    """A console on which control characters of strangers' texts are shown, and no character is an error."""

    def print(self, *objects: Any, **how: Any) -> None:
        """As rich prints it; tables that are too wide fold into blocks."""
        super().print(*(Columns(item) if isinstance(item, Table) else item for item in objects), **how)

    def render_str(self, text: str, **how: Any) -> Text:
        """Markup as text that can be seen and encoded."""
        # First as it is: rich takes some control characters out without a word.
        return self._seen(super().render_str(printable(text, longest=None, keep="\n\t"), **how))

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """As rich renders it, with every text seen and encodable."""
        return super().render(self._seen(renderable) if isinstance(renderable, Text) else renderable, options)

    def out(self, *objects: Any, end: str = "\n", **_: Any) -> None:
        """Text as it is, neither wrapped nor marked up; line feeds and tabs are obeyed."""
        self._write(self._plain(" ".join(map(str, objects))) + end)

    def out_json(self, value: object) -> None:
        """A value as JSON, with escapes for what cannot be seen or encoded."""
        self._write(json_text(value, indent=2, encoding=self.encoding) + "\n")

    def _write(self, text: str) -> None:
        self.file.write(text)
        self.file.flush()

    def _plain(self, text: str) -> str:
        return encodable(printable(text, longest=None, keep="\n\t"), self.encoding)

    def _seen(self, text: Text) -> Text:
        plain = text.plain
        if self._plain(plain) == plain:
            return text
        # Piece by piece between the ends of spans, so that styles stay where they were.
        ends = sorted({0, len(plain), *(end for span in text.spans for end in (span.start, span.end))})
        pieces = [self._plain(plain[start:end]) for start, end in pairwise(ends)]
        places = {end: sum(map(len, pieces[:number])) for number, end in enumerate(ends)}
        seen = text.blank_copy("".join(pieces))
        seen.spans = [Span(places[span.start], places[span.end], span.style) for span in text.spans]
        return seen


class Columns:
    """A table that is shown as one where every word fits, else as one block of lines per row."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        table = self._table
        if table.title:
            yield _styled(console, table.title, table.title_style or "bold")
        if _fit(table, console, options):
            table.title, caption, table.caption = None, table.caption, None
            yield table
            table.caption = caption
        else:
            for row in zip(*(list(column.cells) for column in table.columns), strict=True):
                yield from _block(table, row, console)
        if table.caption:
            yield _styled(console, table.caption, "dim italic")


def _fit(table: Table, console: Console, options: ConsoleOptions) -> bool:
    """Give every column the width of its longest word, and what is left to those that want more."""
    wide = options.update(width=_ANY_WIDTH)
    sizes = [_measure(column, console, wide) for column in table.columns]
    widths = [size.minimum for size in sizes]
    frame = table.__rich_measure__(console, wide).maximum - sum(size.maximum for size in sizes)
    room = options.max_width - frame - sum(widths)
    if room < 0:
        return False
    for place in sorted(range(len(sizes)), key=lambda place: sizes[place].span):
        more = min(room, sizes[place].span)
        widths[place] += more
        room -= more
    for column, width in zip(table.columns, widths, strict=True):
        column.width = width
    return True


def _measure(column: Any, console: Console, options: ConsoleOptions) -> Measurement:
    cells = [column.header, *column.cells] if column.header else list(column.cells)
    found = [Measurement.get(console, options, cell) for cell in cells] or [Measurement(0, 0)]
    widest = max(size.maximum for size in found)
    return Measurement(widest if column.no_wrap else max(size.minimum for size in found), widest)


def _block(table: Table, row: Iterable[RenderableType], console: Console) -> Iterable[RenderableType]:
    first, *others = row
    if not table.columns:
        return
    name = _styled(console, first, "bold")
    if name.plain.strip():
        heading = _styled(console, table.columns[0].header, "")
        yield Text.assemble(heading, ": " if heading.plain else "", name)
    for column, cell in zip(table.columns[1:], others, strict=True):
        value = _styled(console, cell, "")
        if value.plain.strip():
            heading = _styled(console, column.header, "")
            value.plain = " ".join(value.plain.split()) if "\n" in value.plain else value.plain
            yield Padding(Text.assemble(" ".join(heading.plain.split()), ": ", value), (0, 0, 0, 2))


def _styled(console: Console, text: RenderableType, style: Any) -> Text:
    found = text.copy() if isinstance(text, Text) else console.render_str(str(text))
    found.justify = "left"
    found.stylize_before(style)
    return found


def listing() -> Terminal:
    """The console for long lists: stdout, 160 wide where nothing says how wide a file or pipe is."""
    return STDOUT if STDOUT.is_terminal or "COLUMNS" in os.environ else Terminal(width=_PLAIN_WIDTH)


def keep_streams_printing() -> None:
    """Let no stream fail for a character that its encoding does not have, whoever writes to it."""
    for stream in (sys.stdout, sys.stderr):
        if (reconfigure := getattr(stream, "reconfigure", None)) is not None:
            reconfigure(errors="backslashreplace")


STDOUT = Terminal(highlight=False, emoji=False)
STDERR = Terminal(stderr=True, highlight=False, emoji=False)
