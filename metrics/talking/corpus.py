"""FVD, its floor and FID: Fréchet distances of a whole submission from the real videos."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ipvg_eval.core.measurement import FrameFeatures
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.corpus import CorpusValue
from ipvg_eval.metrics.faces.frechet import MIN_SAMPLES, frechet_distance
from ipvg_eval.metrics.talking.distribution_specs import FID_SAMPLES, FVD_SAMPLES

_SIZE = (
    "Mostly its number of clips where there are few: two samples of one 400-dimensional distribution of the "
    "usual spread are about 1000 apart with 100 clips, 250 with 500 and 60 with 2048. Compare equal numbers "
    "only, and read it beside fvd_floor."
)


@dataclass(frozen=True, kw_only=True)
class DistanceToReal:
    """Fréchet distance between the rows of the videos and those of the real videos.

    Attributes:
        spec: what its number means.
        needs: the metric whose features it reads.
        what: what a row is, for reasons.
    """

    spec: MetricSpec
    needs: str
    what: str

    def __call__(self, features: Iterable[FrameFeatures]) -> CorpusValue:
        """The distance; missing with the reason where a side has too few rows."""
        entries = list(features)
        return _distance(
            [entry.rows for entry in entries],
            [entry.reference_rows for entry in entries if entry.reference_rows is not None],
            self.what,
        )


@dataclass(frozen=True, kw_only=True)
class RealFloor:
    """The same distance between the halves of the real videos: every second one against the others.

    Attributes:
        spec, needs, what: as for `DistanceToReal`.
    """

    spec: MetricSpec
    needs: str
    what: str

    def __call__(self, features: Iterable[FrameFeatures]) -> CorpusValue:
        """The distance; missing with the reason where a half has too few rows."""
        real = [entry.reference_rows for entry in features if entry.reference_rows is not None]
        return _distance(real[::2], real[1::2], self.what)


def _distance(
    first: Sequence[npt.NDArray[np.float32]], second: Sequence[npt.NDArray[np.float32]], what: str
) -> CorpusValue:
    samples, references = (sum(len(rows) for rows in side) for side in (first, second))
    reason = None
    if not references:
        reason = "there are no reference videos to compare with"
    elif min(samples, references) < MIN_SAMPLES:
        few = min(samples, references)
        reason = f"{few} {what} are too few: a covariance needs {MIN_SAMPLES}"
    if reason is not None:
        return CorpusValue(value=None, reason=reason, samples=samples, references=references)
    value = frechet_distance(np.concatenate(first), np.concatenate(second))
    return CorpusValue(value=value, reason=None, samples=samples, references=references)


FVD: Final = DistanceToReal(
    spec=MetricSpec(
        name="fvd",
        version=1,
        higher_is_better=False,
        bounds=(0.0, None),
        title="FVD",
        summary="Fréchet distance, in float64, between I3D's logits of clips of 16 frames of all videos and "
        "of the real videos, at 25 frames per second.",
        caveats=f"{_SIZE} What is in the picture outweighs how it moves. Pictures are in [-1, 1]; scripts "
        "that give [0, 1] print numbers on another scale. Not checked against the published network.",
        source="Unterthiner et al. 2018 (arXiv 1812.01717); pictures as in "
        "JunyaoHu/common_metrics_on_video_quality fvd/videogpt/fvd.py @5f75173",
        weights=FVD_SAMPLES.weights,
        licence=FVD_SAMPLES.licence,
    ),
    needs=FVD_SAMPLES.name,
    what="clips",
)
FVD_FLOOR: Final = RealFloor(
    spec=MetricSpec(
        name="fvd_floor",
        version=1,
        higher_is_better=None,
        bounds=(0.0, None),
        title="FVD's floor",
        summary="The FVD between two halves of the real videos: what is left of FVD where nothing is wrong.",
        caveats="Each half has half the clips, so the floor of a comparison of all of them is lower; the "
        "halves show other people.",
        source="own, from the features of fvd",
        weights=FVD_SAMPLES.weights,
        licence=FVD_SAMPLES.licence,
    ),
    needs=FVD_SAMPLES.name,
    what="clips",
)
FID: Final = DistanceToReal(
    spec=MetricSpec(
        name="fid",
        version=1,
        higher_is_better=False,
        bounds=(0.0, None),
        title="FID of frames",
        summary="Fréchet distance, in float64, between the FID Inception features of sampled whole frames of "
        "all videos and of the real videos.",
        caveats="Frames of one video are hardly independent and the people are few, so it is biased upwards: "
        "compare equal numbers only. The published page does not say which frames count.",
        source="Heusel et al. 2017 (arXiv 1706.08500); pytorch-fid 0.3.0 (network)",
        weights=FID_SAMPLES.weights,
        licence=FID_SAMPLES.licence,
    ),
    needs=FID_SAMPLES.name,
    what="frames",
)
