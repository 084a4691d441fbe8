"""`ipvg-eval timeline`."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from ipvg_eval.cli.consoles import STDERR, STDOUT
from ipvg_eval.core.errors import UsageError
from ipvg_eval.core.timeline import Timeline, parse_timeline
from ipvg_eval.core.timeline.format import as_json

_BAR = 48
_FILE = re.compile(r"[^\s.]\.[A-Za-z]{1,5}$|^\S*[/\\]\S*$")
_COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "red")

app = typer.Typer(help="Timelines: what should happen when.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Timelines: what should happen when."""


@app.command("show")
def show(
    source: Annotated[str, typer.Argument(metavar="FILE|TEXT", help="A file, or the timeline itself.")],
    sample: Annotated[
        int | None, typer.Option(min=1, help="Which item of a file that holds several, from 1.")
    ] = None,
    as_json_text: Annotated[bool, typer.Option("--json", help="Print the events as JSON.")] = False,
) -> None:
    """Print a timeline's events as a table and a bar. Exit 1 if it holds none."""
    timeline = parse_timeline(_one_item(_content(source), sample))
    if not timeline.events and _FILE.search(source) and not _is_file(source):
        raise UsageError("does not exist", path=source, hint="Give a file, or the timeline itself.")
    if as_json_text:
        STDOUT.out_json({"events": as_json(timeline.events)})
    elif timeline.events:
        STDOUT.print(_table(timeline))
        STDOUT.print(_scale(timeline))
    for problem in timeline.problems:
        colour = "red" if problem.severity == "error" else "yellow"
        text = escape(f"{problem.message} {problem.action}")
        STDERR.print(f"[{colour}]{problem.severity}[/] {problem.code}: {text}", soft_wrap=True)
    raise typer.Exit(0 if timeline.events else 1)


@app.command("calibrate")
def calibrate_metrics(
    folder: Annotated[
        Path, typer.Argument(help="A folder with timeline_annotations/*.json and videos/, as ReactID-Data.")
    ],
    protocol: Annotated[str, typer.Option(help="Whose timeline metrics.")] = "ipvg-track2",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda:N.")] = "auto",
    weights: Annotated[
        str | None, typer.Option(help="random[:SEED] builds every network with random weights.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="The first so many videos only.")] = None,
) -> None:
    """Score real videos with their true timelines, and with their actions in wrong places."""
    from ipvg_eval.metrics.timeline.reactid_data import read_annotated_videos
    from ipvg_eval.scoring.timeline_calibration import (
        METRICS,
        calibrate,
        timeline_evaluator,
    )

    videos = read_annotated_videos(folder)[:limit]
    table = Table(title=escape(f"{len(videos)} real videos, {protocol}"))
    table.add_column("timeline")
    for metric in METRICS:
        table.add_column(metric.title, justify="right")
    for row in calibrate(timeline_evaluator(protocol, device=device, weights=weights), videos):
        cells = [
            "none" if (mean := row.means[metric.name]) is None else f"{mean:+.3f} ({row.counts[metric.name]})"
            for metric in METRICS
        ]
        table.add_row(escape(row.timeline), *cells)
    STDOUT.print(table)


def _content(source: str) -> str:
    path = Path(source)
    if not _is_file(source):
        if source and os.path.isdir(source):  # noqa: PTH112 - as below
            raise UsageError("this is a folder", path=path, hint="Give a file, or the timeline itself.")
        return source
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError("this file is not UTF-8 text", path=path, hint="Save it as UTF-8.") from error
    except OSError as error:
        raise UsageError(
            f"cannot be read ({error.strerror})", path=path, hint="Check its permissions."
        ) from error


def _is_file(source: str) -> bool:
    return os.path.isfile(source)  # noqa: PTH113 - Path.is_file raises for texts longer than a path may be


def _one_item(text: str, sample: int | None) -> str | dict[str, Any]:
    """The chosen item where the text is a test set's list of items, else the text."""
    try:
        items = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if not isinstance(items, list) or not any(
        isinstance(item, dict) and "temporal_captions" in item for item in items
    ):
        return text
    if sample is None and len(items) > 1:
        raise UsageError(f"it holds {len(items)} samples", hint="Choose one with --sample NUMBER.")
    if (sample or 1) > len(items):
        raise UsageError(f"it holds {len(items)} samples only", hint="Choose a smaller --sample.")
    item = items[(sample or 1) - 1]
    return item if isinstance(item, dict) else json.dumps(item)


def _table(timeline: Timeline) -> Table:
    table = Table()
    for heading in ("#", "start", "end"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("action", overflow="fold")
    for number, event in enumerate(timeline.events, start=1):
        table.add_row(str(number), f"{event.start:g} s", f"{event.end:g} s", Text(event.description))
    return table


def _scale(timeline: Timeline) -> Text:
    """One row per event, each drawn over the time it takes, and the time's ends under them."""
    rows = Text()
    for number, event in enumerate(timeline.events):
        first = min(int(event.start / timeline.end * _BAR), _BAR - 1)
        last = max(first + 1, min(_BAR, round(event.end / timeline.end * _BAR)))
        rows.append(f"{number + 1:>3} ")
        rows.append("·" * first, style="dim")
        rows.append("█" * (last - first), style=_COLOURS[number % len(_COLOURS)])
        rows.append("·" * (_BAR - last) + "\n", style="dim")
    end = f"{timeline.end:g} s"
    rows.append(f"    0{end:>{_BAR - 1}}")
    return rows
