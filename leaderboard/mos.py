"""Mean opinion scores with intervals over identities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ipvg_eval.core.intervals import Crossed, IntArray, caution, panel_caution
from ipvg_eval.core.resampling import BootstrapRule
from ipvg_eval.leaderboard.agreement import Agreement, krippendorff_alpha
from ipvg_eval.leaderboard.opinions import MEAN_OF_ASPECTS, OpinionSheet, Scale


@dataclass(frozen=True, kw_only=True, eq=False)
class MeanOpinions:
    """Mean opinion scores of every team.

    Attributes:
        aspects: what was rated; the mean of all aspects, "mean", comes last where there are several.
        table: one row per team and aspect: team, aspect, mean, low, high (interval over identities and
            annotators), ratings
            (scores given), samples, identities, annotators.
        agreement: aspect -> ordinal agreement of the annotators.
        bootstrap: settings of the intervals.
        warnings: what a reader must know about these numbers.
        scale: of the scores.
    """

    aspects: tuple[str, ...]
    table: pd.DataFrame
    agreement: Mapping[str, Agreement]
    bootstrap: BootstrapRule
    warnings: tuple[str, ...]
    scale: Scale

    @property
    def overall(self) -> dict[str, float]:
        """Team -> mean over its aspects."""
        rows = self.table[self.table["aspect"] == self.aspects[-1]]
        return dict(zip(rows["team"], rows["mean"].astype(float), strict=True))


def mean_opinions(
    sheet: OpinionSheet,
    *,
    identities: Mapping[str, str] | None = None,
    bootstrap: BootstrapRule | None = None,
) -> MeanOpinions:
    """Average the scores of every team, per aspect and over its aspects.

    A sample's score is the mean of its annotators', a team's the mean of its samples'. Intervals are over
    identities and, where several people rated, over them.

    Args:
        sheet: checked scores.
        identities: sample -> identity; every sample is its own cluster where None.
        bootstrap: settings of the intervals.
    """
    bootstrap = bootstrap or BootstrapRule()
    table = sheet.table
    clusters = table["sample"] if identities is None else table["sample"].map(dict(identities))
    aspects = [*sheet.aspects, *([MEAN_OF_ASPECTS] if len(sheet.aspects) > 1 else [])]
    rows = []
    for aspect in aspects:
        own = table if aspect == MEAN_OF_ASPECTS else table[table["aspect"] == aspect]
        for team in sheet.teams:
            given = own[own["team"] == team]
            mean = _mean(given, clusters, bootstrap.level, sheet.scale)
            rows.append({"team": team, "aspect": aspect, **mean})
    people = table["annotator"].nunique()
    return MeanOpinions(
        aspects=tuple(aspects),
        table=pd.DataFrame(rows),
        agreement={
            aspect: opinion_agreement(sheet, aspect, clusters, bootstrap.level) for aspect in sheet.aspects
        },
        bootstrap=bootstrap,
        warnings=tuple(filter(None, (caution(clusters.nunique()), panel_caution(people)))),
        scale=sheet.scale,
    )


def _mean(given: pd.DataFrame, clusters: pd.Series[str], level: float, scale: Scale) -> dict[str, object]:
    """Mean over samples of the means of a sample's aspects, each the mean of its annotators'."""
    if given.empty:
        unknown = dict.fromkeys(("mean", "low", "high"), np.nan)
        return {**unknown, **dict.fromkeys(("ratings", "samples", "identities", "annotators"), 0)}
    per_aspect = given.groupby(["sample", "aspect"])["score"].transform("size")
    aspects = given.groupby("sample")["aspect"].transform("nunique")
    samples = given["sample"].nunique()
    weight = (1 / (per_aspect * aspects * samples)).to_numpy(dtype=np.float64)
    scores = given["score"].to_numpy(dtype=np.float64)
    mean = float(given.groupby(["sample", "aspect"])["score"].mean().groupby(level="sample").mean().mean())
    names = clusters.loc[given.index]
    crossed = Crossed.of((weight * (scores - mean))[:, None], _numbers(names), _numbers(given["annotator"]))
    ends = (float(scale.lowest), float(scale.highest))
    low, high = crossed.spread().interval(np.array([mean]), level, ends)
    return {
        "mean": mean,
        "low": float(low[0]),
        "high": float(high[0]),
        "ratings": len(given),
        "samples": samples,
        "identities": names.nunique(),
        "annotators": given["annotator"].nunique(),
    }


def _numbers(names: pd.Series[str]) -> IntArray:
    return np.unique(names.to_numpy(dtype=str), return_inverse=True)[1].astype(np.int64)


def opinion_agreement(sheet: OpinionSheet, aspect: str, clusters: pd.Series[str], level: float) -> Agreement:
    """Ordinal agreement of the annotators about one aspect.

    Args:
        sheet: checked scores.
        aspect: which.
        clusters: identity of every row of the sheet's table.
        level: of the interval.
    """
    rows = sheet.table[sheet.table["aspect"] == aspect]
    return krippendorff_alpha(
        rows.groupby(["sample", "team"]).ngroup().to_numpy().astype(np.int64),
        rows["score"].to_numpy(dtype=np.int64) - sheet.scale.lowest,
        categories=len(sheet.scale.points),
        level="ordinal",
        clusters=[str(name) for name in clusters.loc[rows.index]],
        annotators=[str(name) for name in rows["annotator"]],
        confidence=level,
    )
