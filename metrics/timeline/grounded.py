"""Where the events of a timeline were found, read back from what a run keeps."""

from __future__ import annotations

import numpy as np

from ipvg_eval.core.measurement import FrameFeatures


def grounded_intervals(features: FrameFeatures) -> list[tuple[float, float] | None]:
    """Start and end in seconds of every event's found interval, from the features of `timeline_miou`.

    Returns:
        One entry per event, in the timeline's order; None for an event that was not found.
    """
    assert features.reference is not None
    pairs = features.reference.reshape(-1, 2)
    return [(float(a), float(b)) if np.isfinite(a) and np.isfinite(b) else None for a, b in pairs]
