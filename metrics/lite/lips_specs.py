"""Declarations of the training-free measurements of lips."""

from __future__ import annotations

from typing import Final

from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.faces.mtcnn import LICENCE, WEIGHT_NAMES

SHORTEST: Final = 8.0
"""Seconds below which no value of lip sync is given."""

_FACES = "Faces are found by MTCNN on every tenth of 25 frames per second, and followed on straight lines."

LITE_LIP_SYNC: Final = MetricSpec(
    name="lite_lip_sync",
    version=1,
    higher_is_better=None,
    bounds=(-1.0, 1.0),
    title="Mouth moves with the sound (training-free)",
    summary="Largest correlation of the change in the mouth's region with the sound's loudness, over shifts "
    "of 6 frames of 1/25 s either way.",
    caveats="No lip sync in the published sense: it knows no phonemes. On 15 real clips of 10 to 12 s the "
    "median was 0.31 with their sound and 0.09 with another clip's (area under the curve 0.88); on clips of "
    f"4 s it is hardly better than chance, so below {SHORTEST:g} s there is no value. Never rank by it.",
    source="own",
    proxy=True,
    weights=WEIGHT_NAMES,
    licence=LICENCE,
)
LITE_LIP_LAG: Final = MetricSpec(
    name="lite_lip_lag",
    version=1,
    higher_is_better=None,
    bounds=(-6.0, 6.0),
    unit="frames",
    title="Sound after the mouth (training-free)",
    summary="The shift of lite_lip_sync: frames of 1/25 s by which loudness follows the mouth's motion.",
    caveats="Real speech has about +3, as a mouth opens before it is loud: compare lags, do not read one as "
    "an error.",
    source="own",
    proxy=True,
    weights=WEIGHT_NAMES,
    licence=LICENCE,
)
MOUTH_MOTION: Final = MetricSpec(
    name="mouth_motion",
    version=1,
    higher_is_better=None,
    bounds=(0.0, 1.0),
    title="Mouth moves",
    summary="Share of frames of 1/25 s in which the region of the mouth of the aligned face changes by more "
    "than 1.5 of 255 on average.",
    caveats=f"A turning head or a flickering light moves it too; near 0 the picture stands still. {_FACES}",
    source="own",
    proxy=True,
    weights=WEIGHT_NAMES,
    licence=LICENCE,
)
LITE_LANDMARK_DISTANCE: Final = MetricSpec(
    name="lite_landmark_distance",
    version=1,
    higher_is_better=False,
    bounds=(0.0, None),
    unit="eye distances",
    title="Distance of five landmarks (training-free)",
    summary="Mean distance of eyes, nose and corners of the mouth from those of the real video at the same "
    "times, in distances of the real video's eyes.",
    caveats="Five points say little of an expression; where the face is in the picture counts as well. Only "
    f"where the test set has the real video. {_FACES}",
    source="own, as landmark distances with 68 points",
    proxy=True,
    weights=WEIGHT_NAMES,
    licence=LICENCE,
)

SPECS: Final = (LITE_LIP_SYNC, LITE_LIP_LAG, MOUTH_MOTION, LITE_LANDMARK_DISTANCE)
