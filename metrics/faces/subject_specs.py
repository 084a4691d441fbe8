"""What the face metrics of several subjects are."""

from __future__ import annotations

from typing import Final

from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.faces.face_similarity_specs import ARC_SCORE, CUR_SCORE
from ipvg_eval.metrics.weights.table import weights_of

_MATCHING: Final = "own: one-to-one matching by scipy.optimize.linear_sum_assignment"
_CAVEATS: Final = (
    "Frames with fewer faces than subjects cost nothing here: read it beside subject_face_coverage. A frame "
    "in which somebody else is seen instead counts with that face. References that show no face (animals, "
    "things, people from behind) have no part in it; a stranger in the background of a thing's picture does. "
    "With one subject it is the published score, but for frames with several faces: the most similar "
    "counts, not the largest."
)

SUBJECT_CUR_SCORE: Final = MetricSpec(
    name="subject_cur_score",
    version=1,
    higher_is_better=True,
    bounds=(0.0, 1.0),
    title="CurScore of every subject",
    summary="The faces of each frame are matched one to one to the sample's subjects whose references show a "
    "face; mean over all matches of the CurricularFace similarity, negative ones as 0.",
    caveats=_CAVEATS,
    source=f"{_MATCHING}; scores as {CUR_SCORE.source}",
    weights=weights_of("subject_cur_score"),
    licence=CUR_SCORE.licence,
)
SUBJECT_ARC_SCORE: Final = MetricSpec(
    name="subject_arc_score",
    version=1,
    higher_is_better=True,
    bounds=(0.0, 1.0),
    title="ArcScore of every subject",
    summary="The faces of each frame are matched one to one to the sample's subjects whose references show a "
    "face; mean over all matches of the ArcFace R50 similarity, negative ones as 0.",
    caveats=_CAVEATS,
    source=f"{_MATCHING}; scores as {ARC_SCORE.source}",
    weights=weights_of("subject_arc_score"),
    licence=ARC_SCORE.licence,
)
SUBJECT_FACE_COVERAGE: Final = MetricSpec(
    name="subject_face_coverage",
    version=1,
    higher_is_better=True,
    bounds=(0.0, 1.0),
    title="Face coverage of the subjects",
    summary="Share of frames times subjects with a face in their references for which the frame has a face.",
    caveats="Any face covers a subject: identity is what the scores measure. Prompts that ask for a turned "
    "head lower it.",
    source="own; detection as in ConsisID eval/get_facesim_fid.py @60429e4",
    weights=weights_of("subject_face_coverage"),
    licence=ARC_SCORE.licence,
)

ALL: Final = (SUBJECT_CUR_SCORE, SUBJECT_ARC_SCORE, SUBJECT_FACE_COVERAGE)
