"""Mean opinion scores with intervals over identities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ipvg_eval.core.resampling import BootstrapRule, Resampling, percentile_interval
from ipvg_eval.leaderboard.agreement import Agreement, krippendorff_alpha
from ipvg_eval.leaderboard.opinions import HIGHEST, LOWEST, MEAN_OF_ASPECTS, OpinionSheet


@dataclass(frozen=True, kw_only=True, eq=False)
class MeanOpinions:
    """Mean opinion scores of every team.

    Attributes:
        aspects: what was rated; the mean of all aspects, "mean", comes last where there are several.
        table: one row per team and aspect: team, aspect, mean, low, high (interval over identities), ratings
            (scores given), samples, identities, annotators.
        agreement: aspect -> ordinal agreement of the annotators.
        bootstrap: settings of the intervals.
    """

    aspects: tuple[str, ...]
    table: pd.DataFrame
    agreement: Mapping[str, Agreement]
    bootstrap: BootstrapRule

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

    A sample's score is the mean of its annotators', a team's the mean of its samples'. Intervals resample
    identities, the same for all teams and aspects.

    Args:
        sheet: checked scores.
        identities: sample -> identity; every sample is its own cluster where None.
        bootstrap: settings of the intervals.
    """
    bootstrap = bootstrap or BootstrapRule()
    table = sheet.table
    clusters = table["sample"] if identities is None else table["sample"].map(dict(identities))
    resampling = Resampling.of(clusters, bootstrap)
    per_sample = table.groupby(["aspect", "sample", "team"])["score"].mean().unstack("team")
    whole = per_sample.groupby(level="sample").mean()
    blocks = {aspect: per_sample.loc[aspect] for aspect in sheet.aspects}
    if len(sheet.aspects) > 1:
        blocks[MEAN_OF_ASPECTS] = whole
    rows = []
    for aspect, block in blocks.items():
        own = table if aspect == MEAN_OF_ASPECTS else table[table["aspect"] == aspect]
        names = [str(name) if identities is None else identities[str(name)] for name in block.index]
        values = block.to_numpy(dtype=np.float64)
        columns = resampling.columns(names)
        low, high = percentile_interval(resampling.means(values, columns), bootstrap.level)
        for place, team in enumerate(block.columns):
            given = own[own["team"] == team]
            present = ~np.isnan(values[:, place])
            count = len(np.unique(columns[present]))
            rows.append(
                {
                    "team": team,
                    "aspect": aspect,
                    "mean": float(values[present, place].mean()) if present.any() else np.nan,
                    "low": low[place] if count > 1 else np.nan,
                    "high": high[place] if count > 1 else np.nan,
                    "ratings": len(given),
                    "samples": int(present.sum()),
                    "identities": count,
                    "annotators": int(given["annotator"].nunique()),
                }
            )
    return MeanOpinions(
        aspects=tuple(blocks),
        table=pd.DataFrame(rows),
        agreement={
            aspect: _agreement(table[table["aspect"] == aspect], clusters, resampling)
            for aspect in sheet.aspects
        },
        bootstrap=bootstrap,
    )


def _agreement(rows: pd.DataFrame, clusters: pd.Series[str], resampling: Resampling) -> Agreement:
    return krippendorff_alpha(
        rows.groupby(["sample", "team"]).ngroup().to_numpy().astype(np.int64),
        rows["score"].to_numpy(dtype=np.int64) - LOWEST,
        categories=HIGHEST - LOWEST + 1,
        level="ordinal",
        clusters=[str(name) for name in clusters.loc[rows.index]],
        resampling=resampling,
    )
