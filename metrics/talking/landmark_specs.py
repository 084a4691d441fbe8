"""Declarations of the distances between a video's landmarks and the real video's."""

from __future__ import annotations

from typing import Final

from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.weights.table import WEIGHTS, weights_of

_BOTH = (
    "Frame by frame of 1/25 s, at the same times, both videos scaled to 256 x 256. Moments at which one of "
    "them shows no face are left out, so read landmark_coverage beside it. Another head pose counts as an "
    "error although it may be right, and a video of another length is compared as far as both go."
)
_LICENCE = " ".join(WEIGHTS[name].licence for name in weights_of("akd"))


def _spec(name: str, title: str, summary: str, caveats: str, source: str, unit: str = "pixels") -> MetricSpec:
    return MetricSpec(
        name=name,
        version=1,
        higher_is_better=False,
        bounds=(0.0, None),
        unit=unit,
        title=title,
        summary=summary,
        caveats=caveats,
        source=source,
        weights=weights_of(name),
        licence=_LICENCE,
    )


AKD: Final = _spec(
    "akd",
    "AKD",
    "Mean of |dx| and |dy| of 68 landmarks from those of the real video, in pixels of 256 x 256.",
    f"{_BOTH} The published script cuts columns 0 to 255 where it says it scales, and finds landmarks by "
    "another network. DiTalker's script of this name has the formula of f_lmd.",
    "AliaksandrSiarohin/pose-evaluation cmp_kp.py @5bc4cae; landmarks by dlib instead of face-alignment",
)
F_LMD: Final = _spec(
    "f_lmd",
    "F-LMD",
    "Mean distance of 68 landmarks from those of the real video, in pixels of 256 x 256.",
    f"{_BOTH} Not normalised by the face's size. On the same points akd lies between 0.5 and 0.71 of it, so "
    "both say much the same.",
    "DiTalker (fenghe12/DiTalker-CVIU) metrics/calculate_f_lmd.py @0eeaea6; landmarks by dlib",
)
M_LMD: Final = _spec(
    "m_lmd",
    "M-LMD",
    "Mean distance of the 20 landmarks of the mouth from those of the real video, in pixels of 256 x 256.",
    f"{_BOTH} DiTalker's script calls this LSE-D, which is not SyncNet's distance of that name (sync_d).",
    "DiTalker (fenghe12/DiTalker-CVIU) metrics/calculate_lse_d.py @0eeaea6; landmarks by dlib",
)
F_LMD_ALIGNED: Final = _spec(
    "f_lmd_aligned",
    "F-LMD, aligned",
    "Mean distance of 68 landmarks from the real ones once nose and eyes are laid on each other, in "
    "distances of the outer corners of the real eyes.",
    f"{_BOTH} What is left is expression and the shape of the face; a turned head is only partly taken out.",
    "own",
    unit="eye distances",
)
LANDMARK_COVERAGE: Final = MetricSpec(
    name="landmark_coverage",
    version=1,
    higher_is_better=True,
    bounds=(0.0, 1.0),
    title="Landmark coverage",
    summary="Share of the moments at which the real video shows a face and this one does, too.",
    caveats="The detector wants frontal faces: turned heads are missed in both videos.",
    source="own",
    weights=weights_of("landmark_coverage"),
    licence=_LICENCE,
)

SPECS: Final = (AKD, F_LMD, M_LMD, F_LMD_ALIGNED, LANDMARK_COVERAGE)
