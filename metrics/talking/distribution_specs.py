"""Declarations of the per-video parts of FVD and FID."""

from __future__ import annotations

from typing import Final

from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.weights.table import WEIGHTS, weights_of


def _licence(metric: str) -> str:
    return "; ".join(WEIGHTS[name].licence for name in weights_of(metric))


FVD_SAMPLES: Final = MetricSpec(
    name="fvd_samples",
    version=1,
    higher_is_better=None,
    bounds=(0.0, None),
    unit="clips",
    title="Clips in FVD",
    summary="Number of clips of 16 frames that enter FVD.",
    caveats="Below 400 in all, FVD is mostly their number.",
    source="own",
    weights=weights_of("fvd_samples"),
    licence=_licence("fvd_samples"),
)
FID_SAMPLES: Final = MetricSpec(
    name="fid_samples",
    version=1,
    higher_is_better=None,
    bounds=(0.0, None),
    unit="frames",
    title="Frames in FID",
    summary="Number of whole frames that enter FID.",
    caveats="Frames of one video are not independent samples.",
    source="own",
    weights=weights_of("fid_samples"),
    licence=_licence("fid_samples"),
)
