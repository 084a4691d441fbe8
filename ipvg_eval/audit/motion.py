"""Videos that stand still, repeat themselves or run backwards."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ipvg_eval.audit.model import AuditFinding
from ipvg_eval.audit.signals import VideoSignals
from ipvg_eval.audit.thresholds import Thresholds

_FEWEST = 12  # frames, for a loop
_SHORTEST_PERIOD = 4

Differences = npt.NDArray[np.float64]


def check_motion(signals: VideoSignals, limits: Thresholds) -> Iterator[AuditFinding]:
    """At most one finding: still, nearly still, looped or reversed."""
    if len(signals.small) < 2:
        return
    moved = _moved(signals)
    if moved <= limits.nearly_still_difference:
        yield _still(signals, moved, limits)
        return
    if signals.every is None or len(signals.small) < _FEWEST:
        return
    differences = mutual_differences(signals.small)
    usual = float(np.median(differences[np.triu_indices(len(differences), len(differences) // 8)]))
    yield from _loop(signals, differences, usual, limits)


def _moved(signals: VideoSignals) -> float:
    """The largest mean difference of any frame from the first, in grey levels."""
    return float(np.abs(signals.small - signals.small[0]).mean(axis=(1, 2), dtype=np.float64).max())


def mutual_differences(small: npt.NDArray[np.float32]) -> Differences:
    """(n, n) mean absolute differences between frames, in grey levels."""
    flat = small.reshape(len(small), -1)
    return np.stack([np.abs(flat - row).mean(axis=1, dtype=np.float64) for row in flat])


def _still(signals: VideoSignals, moved: float, limits: Thresholds) -> AuditFinding:
    still = moved <= limits.still_difference
    name = "still_difference" if still else "nearly_still_difference"
    return AuditFinding(
        kind="still-video" if still else "nearly-still-video",
        team=signals.team,
        videos=(signals.video,),
        message=f"No frame differs from the first by more than {moved:.2f} grey levels on average.",
        numbers={"largest difference": moved, "frames": float(len(signals.small))},
        thresholds={name: getattr(limits, name)},
    )


def _loop(
    signals: VideoSignals, differences: Differences, usual: float, limits: Thresholds
) -> Iterator[AuditFinding]:
    assert signals.every is not None
    highest = min(limits.loop_difference, limits.loop_ratio * usual)
    compared = {"loop_difference": limits.loop_difference, "loop_ratio": limits.loop_ratio}
    period, difference = best_period(differences)
    if period and difference <= highest:
        frames = period * signals.every
        yield AuditFinding(
            kind="looped-video",
            team=signals.team,
            videos=(signals.video,),
            message=f"The same frames come again after {frames}: they differ by {difference:.2f} grey "
            f"levels, where frames of this video usually differ by {usual:.1f}.",
            numbers={"period": float(frames), "difference": difference, "usual difference": usual},
            thresholds=compared,
        )
        return
    centre, difference = best_reversal(differences, limits.loop_share)
    if difference <= highest:
        frame = centre * signals.every
        yield AuditFinding(
            kind="reversed-loop",
            team=signals.team,
            videos=(signals.video,),
            message=f"From frame {frame:g} on it runs backwards: mirrored frames differ by {difference:.2f} "
            f"grey levels, where frames of this video usually differ by {usual:.1f}.",
            numbers={"turns at": frame, "difference": difference, "usual difference": usual},
            thresholds={**compared, "loop_share": limits.loop_share},
        )


def best_period(differences: Differences) -> tuple[int, float]:
    """The period after which frames are most alike, and their mean difference; (0, inf) for none.

    Frames less than a period apart must differ at least twice as much, or slow motion would be a loop.
    """
    count = len(differences)
    lags = [float(np.diagonal(differences, lag).mean()) for lag in range(count // 2 + 1)]
    candidates = [
        (lags[period], period)
        for period in range(_SHORTEST_PERIOD, len(lags))
        if 2 * lags[period] <= max(lags[1:period])
    ]
    difference, period = min(candidates, default=(float("inf"), 0))
    return period, difference


def best_reversal(differences: Differences, share: float) -> tuple[float, float]:
    """Where the video turns back, and the mean difference of mirrored frames; (0, inf) for nowhere.

    Args:
        differences: between all frames.
        share: how much of the video the mirrored part must cover.
    """
    count = len(differences)
    best = (float("inf"), 0.0)
    for twice in range(count // 2, 3 * count // 2):
        first = np.arange(max(0, twice - count + 1), (twice + 1) // 2)
        if 2 * len(first) < share * count:
            continue
        best = min(best, (float(differences[first, twice - first].mean()), twice / 2))
    return best[1], best[0]
