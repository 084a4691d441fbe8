"""Declarations of the GME metrics."""

from __future__ import annotations

from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.weights.table import weights_of

GME_SCORE = MetricSpec(
    name="gme_score",
    version=1,
    higher_is_better=True,
    bounds=(-1.0, 1.0),
    title="GMEScore",
    summary="Mean similarity of the frames' and the prompt's GME embeddings; reads prompts of up to about "
    "1,770 tokens.",
    caveats="Judges single frames: order and timing of actions do not count. Text burned into the "
    "picture raises it.",
    source="TPIGE ID_eval_final/GMECal.py @74390b4 and OpenS2V-Nexus eval/get_gmescore.py @b452831",
    weights=weights_of("gme_score"),
    licence="GME weights: Apache-2.0",
)
