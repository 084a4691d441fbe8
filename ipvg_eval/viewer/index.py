"""What the page needs of all samples at once: to list, filter and sort them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from ipvg_eval.core.page import decimals
from ipvg_eval.core.row import Status
from ipvg_eval.viewer.material import Material, Side
from ipvg_eval.viewer.pictures import Pictures

DIGITS = 5
"""Of every value that is shown; the run folder has all of them."""

LETTERS = {Status.SCORED: "s", Status.MISSING: "m", Status.UNDECODABLE: "u", Status.CRASHED: "c"}
NO_ROW = "."


def index(material: Material, pictures: Pictures) -> dict[str, Any]:
    """Runs, metrics, and every sample's values; columns over samples, all in the same order.

    Statuses are one letter a sample: scored, missing, undecodable, crashed, and a dot where there is no row.
    """
    names = material.samples
    identities = list(dict.fromkeys(material.identity[name] for name in names))
    runs = [_run(side, material) for side in material.sides]
    place = {identity: number for number, identity in enumerate(identities)}
    return {
        "live": material.live,
        "start": material.start,
        "notices": [*material.notices, *_notices(material)],
        "samples": list(names),
        "identities": identities,
        "identity": [place[material.identity[name]] for name in names],
        "references": [pictures.of_identity(identity) for identity in identities],
        "metrics": [
            {
                "name": spec.name,
                "title": spec.label,
                "higher": spec.higher_is_better,
                "bounds": spec.bounds,
                "unit": spec.unit,
                "proxy": spec.proxy,
                "summary": spec.summary,
                "decimals": decimals(*_ends(runs, spec.name)),
            }
            for spec in material.metrics
        ],
        "runs": runs,
    }


def prompts(material: Material) -> list[str] | None:
    """Every sample's prompt, or its timeline where that is all it has; None where nobody knows them."""
    if not material.asked:
        return None
    asked = [material.asked.get(name) for name in material.samples]
    return ["" if sample is None else sample.prompt or sample.timeline or "" for sample in asked]


def _run(side: Side, material: Material) -> dict[str, Any]:
    info, names = side.run.info, material.samples
    table = side.run.samples.set_index("sample").reindex(list(names))
    rows = [side.rows.get(name) for name in names]
    present = [row is not None and _has_video(side, row.video) for row in rows]
    kinds: dict[str, list[int]] = {}
    for number, name in enumerate(names):
        for kind in dict.fromkeys(remark.kind for remark in material.remarks(side, name)):
            kinds.setdefault(kind, []).append(number)
    return {
        "name": side.name,
        "team": info.team,
        "protocol": f"{info.protocol.name} {info.protocol.version}",
        "track": info.testset.track,
        "finished": info.finished,
        "pending": info.counts.pending,
        "videos": side.videos,
        "status": "".join(NO_ROW if row is None else LETTERS[row.status] for row in rows),
        "video": _packed(present),
        "strip": _packed([_has_strip(side, name) for name in names]),
        "aspect": _packed(_aspects(table)),
        "values": {
            spec.name: column(table[spec.name])
            for spec in info.sample_metrics
            if spec.name in table and table[spec.name].notna().any()
        },
        "metrics": [spec.name for spec in info.sample_metrics],
        "kinds": kinds,
    }


def _has_video(side: Side, relative: str) -> bool:
    return side.submission is not None and side.submission.has(relative)


def _has_strip(side: Side, name: str) -> bool:
    return name in side.rows and side.run.folder.thumbnail(name).is_file()


def _aspects(table: pd.DataFrame) -> list[float | None]:
    return [
        None if math.isnan(ratio) else round(ratio, 3)
        for ratio in (table["width"] / table["height"]).astype(float)
    ]


def column(values: pd.Series) -> list[float | None]:
    """Numbers with as many digits as are shown, None where there is none."""
    return [short(value) for value in values.astype(float)]


def short(value: float) -> float | None:
    """A number with as many digits as are shown; None for none."""
    return None if math.isnan(value) else float(f"{value:.{DIGITS}g}")


def _packed(values: Sequence[Any]) -> Any:
    """One value where all are equal, else all of them."""
    return values[0] if values and all(value == values[0] for value in values) else list(values)


def _ends(runs: Sequence[Mapping[str, Any]], metric: str) -> list[float]:
    """The smallest and largest value of every run."""
    columns = [run["values"][metric] for run in runs if metric in run["values"]]
    known = [[value for value in column if value is not None] for column in columns]
    return [end for values in known if values for end in (min(values), max(values))]


def _notices(material: Material) -> list[str]:
    infos = [side.run.info for side in material.sides]
    notices = list(dict.fromkeys(info.protocol.notice for info in infos if info.protocol.notice))
    protocols = {(info.protocol.name, info.protocol.version, info.protocol.sha256) for info in infos}
    if len(protocols) > 1:
        notices.append("The runs were scored under different protocols: read nothing into their differences.")
    if any(info.random_weights is not None for info in infos):
        notices.append("The networks of a run had random weights: its numbers measure nothing.")
    if material.excerpt:
        notices.append(f"An excerpt of {len(material.samples)} samples: ranks and charts are over these.")
    return notices
