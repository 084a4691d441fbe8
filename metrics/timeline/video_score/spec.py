"""Declarations of VideoScore's columns."""

from __future__ import annotations

from typing import Final

from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.weights.table import weights_of

WEIGHTS: Final = "video_score"

_CAVEATS = (
    "Learned from people's scores of videos of 2023 and early 2024, so good videos of today lie close "
    "together. Sees 16 frames without their times. May leave its scale."
)


def _spec(name: str, title: str, summary: str) -> MetricSpec:
    return MetricSpec(
        name=f"video_score_{name}",
        version=1,
        higher_is_better=True,
        bounds=(None, None),
        title=f"VideoScore: {title}",
        summary=f"{summary} On the scale on which people scored, from 1 (bad) to 4 (perfect).",
        caveats=_CAVEATS,
        source="VideoScore (arXiv 2406.15252), TIGER-AI-Lab/VideoScore examples/run_videoscore.py @8e44973",
        weights=weights_of(f"video_score_{name}"),
        licence="VideoScore weights: Apache-2.0 (TIGER-Lab)",
    )


VIDEO_SCORES: Final = (
    _spec("visual_quality", "visual quality", "How clear, sharp, bright and colourful the video is."),
    _spec(
        "temporal_consistency",
        "temporal consistency",
        "Whether things and people stay the same and move smoothly; reported as TC by ReactID.",
    ),
    _spec("dynamic_degree", "dynamic degree", "How much changes in the video."),
    _spec(
        "text_alignment",
        "text-to-video alignment",
        "How well the video shows what its prompt says; reported as TVA by ReactID.",
    ),
    _spec("factual_consistency", "factual consistency", "Whether the video agrees with common sense."),
)
"""In the order of the network's outputs."""
