"""The published metrics as torchmetrics classes: `update` with videos, `compute`, `reset`, `plot`.

    from ipvg_eval import Recipe
    from ipvg_eval.torchmetrics import CurScore, VideoMeans

Every class keeps one entry per video and adds them up exactly, so that `compute` gives the mean that `score`
prints for the same videos, to the last bit, whatever process saw which of them. States synchronise as those
of every torchmetrics class do. The networks stay where the scorer has them: `.to(device)` moves the entries.

A video without a value is not counted, as in `score`; `metric.missing` says why, for those of this process.
Where no video has a value, `compute` warns and gives NaN.
"""

from ipvg_eval.torchmetrics.embedding_metrics import FaceFID, IdentityRank
from ipvg_eval.torchmetrics.video_means import (
    ArcScore,
    ClipScoreVideo,
    CurScore,
    DynamicDegree,
    GmeScore,
    ImagingQuality,
    MotionSmoothness,
    VideoMean,
    VideoMeans,
)

__all__ = [
    "ArcScore",
    "ClipScoreVideo",
    "CurScore",
    "DynamicDegree",
    "FaceFID",
    "GmeScore",
    "IdentityRank",
    "ImagingQuality",
    "MotionSmoothness",
    "VideoMean",
    "VideoMeans",
]
