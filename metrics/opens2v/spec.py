"""Declarations of OpenS2V-Eval's metrics."""

from __future__ import annotations

from typing import Final

from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.weights.table import weights_of

CLIP_WEIGHTS: Final = "clip_vit_l14"
HEAD_WEIGHTS = "aesthetic_head"

_LICENCE = "CLIP weights: MIT (OpenAI); head: Apache-2.0 (improved-aesthetic-predictor)"
_MERGE = "OpenS2V-Nexus (fork franciszzj) eval/merge_result.py @ef17513"
_FROM_FILES = "Not measured here: read from a file that the published script wrote elsewhere."

AESTHETIC = MetricSpec(
    name="aesthetic_score",
    version=1,
    higher_is_better=True,
    bounds=(None, None),
    title="Aesthetic score",
    summary="Mean over 32 frames of the LAION aesthetic predictor (CLIP ViT-L/14 and a linear network of "
    "five layers), about 4 to 7.",
    caveats="Trained on people's marks for photographs and generated pictures: likes portraits, saturated "
    "colours and shallow focus, and knows nothing of the prompt or of motion.",
    source="OpenS2V-Nexus eval/get_aesscore.py @b452831; christophschuhmann/improved-aesthetic-predictor",
    weights=weights_of("aesthetic_score"),
    licence=_LICENCE,
)

AESTHETIC_UNIT = MetricSpec(
    name="aesthetic_score_unit",
    version=1,
    higher_is_better=True,
    bounds=(0.0, 1.0),
    title="Aesthetics, 0 to 1",
    summary="The aesthetic score clipped to 4..7 and moved to 0..1, as it enters OpenS2V-Eval's totals and "
    "is listed on its leaderboard.",
    caveats="Videos below 4 or above 7 cannot be told apart any more.",
    source=f"{_MERGE} lines 97 and 151",
    weights=weights_of("aesthetic_score_unit"),
    licence=_LICENCE,
)

AMPLITUDE = MetricSpec(
    name="motion_amplitude",
    version=1,
    higher_is_better=True,
    bounds=(0.0, None),
    unit="pixels/frame",
    title="Motion amplitude",
    summary="Absolute value of the mean of both components of Farneback's optical flow, over all pixels "
    "and all pairs of consecutive frames.",
    caveats="The mean is signed: motion to the left cancels motion to the right, and down cancels up, so "
    "that a busy scene may have less than a slow pan along the diagonal. Depends on resolution and frame "
    "rate. The published script takes RGB for BGR when it makes grey pictures; so is it here.",
    source="OpenS2V-Nexus eval/get_motionscore.py @b452831, unchanged in (fork franciszzj) "
    "eval/get_motion_amplitude.py @ef17513 but for the video reader",
)

AMPLITUDE_UNIT = MetricSpec(
    name="motion_amplitude_unit",
    version=1,
    higher_is_better=True,
    bounds=(0.0, 1.0),
    title="Motion amplitude, 0 to 1",
    summary="The motion amplitude, at most 1, as it enters OpenS2V-Eval's totals.",
    caveats="As the motion amplitude; one pixel per frame is already the best value.",
    source=f"{_MERGE} line 102",
)

SMOOTHNESS_UNIT = MetricSpec(
    name="opens2v_smoothness",
    version=1,
    higher_is_better=True,
    bounds=(0.0, 1.0),
    title="Motion smoothness by Q-Align, from a file",
    summary="Share of frames without a jump of more than 0.025 in Q-Align's quality of three-frame windows. "
    f"{_FROM_FILES}",
    caveats="Another thing than VBench's motion smoothness. A still video has the best value. Nothing here "
    "can tell whether the file belongs to these videos.",
    source=f"{_MERGE} lines 107-109; eval/get_motion_smoothness.py",
)

NEXUS = MetricSpec(
    name="nexus_score",
    version=1,
    higher_is_better=True,
    bounds=(None, None),
    title="NexusScore, from a file",
    summary="Similarity of detected subjects (YOLO-World, GME) with their references, over the number of "
    f"frames in which one was detected. {_FROM_FILES}",
    caveats="Divided by the number of frames with a detection, so that a subject seen more often scores "
    "lower. Nothing here can tell whether the file belongs to these videos.",
    source="OpenS2V-Nexus (fork franciszzj) eval/get_nexusscore.py @ef17513",
)

NEXUS_UNIT = MetricSpec(
    name="nexus_score_unit",
    version=1,
    higher_is_better=True,
    bounds=(None, 1.0),
    title="NexusScore, 0 to 1, from a file",
    summary="NexusScore, at most 0.05, over 0.05, as it enters OpenS2V-Eval's open-domain totals. A score "
    "of 0 is left out.",
    caveats="A system whose subjects are not found in most videos is judged by the others alone: look at "
    "how many samples have a value.",
    source=f"{_MERGE} lines 123-126 and 162",
)

NATURAL = MetricSpec(
    name="natural_score",
    version=1,
    higher_is_better=True,
    bounds=(None, None),
    title="NaturalScore, from files",
    summary=f"Mean of GPT-4o's marks from 1 to 5 for naturalness, asked three times. {_FROM_FILES}",
    caveats="The marks of a closed model that may answer differently tomorrow. Nothing here can tell whether "
    "the files belong to these videos.",
    source=f"{_MERGE} lines 59-67; eval/get_naturalscore.py",
)

NATURAL_UNIT = MetricSpec(
    name="natural_score_unit",
    version=1,
    higher_is_better=True,
    bounds=(0.0, 1.0),
    title="NaturalScore, 0 to 1, from files",
    summary="NaturalScore clipped to 1..5 and moved to 0..1, as it enters OpenS2V-Eval's totals.",
    caveats="As NaturalScore.",
    source=f"{_MERGE} lines 129-131 and 165",
)
