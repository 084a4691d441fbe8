"""What the page needs to set two runs against each other."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
from scipy import stats

from ipvg_eval.comparison import compare
from ipvg_eval.core.jsonable import jsonable
from ipvg_eval.errors import RunError
from ipvg_eval.viewer.index import short
from ipvg_eval.viewer.material import Material

MOST = 6
"""Samples of each metric that differ most, and are shown as players."""

_LEVEL = 0.975


def contrast(material: Material) -> dict[str, Any] | None:
    """The comparison of two runs as `compare` makes it, and every identity's difference.

    None for other numbers of runs, for an excerpt, and for runs that have nothing in common.
    """
    if len(material.sides) != 2 or material.excerpt or material.live:
        return None
    a, b = (side.run for side in material.sides)
    try:
        found = compare(a, b, most=MOST, anyway=True)
    except RunError:
        return None
    record: dict[str, Any] = jsonable(found)
    for side in ("a", "b"):
        del record[side]["folder"]
    tables = [run.samples.set_index("sample") for run in (a, b)]
    identity = pd.Series(dict(material.identity))
    record["by_identity"] = {
        metric.name: _by_identity(tables[0][metric.name] - tables[1][metric.name], identity)
        for metric in found.metrics
    }
    return record


def _by_identity(differences: pd.Series, identity: pd.Series) -> list[list[Any]]:
    """Identity, mean difference over its samples, and both ends of its 95 % interval, None for one sample.

    The interval is Student's t over the samples of the identity alone: it says how far another prompt
    may move the difference for this person, and nothing about other people.
    """
    known = differences.dropna()
    found = []
    for name, values in known.groupby(identity.reindex(known.index), sort=False):
        count, mean = len(values), math.fsum(values) / len(values)
        half = float(stats.t.ppf(_LEVEL, count - 1) * values.std(ddof=1) / count**0.5) if count > 1 else None
        ends = (None, None) if half is None else (short(mean - half), short(mean + half))
        found.append([str(name), short(mean), *ends])
    return found
