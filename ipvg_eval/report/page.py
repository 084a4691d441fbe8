"""The page: everything gathered from a run and set by one template."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pandas as pd
from markupsafe import Markup

from ipvg_eval.core.comparability import comparable_facts
from ipvg_eval.core.page import (
    Album,
    Extremes,
    Picture,
    content_policy,
    decimals,
    histogram,
    page_environment,
    read_asset,
)
from ipvg_eval.core.printable import csv_text, json_escaped
from ipvg_eval.core.run import RunInfo
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.core.summary import CombinedSummary, CorpusSummary, MetricSummary
from ipvg_eval.core.verdict import in_words
from ipvg_eval.errors import RunUnwritable
from ipvg_eval.findings import Finding
from ipvg_eval.metrics.timeline.spec import ATA
from ipvg_eval.report.audit_section import audit_section
from ipvg_eval.report.curves import Curve, Curves
from ipvg_eval.report.identification_section import identification_section
from ipvg_eval.report.ranking import by_identity, extremes
from ipvg_eval.report.references import references_section
from ipvg_eval.report.samples import Sample, read_samples
from ipvg_eval.report.timeline_view import FEWEST_TIMELINES, Timelines, TimelineView
from ipvg_eval.results.files import unreadable, write_text
from ipvg_eval.results.reading import Run

_EACH = 3
_PICTURES_LIMIT = 4_500_000
_HERE = "ipvg_eval.report"


def write_report(run: Run, out: Path | None = None) -> Path:
    """Write one run as a self-contained HTML page.

    The page holds its style, script, charts, pictures and downloads, and forbids itself any network.

    Args:
        run: the run.
        out: where to; report.html in the run folder where None.

    Returns:
        The page's path.

    Raises:
        RunError: a table of the run does not fit its run.json.
        RunUnwritable: the page cannot be written.
    """
    path = out or run.folder.path / "report.html"
    html = _render(run)
    try:
        write_text(path, html)
    except OSError as error:
        raise RunUnwritable(
            f"the report cannot be written here ({error.strerror})",
            path=path,
            hint="Choose another file for the report.",
        ) from error
    return path


@dataclass(frozen=True, kw_only=True)
class _Card:
    sample: Sample
    strip: Picture | None
    reference: Picture | None
    curves: tuple[Curve, ...]
    timeline: TimelineView | None


@dataclass(frozen=True, kw_only=True)
class _Total:
    """One number that is not a mean over samples: a weighted sum, or a metric of the whole submission."""

    kind: str
    summary: CombinedSummary | CorpusSummary
    decimals: int
    prose: str


@dataclass(frozen=True, kw_only=True)
class _Metric:
    spec: MetricSpec
    summary: MetricSummary
    decimals: int
    chart: Markup | None


def _render(run: Run) -> str:
    samples = read_samples(run)
    album = Album(limit=_PICTURES_LIMIT)
    ends = [end for spec in run.info.specs if (end := extremes(samples, spec, each=_EACH)).first]
    shown = dict.fromkeys(name for end in ends for name in (*end.first, *end.last))
    cards = _cards(run, samples, list(shown), album)
    numbers = {name: position for position, name in enumerate(cards)}
    troubled = [sample for sample in samples if sample.failed or sample.damage]
    strips = {s.sample: album.picture(run.folder.thumbnail(s.sample)) for s in troubled}
    identities = by_identity(samples, run.info.specs)
    faces = {one.identity: album.picture(run.folder.reference(one.identity)) for one in identities}
    style = read_asset("look.css") + read_asset("page.css", _HERE)
    script = read_asset("tables.js") + read_asset("extremes.js") + read_asset("page.js", _HERE)
    return (
        page_environment("ipvg_eval", "report")
        .get_template("page.html")
        .render(
            info=run.info,
            comparable=comparable_facts(run.info),
            verdicts=in_words(run.info.verdicts),
            summary=run.summary,
            banners=[*_banners(run.info), *_few_timelines(run)],
            date=_date(run.info.finished or run.info.started),
            interval_title=run.summary.intervals,
            totals=_totals(run),
            metrics=[_metric(run, spec, samples) for spec in run.info.specs],
            samples=samples,
            card_numbers=numbers,
            cards=cards,
            extremes=ends,
            titles={metric.name: metric for metric in run.summary.metrics},
            ranking=[_numbered(end, run, numbers) for end in ends],
            troubled=troubled,
            strips=strips,
            identities=identities if len(identities) < len(samples) else (),
            faces=faces,
            references=references_section(run, album),
            identification=identification_section(run, album),
            audit=audit_section(run, samples, album),
            pictures_left_out=album.left_out,
            findings=_grouped(run.findings),
            downloads=_downloads(run),
            style=Markup(style),  # noqa: S704 - our own file
            script=Markup(script),  # noqa: S704 - our own file
            policy=content_policy(style, script),
        )
    )


def _banners(info: RunInfo) -> list[str]:
    banners = [info.protocol.notice] if info.protocol.notice else []
    if info.random_weights is not None:
        banners.append(
            f"The networks had random weights (seed {info.random_weights}): these numbers measure nothing."
        )
    if not info.protocol.official:
        banners.append(f"Protocol {info.protocol.name} is not official: this run cannot enter a leaderboard.")
    return banners


def _few_timelines(run: Run) -> list[str]:
    """A sentence where too few timelines were scored for a mean to say anything."""
    counts = [metric.count for metric in run.summary.metrics if metric.name == ATA.name]
    if not counts or counts[0] >= FEWEST_TIMELINES:
        return []
    return [
        f"{counts[0]} samples have a value of {ATA.title}: fewer than {FEWEST_TIMELINES} rank nobody, "
        "since one video's timing says little."
    ]


def _date(text: str) -> str:
    try:
        return f"{datetime.fromisoformat(text):%d %B %Y, %H:%M} UTC"
    except ValueError:
        return text


def _metric(run: Run, spec: MetricSpec, samples: tuple[Sample, ...]) -> _Metric:
    try:
        summary = run.summary.metric(spec.name)
    except KeyError as error:
        problem = ValueError(f"it has no metric {spec.name}")
        raise unreadable(run.folder.path / "summary.json", problem) from error
    values = [value for sample in samples if (value := sample.values[spec.name]) is not None]
    mean = summary.mean
    chart = histogram(values, mean, bounds=spec.bounds) if values and mean is not None else None
    return _Metric(
        spec=spec, summary=summary, decimals=decimals(summary.minimum, summary.maximum), chart=chart
    )


def _totals(run: Run) -> list[_Total]:
    prose = {spec.name: spec.summary for spec in run.info.protocol.corpus}
    sums = [
        _Total(
            kind="weighted sum",
            summary=total,
            decimals=decimals(total.value, *(term.mean for term in total.terms)),
            prose="",
        )
        for total in run.summary.combined
    ]
    whole = [
        _Total(
            kind="whole submission",
            summary=metric,
            decimals=decimals(metric.value),
            prose=prose.get(metric.name, ""),
        )
        for metric in run.summary.corpus
    ]
    return [*sums, *whole]


def _cards(run: Run, samples: tuple[Sample, ...], shown: list[str], album: Album) -> dict[str, _Card]:
    by_name = {sample.sample: sample for sample in samples}
    curves, timelines = Curves(run), Timelines(run, album)
    return {
        name: _Card(
            sample=by_name[name],
            strip=album.picture(run.folder.thumbnail(name)),
            reference=album.picture(run.folder.reference(by_name[name].identity)),
            curves=curves.of(by_name[name]),
            timeline=timelines.of(by_name[name]),
        )
        for name in shown
    }


def _numbered(end: Extremes, run: Run, numbers: Mapping[str, int]) -> dict[str, object]:
    """The ends of one metric as the page's script reads them, samples by the number of their card."""
    return {
        "metric": end.metric,
        "known": run.summary.metric(end.metric).higher_is_better is not None,
        "first": [numbers[name] for name in end.first],
        "last": [numbers[name] for name in end.last],
    }


def _grouped(findings: tuple[Finding, ...]) -> dict[tuple[str, str], list[Finding]]:
    """Findings by severity and kind, errors first."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in sorted(findings, key=lambda finding: (finding.severity.value, finding.code)):
        groups.setdefault((finding.severity.value, finding.code), []).append(finding)
    return groups


def _downloads(run: Run) -> list[tuple[str, str]]:
    """File names and data addresses of the tables."""
    path = run.folder.path / "samples.csv"
    try:
        rows = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(path, error) from error
    table = pd.DataFrame([metric.model_dump() for metric in run.summary.metrics])
    contents = {
        "summary.csv": ("text/csv", csv_text(table)),
        "summary.json": ("application/json", json_escaped(run.summary.model_dump_json(indent=2))),
        "samples.csv": ("text/csv", rows),
    }
    return [
        (name, f"data:{kind};charset=utf-8;base64,{base64.b64encode(text.encode()).decode('ascii')}")
        for name, (kind, text) in contents.items()
    ]
