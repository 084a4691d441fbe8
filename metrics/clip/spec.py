"""Declarations of the CLIP metrics."""

from __future__ import annotations

from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.weights.table import weights_of

_LICENCE = "CLIP weights: MIT (OpenAI)"

CLIP_SCORE = MetricSpec(
    name="clip_score",
    version=1,
    higher_is_better=True,
    bounds=(-1.0, 1.0),
    title="CLIPScore",
    summary="Mean cosine between the frames' and the prompt's CLIP embeddings; a prompt longer than "
    "77 tokens is cut off as in the published scores, and the row says so.",
    caveats="Cosines of all videos lie close together and agree weakly with people; words after the "
    "77th token do not count; text burned into the picture raises it.",
    source="TPIGE ID_eval_final/CLIPCal.py @74390b4 and ConsisID eval/get_clipscore.py @60429e4",
    weights=weights_of("clip_score"),
    licence=_LICENCE,
)

CLIP_SCORE_LONG = MetricSpec(
    name="clip_score_long",
    version=1,
    higher_is_better=True,
    bounds=(-1.0, 1.0),
    title="CLIPScore, whole prompt",
    summary="CLIPScore with the whole prompt read in windows of at most 77 tokens whose unit embeddings are "
    "averaged; equal to CLIPScore where the prompt fits.",
    caveats="Windows cut sentences; not comparable with published CLIPScores of long prompts.",
    source="CLIPScore's definition; the windows are this project's own rule",
    weights=weights_of("clip_score_long"),
    licence=_LICENCE,
)

PROMPT_TOKENS = MetricSpec(
    name="clip_prompt_tokens",
    version=1,
    higher_is_better=None,
    bounds=(2.0, None),
    unit="tokens",
    title="Prompt length",
    summary="CLIP tokens of the prompt, start and end token included; more than 77 do not fit.",
    caveats="A property of the prompt, not of the video.",
    source="transformers CLIPTokenizerFast with OpenAI's vocabulary",
)

PROMPT_TRUNCATED = MetricSpec(
    name="clip_prompt_truncated",
    version=1,
    higher_is_better=None,
    bounds=(0.0, 1.0),
    title="Prompt cut off",
    summary="1 where the prompt has more than 77 CLIP tokens, so that CLIPScore reads only its "
    "beginning, else 0; the mean is the share of such prompts.",
    caveats="A property of the prompt, not of the video.",
    source="TPIGE ID_eval_final/CLIPCal.py lines 63-64 @74390b4",
)
