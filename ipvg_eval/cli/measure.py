"""`ipvg-eval measure`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from ipvg_eval.cli.consoles import STDERR, STDOUT, listing
from ipvg_eval.cli.decoding import (
    MEMORY,
    SECONDS,
    BudgetOfSubmission,
    DecoderMemory,
    Decoders,
    DecoderSeconds,
    RequireConfinement,
)
from ipvg_eval.cli.output_file import expect_writable
from ipvg_eval.cli.score import metric_names
from ipvg_eval.core.errors import ExitCode, UsageError
from ipvg_eval.core.limits import ProcessLimits
from ipvg_eval.metrics.protocols import DEFAULT_PROTOCOL
from ipvg_eval.metrics.runtime import DEFAULT_BATCH_SIZE, Dtype
from ipvg_eval.submission.address import without_secrets

if TYPE_CHECKING:
    import pandas as pd

    from ipvg_eval.measuring import Asked, VideoMeasurements


def measure(
    videos: Annotated[
        list[str] | None, typer.Argument(metavar="VIDEO...", help="Files, folders, or globs in quotes.")
    ] = None,
    reference: Annotated[
        list[str] | None, typer.Option(help="Reference picture; may be given several times.", metavar="FILE")
    ] = None,
    prompt: Annotated[str, typer.Option(help="The prompt, or a .txt file that holds it.")] = "",
    timeline: Annotated[
        str | None, typer.Option(help="Which action when, or a .txt or .json file that says it.")
    ] = None,
    pattern: Annotated[
        str | None,
        typer.Option(
            help="How names below a folder are made up: '{identity}/{prompt}.mp4'. Fields become columns, "
            "and are filled in where --reference, --prompt and --timeline name them."
        ),
    ] = None,
    pairs: Annotated[
        Path | None,
        typer.Option(
            help="CSV with a column video, and reference (several parted by |), prompt, timeline, identity "
            "as they are known; other columns are kept."
        ),
    ] = None,
    protocol: Annotated[str, typer.Option(help="A shipped protocol, or a .yaml file.")] = DEFAULT_PROTOCOL,
    metrics: Annotated[str | None, typer.Option(help="Measure these only, separated by commas.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Keep a run folder here: report and compare read it, and a second call goes on."),
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="Write the table here; - for stdout.")] = None,
    parquet: Annotated[Path | None, typer.Option(help="Write the table here.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda:N.")] = "auto",
    dtype: Annotated[Dtype, typer.Option(help="float32, float16 or bfloat16.")] = "float32",
    weights: Annotated[str | None, typer.Option(help="random[:SEED], to try a machine.")] = None,
    frames: Annotated[int | None, typer.Option(min=1, help="Look at N frames of each video only.")] = None,
    batch_size: Annotated[
        int, typer.Option(min=1, help="Frames per forward pass, at most.")
    ] = DEFAULT_BATCH_SIZE,
    decoders: Decoders = 2,
    decoder_memory: DecoderMemory = MEMORY,
    decoder_seconds: DecoderSeconds = SECONDS,
    require_confinement: RequireConfinement = False,
    budget: BudgetOfSubmission = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON, frames too.")] = False,
) -> None:
    """Measure any videos: one, a folder, a table; no test set is needed.

    What a metric needs and is not given makes it missing, with the reason.
    """
    from ipvg_eval.cli.progress import sample_progress
    from ipvg_eval.cli.tables import print_outside_metrics, print_verdicts
    from ipvg_eval.measuring import measure_all
    from ipvg_eval.scoring import Recipe

    if as_json and csv is not None and str(csv) == "-":
        raise UsageError("--json and --csv - both write to stdout", hint="Choose one of them.")
    asked = _asked(videos or [], reference or [], prompt, timeline, pattern, pairs)
    recipe = Recipe(
        protocol=protocol,
        metrics=metric_names(metrics),
        frames=frames,
        device=device,
        dtype=dtype,
        weights=weights,
        batch_size=batch_size,
    )
    expect_writable(csv, endings=(".csv",))
    expect_writable(parquet, endings=(".parquet",))
    with sample_progress("measure") as on_sample:
        measured = measure_all(
            asked,
            recipe=recipe,
            out=out,
            limits=ProcessLimits(
                memory_mib=decoder_memory,
                seconds=decoder_seconds,
                require_confinement=require_confinement,
            ),
            budget=budget,
            decoders=decoders,
            command=tuple(without_secrets(word) for word in sys.argv),
            on_sample=on_sample,
        )
    _write(measured.table, csv, parquet)
    if as_json:
        STDOUT.out_json([_as_json(one) for one in measured.videos])
    elif csv is None or str(csv) != "-":
        _print(measured.videos)
    for metric in measured.corpus:
        said = metric.reason if metric.value is None else f"{metric.value:.4f}"
        STDERR.print(f"{metric.title}, all videos together: {said}", markup=False, soft_wrap=True)
    if notice := measured.info.protocol.notice:
        STDERR.print(f"[yellow]{escape(notice)}[/]", soft_wrap=True)
    print_outside_metrics(measured.info, STDERR)
    print_verdicts(measured.info, STDERR)
    if measured.info.counts.failed or measured.info.counts.broken:
        raise typer.Exit(ExitCode.SOME_FAILED)


def _asked(
    videos: Sequence[str],
    references: Sequence[str],
    prompt: str,
    timeline: str | None,
    pattern: str | None,
    pairs: Path | None,
) -> list[Asked]:
    from ipvg_eval.measuring.collect import asked_of_table, asked_of_words

    if pairs is not None:
        if videos or references or prompt or timeline or pattern:
            raise UsageError(
                "--pairs says all about its videos", hint="Leave the others out, or make them columns of it."
            )
        return asked_of_table(pairs)
    return asked_of_words(videos, references=references, prompt=prompt, timeline=timeline, pattern=pattern)


def _write(table: pd.DataFrame, csv: Path | None, parquet: Path | None) -> None:
    from ipvg_eval.core.printable import csv_text

    try:
        if csv is not None and str(csv) == "-":
            STDOUT.out(csv_text(table), end="")
        elif csv is not None:
            csv.parent.mkdir(parents=True, exist_ok=True)
            csv.write_text(csv_text(table), "utf-8", newline="")
        if parquet is not None:
            parquet.parent.mkdir(parents=True, exist_ok=True)
            table.to_parquet(parquet, index=False)
    except OSError as error:
        path = csv if parquet is None else parquet
        raise UsageError(
            f"the table cannot be written ({error.strerror or error})", path=path, hint="Check the folder."
        ) from error


def _print(measured: Sequence[VideoMeasurements]) -> None:
    """One video as a list with reasons and notes; several as a table, reasons below it."""
    if len(measured) == 1:
        [one] = measured
        said = {**one.notes, **one.missing}
        table = Table("Metric", "Value", *(["Remark"] if said else []), title=escape(one.video))
        for name, value in one.values.items():
            table.add_row(name, _shown(value), *([escape(said.get(name, ""))] if said else []))
        listing().print(table)
        return
    names = list(measured[0].values)
    table = Table("Video", *names)
    for one in measured:
        table.add_row(escape(one.video), *(_shown(one.values[name]) for name in names))
    listing().print(table)
    reasons: dict[str, dict[str, list[str]]] = {}
    for one in measured:
        for name, reason in one.missing.items():
            reasons.setdefault(reason, {}).setdefault(one.video, []).append(name)
    for reason, where in reasons.items():
        lacking = sorted({name for names in where.values() for name in names})
        videos = next(iter(where)) if len(where) == 1 else f"{len(where)} videos"
        STDERR.print(f"{videos}: {reason} ({', '.join(lacking)})", markup=False, soft_wrap=True)


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _as_json(one: VideoMeasurements) -> dict[str, object]:
    return {
        "video": one.video,
        "notice": one.notice,
        **({"columns": dict(one.columns)} if one.columns else {}),
        "status": one.status,
        "reason": one.reason,
        "values": dict(one.values),
        "missing": dict(one.missing),
        "notes": dict(one.notes),
        "frames": {
            name: {str(index): value for index, value in values.items()}
            for name, values in one.frames.items()
        },
    }
