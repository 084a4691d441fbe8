"""What a tracker is told of a run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd
from PIL import Image

from ipvg_eval.core.comparability import comparable_facts
from ipvg_eval.core.file_names import file_name
from ipvg_eval.core.pictures import read_picture
from ipvg_eval.core.printable import printable
from ipvg_eval.core.run import RunInfo
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.results import Run

WORST = 3
"""Samples shown of each metric, at most."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A few frames of one video.

    Attributes:
        image: RGB, frames side by side.
        caption: the sample and its value.
    """

    image: Image.Image
    caption: str


@dataclass(frozen=True, kw_only=True)
class Record:
    """One run, as one point of a curve.

    Attributes:
        name: of the curve: letters, digits and hyphens. Runs have the same one exactly where they are of one
            team and their numbers compare.
        step: place on the curve, such as the training step of the checkpoint.
        scalars: "mean/NAME", "low/NAME" and "high/NAME" (its interval), "scored/NAME" (how many samples) of
            every metric, weighted sum and metric of the whole submission; what is missing is left out.
        distributions: the samples' values of each metric that has any.
        worst: per metric that has a direction, its worst samples, the worst first.
        config: what must agree for runs to compare, with the team, and the notice where there is one.
    """

    name: str
    step: int
    scalars: Mapping[str, float]
    distributions: Mapping[str, tuple[float, ...]]
    worst: Mapping[str, tuple[Picture, ...]]
    config: Mapping[str, str]


def record_of(run: Run, step: int = 0) -> Record:
    """What a tracker is told of a finished run.

    Raises:
        OSError, UnreadablePicture: a picture of the run folder cannot be read.
    """
    facts = {"team": printable(run.info.team), **comparable_facts(run.info)}
    notice = run.info.protocol.notice
    return Record(
        name=_name(run.info, facts),
        step=step,
        scalars=dict(_scalars(run)),
        distributions={
            spec.name: values for spec in run.info.sample_metrics if (values := _values(run, spec))
        },
        worst={spec.name: worst for spec in run.info.sample_metrics if (worst := tuple(_worst(run, spec)))},
        config={**facts, **({"notice": notice} if notice else {})},
    )


def _name(info: RunInfo, facts: Mapping[str, str]) -> str:
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    return f"{file_name(info.team)}-{file_name(info.protocol.name)}-{digest[:8]}"


def _scalars(run: Run) -> Iterator[tuple[str, float]]:
    summary = run.summary
    named = [
        (m.name, {"mean": m.mean, "low": m.low, "high": m.high, "scored": m.count}) for m in summary.metrics
    ]
    named += [(c.name, {"mean": c.value, "low": c.low, "high": c.high}) for c in summary.combined]
    named += [(c.name, {"mean": c.value}) for c in summary.corpus]
    for name, values in named:
        for kind, value in values.items():
            if value is not None:
                yield f"{kind}/{name}", float(value)


def _values(run: Run, spec: MetricSpec) -> tuple[float, ...]:
    return tuple(run.samples[spec.name].dropna().astype(float))


def _worst(run: Run, spec: MetricSpec) -> Iterator[Picture]:
    if spec.higher_is_better is None:
        return
    rows: pd.DataFrame = run.samples[["sample", spec.name]].dropna()
    ordered = rows.sort_values([spec.name, "sample"], ascending=[spec.higher_is_better, True])
    for sample, value in ordered.head(WORST).itertuples(index=False):
        path = run.folder.thumbnail(sample)
        if path.exists():
            yield Picture(image=read_picture(path), caption=f"{printable(sample)}: {value:.4f}")
