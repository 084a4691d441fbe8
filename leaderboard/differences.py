"""Paired differences between teams: is the step from one rank to the next larger than chance?

Many differences are looked at together, so the p-values are corrected after Holm; the intervals are not.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ipvg_eval.core.intervals import Means, holm
from ipvg_eval.leaderboard.scores import Scores, column_statistics

_COLUMNS = (
    "team",
    "other",
    "metric",
    "difference",
    "low",
    "high",
    "count",
    "identities",
    "wins",
    "losses",
    "chance",
    "clear",
)


def paired_differences(
    scores: Scores, pairs: Sequence[tuple[str, str]], metrics: Sequence[str] | None = None
) -> pd.DataFrame:
    """Differences of the means of two teams over the samples where both have a value.

    Args:
        scores: of a track.
        pairs: (team, other).
        metrics: which; every metric with values per sample where None.

    Returns:
        One row per pair and metric: team, other, metric, difference (team minus other), low, high, count
        (samples where both have a value), identities, wins (samples where team is better), losses, chance
        (p-value, corrected over all rows), and clear: whether that is below 1 - level. low, high and chance
        are NaN where too few identities have a value.
    """
    rule = scores.resampling.rule
    columns = scores.resampling.columns(scores.identities)
    directions = {metric.name: metric.higher_is_better for metric in scores.metrics}
    rows = []
    for name in metrics if metrics is not None else list(scores.values):
        if name not in scores.values or not pairs:
            continue
        frame = scores.values[name]
        ours = frame[[team for team, _ in pairs]].to_numpy()
        theirs = frame[[other for _, other in pairs]].to_numpy()
        gaps = ours - theirs
        means = Means.of(gaps, columns, len(scores.resampling.identities))
        spread = means.spread()
        low, high = spread.interval(means.values, rule.level)
        chances = spread.chance(means.values)
        for place, (team, other) in enumerate(pairs):
            statistics = column_statistics(gaps[:, place], columns)
            sign = -1.0 if directions[name] is False else 1.0
            rows.append(
                {
                    "team": team,
                    "other": other,
                    "metric": name,
                    "difference": statistics["mean"],
                    "low": float(low[place]),
                    "high": float(high[place]),
                    "count": int(statistics["count"]),
                    "identities": int(statistics["identities"]),
                    "wins": int((sign * gaps[:, place] > 0).sum()),
                    "losses": int((sign * gaps[:, place] < 0).sum()),
                    "chance": float(chances[place]),
                }
            )
    table = pd.DataFrame(rows, columns=list(_COLUMNS))
    table["chance"] = holm(table["chance"].to_numpy(dtype=np.float64))
    table["clear"] = table["chance"].to_numpy(dtype=np.float64) < 1 - rule.level
    return table
