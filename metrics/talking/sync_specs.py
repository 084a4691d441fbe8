"""Declarations of SyncNet's metrics."""

from __future__ import annotations

from typing import Final

from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.weights.table import WEIGHTS, weights_of

_SOURCE = (
    "joonson/syncnet_python SyncNetInstance.py and run_pipeline.py @6efbb1c; tracks of 50 frames as in "
    "bytedance/LatentSync eval/eval_sync_conf.py @a229c39"
)
_UNCHECKED = "Not checked against the published network with its weights."
_LENGTH = (
    "Beyond its ends the sound is taken for zeros, as published, so the value grows with the video's length: "
    "compare videos of one length. Not defined below 51 frames at 25 per second."
)
_LICENCE = " ".join(WEIGHTS[name].licence for name in weights_of("sync_c"))

SYNC_C: Final = MetricSpec(
    name="sync_c",
    version=1,
    higher_is_better=True,
    bounds=(0.0, None),
    title="Sync-C",
    summary="Confidence of SyncNet: median minus minimum of the mean distance of lips and sound over shifts "
    "of 15 frames either way, at 25 frames per second.",
    caveats=f"{_LENGTH} The minimum forgives any constant delay of up to 0.6 s: read it with sync_offset and "
    "sync_c_at_zero. Encoding a video again alone moves it by 0.4 and more, and systems trained against "
    "SyncNet exceed real video: higher is not better than real, so look at the real videos' own value. "
    f"{_UNCHECKED}",
    source=_SOURCE,
    weights=weights_of("sync_c"),
    licence=_LICENCE,
)
SYNC_D: Final = MetricSpec(
    name="sync_d",
    version=1,
    higher_is_better=False,
    bounds=(0.0, None),
    title="Sync-D",
    summary="Smallest mean distance of SyncNet's embeddings of lips and sound over shifts of 15 frames "
    "either way, at 25 frames per second. Also called LSE-D.",
    caveats="Forgives any constant delay of up to 0.6 s. DiTalker's scripts call the mean distance of mouth "
    f"landmarks LSE-D, which is another thing: see m_lmd. {_UNCHECKED}",
    source=_SOURCE,
    weights=weights_of("sync_d"),
    licence=_LICENCE,
)
SYNC_OFFSET: Final = MetricSpec(
    name="sync_offset",
    version=1,
    higher_is_better=None,
    bounds=(-15.0, 15.0),
    unit="frames",
    title="Sync offset",
    summary="Shift in frames of 1/25 s at which SyncNet finds lips and sound nearest; negative where the "
    "sound is late.",
    caveats="At either end, 15, it says that no shift fits: unrelated sound ends there. Real videos are up "
    f"to a few frames off. {_UNCHECKED}",
    source=_SOURCE,
    weights=weights_of("sync_offset"),
    licence=_LICENCE,
)
SYNC_C_AT_ZERO: Final = MetricSpec(
    name="sync_c_at_zero",
    version=1,
    higher_is_better=True,
    bounds=(None, None),
    title="Sync-C without a shift",
    summary="Median of the mean distance over all shifts minus the mean distance without a shift: Sync-C for "
    "what a viewer sees.",
    caveats=f"Not published by anybody. Videos that are two frames off lose most of it. {_UNCHECKED}",
    source="own, from the distances of Sync-C",
    weights=weights_of("sync_c_at_zero"),
    licence=_LICENCE,
)

SPECS: Final = (SYNC_C, SYNC_D, SYNC_OFFSET, SYNC_C_AT_ZERO)
