"""What the published face metrics are: names, directions, ranges, sources."""

from __future__ import annotations

from typing import Final

from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.faces import scrfd
from ipvg_eval.metrics.weights.table import weights_of

_SCRIPT: Final = "ConsisID eval/get_facesim_fid.py @60429e4; TPIGE ID_eval_final/cal_face_sim.py @74390b4"
_TERMS: Final = "InsightFace model packs: non-commercial research only"

CUR_SCORE: Final = MetricSpec(
    name="cur_score",
    version=1,
    higher_is_better=True,
    bounds=(0.0, 1.0),
    title="CurScore",
    summary="Mean cosine similarity of CurricularFace embeddings of the reference's face and of the frames' "
    "faces, negative ones as 0, over the frames with a face.",
    caveats="Frames without a face are left out, so that hiding the face costs nothing: read it beside "
    "face_coverage. Rewards pasting the reference in.",
    source=f"{_SCRIPT}; CurricularFace, arXiv 2004.00288",
    weights=weights_of("cur_score"),
    licence=_TERMS,
)
ARC_SCORE: Final = MetricSpec(
    name="arc_score",
    version=1,
    higher_is_better=True,
    bounds=(0.0, 1.0),
    title="ArcScore",
    summary="Mean cosine similarity of ArcFace R50 embeddings of the reference's face and of the frames' "
    "faces, negative ones as 0, over the frames with a face.",
    caveats="Frames without a face are left out, so that hiding the face costs nothing: read it beside "
    "face_coverage. Rewards pasting the reference in.",
    source=f"{_SCRIPT}; ArcFace, arXiv 1801.07698",
    weights=weights_of("arc_score"),
    licence=_TERMS,
)
FACE_FEATURE_DISTANCE: Final = MetricSpec(
    name="face_feature_distance",
    version=1,
    higher_is_better=False,
    bounds=(0.0, None),
    title="Face-feature distance (ConsisID FID)",
    summary="Mean over frames with a face of the squared distance between ImageNet Inception-v3 features of "
    "the frame's and the reference's aligned face. Published as FID, of which it is the case of two points; "
    "not comparable with a FID between sets.",
    caveats="Under the published rules a video without a face gets 0, the best value. Lighting, pose "
    "and blur move it more than identity does.",
    source=_SCRIPT,
    weights=weights_of("face_feature_distance"),
    licence=_TERMS,
)
FACE_COVERAGE: Final = MetricSpec(
    name="face_coverage",
    version=1,
    higher_is_better=True,
    bounds=(0.0, 1.0),
    title="Face coverage",
    summary="Share of the frames looked at in which SCRFD finds a face, retry included.",
    caveats="Close-up faces can be missed at this detector size; a face on a poster counts.",
    source="own; detection as in ConsisID eval/get_facesim_fid.py @60429e4",
    weights=(scrfd.WEIGHTS,),
    licence=_TERMS,
)
CUR_SCORE_ALL_FRAMES: Final = MetricSpec(
    name="cur_score_all_frames",
    version=1,
    higher_is_better=True,
    bounds=(0.0, 1.0),
    title="CurScore, missing faces counted",
    summary="CurScore with 0 for every frame looked at that shows no face, which the published score skips.",
    caveats="Prompts that ask for a turned head or a wide shot lower it, whatever the identity.",
    source=f"own; {CUR_SCORE.source}",
    weights=CUR_SCORE.weights,
    licence=_TERMS,
)
ARC_SCORE_ALL_FRAMES: Final = MetricSpec(
    name="arc_score_all_frames",
    version=1,
    higher_is_better=True,
    bounds=(0.0, 1.0),
    title="ArcScore, missing faces counted",
    summary="ArcScore with 0 for every frame looked at that shows no face, which the published score skips.",
    caveats="Prompts that ask for a turned head or a wide shot lower it, whatever the identity.",
    source=f"own; {ARC_SCORE.source}",
    weights=ARC_SCORE.weights,
    licence=_TERMS,
)
FACE_FID_SAMPLES: Final = MetricSpec(
    name="face_fid_samples",
    version=1,
    higher_is_better=None,
    bounds=(0.0, None),
    unit="faces",
    title="Faces given to the corpus face FID",
    summary="Number of this video's aligned faces whose features enter the Fréchet distance over all videos.",
    caveats="A count, not a score.",
    source="pytorch-fid 0.3.0 pytorch_fid/inception.py (network)",
    weights=weights_of("face_fid_samples"),
    licence=_TERMS,
)

SIMILARITIES: Final = (CUR_SCORE, ARC_SCORE, CUR_SCORE_ALL_FRAMES, ARC_SCORE_ALL_FRAMES)

ALL: Final = (
    CUR_SCORE,
    ARC_SCORE,
    FACE_FEATURE_DISTANCE,
    FACE_COVERAGE,
    CUR_SCORE_ALL_FRAMES,
    ARC_SCORE_ALL_FRAMES,
    FACE_FID_SAMPLES,
)


def counts_all_frames(name: str) -> bool:
    """Whether a score counts frames without a face as 0."""
    return name in {CUR_SCORE_ALL_FRAMES.name, ARC_SCORE_ALL_FRAMES.name}


def keeps_features(name: str) -> bool:
    """Whether a score keeps the embeddings that it, and the same score over all frames, is computed from."""
    return name in {CUR_SCORE.name, ARC_SCORE.name}
