"""Paired differences between teams: is the step from one rank to the next larger than chance?"""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from ipvg_eval.core.resampling import percentile_interval
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
        (samples where both have a value), identities, wins (samples where team is better), losses, and clear,
        which says that the interval leaves 0 out.
    """
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
        low, high = percentile_interval(scores.resampling.means(gaps, columns), scores.resampling.rule.level)
        for place, (team, other) in enumerate(pairs):
            statistics = column_statistics(gaps[:, place], columns)
            enough = statistics["identities"] >= 2
            ends = (float(low[place]), float(high[place])) if enough else (math.nan, math.nan)
            sign = -1.0 if directions[name] is False else 1.0
            rows.append(
                {
                    "team": team,
                    "other": other,
                    "metric": name,
                    "difference": statistics["mean"],
                    "low": ends[0],
                    "high": ends[1],
                    "count": int(statistics["count"]),
                    "identities": int(statistics["identities"]),
                    "wins": int((sign * gaps[:, place] > 0).sum()),
                    "losses": int((sign * gaps[:, place] < 0).sum()),
                    "clear": bool(ends[0] > 0 or ends[1] < 0),
                }
            )
    return pd.DataFrame(rows, columns=list(_COLUMNS))
