"""Imaging quality without any download."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import Field

from ipvg_eval.core.measurement import Frames, FrameValues, Measurement
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.batches import Batches
from ipvg_eval.metrics.evaluator import NO_FRAME_DECODED, EvaluatorOptions, missing
from ipvg_eval.metrics.frame_evaluator import FrameEvaluator, FrameRows
from ipvg_eval.metrics.lite.image_quality import MIN_SIDE, picture_quality
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.scaling import shrink

LITE_IMAGING = MetricSpec(
    name="lite_imaging",
    version=1,
    higher_is_better=True,
    bounds=(0.0, 1.0),
    title="Imaging quality (training-free)",
    summary="Sharpness, noise and clipping in one: sharpness x exp(-noise / 16) x (1 - clipping).",
    caveats="Blind to wrong content. Shallow depth of field reads as blur, film grain as noise, night "
    "scenes as clipping.",
    source="Crete et al. 2007, skimage.measure.blur_effect; Immerkær 1996; share of clipped pixels",
    proxy=True,
)
LITE_SHARPNESS = MetricSpec(
    name="lite_sharpness",
    version=1,
    higher_is_better=True,
    bounds=(0.0, 1.0),
    title="Sharpness",
    summary="One minus the perceived blur, after a 3 x 3 median filter.",
    caveats="Shallow depth of field and smooth backgrounds read as blur.",
    source="Crete et al. 2007, skimage.measure.blur_effect",
)
LITE_NOISE = MetricSpec(
    name="lite_noise",
    version=1,
    higher_is_better=False,
    bounds=(0.0, None),
    unit="grey levels",
    title="Noise",
    summary="Standard deviation of the noise in the flattest quarter of the picture, of 255 grey levels.",
    caveats="Fine texture that fills the whole frame reads as noise.",
    source="Immerkær 1996, with the lower quartile in place of the mean",
)
LITE_CLIPPING = MetricSpec(
    name="lite_clipping",
    version=1,
    higher_is_better=False,
    bounds=(0.0, 1.0),
    title="Clipped exposure",
    summary="Share of pixels within 2 grey levels of black or white.",
    caveats="Black bars and white studio backgrounds count as clipped.",
    source="share of luma below 2.5 or above 252.5",
)


class LiteImagingOptions(EvaluatorOptions):
    """Rules of the training-free imaging quality.

    Attributes:
        frames: how many frames are looked at, by the linspace rule.
        long_side: frames are scaled down to it, in pixels, so that videos of any resolution are judged
            at the size they are watched at.
    """

    frames: int = Field(default=16, ge=1)
    long_side: int = Field(default=512, ge=MIN_SIDE)


class LiteImaging(FrameEvaluator[Frames, LiteImagingOptions]):
    """Measures `lite_imaging` and the three measures it is made of; each is a mean over frames."""

    Options = LiteImagingOptions
    SPECS: ClassVar[tuple[MetricSpec, ...]] = (LITE_IMAGING, LITE_SHARPNESS, LITE_NOISE, LITE_CLIPPING)
    BUDGET: ClassVar[str] = "frames"

    def __init__(self, options: LiteImagingOptions, runtime: Runtime) -> None:
        super().__init__(options, runtime)
        self._batches = Batches(_qualities, 1)

    def prepare(self, frame: Frames) -> Frames:
        """The frame at the size it is judged at."""
        return shrink(frame, self._options.long_side)

    def measure(self, frames: FrameRows) -> list[Measurement]:
        """The combined score, sharpness, noise and clipping."""
        if not frames.indices:
            return missing(self.specs, NO_FRAME_DECODED)
        columns = zip(self.specs, frames.rows.T.tolist(), strict=True)
        return [_mean(spec, frames.indices, values) for spec, values in columns]


def _qualities(pictures: list[Frames]) -> npt.NDArray[np.float64]:
    """One row per picture, one column per metric; NaN for a picture that is too small."""
    rows = []
    for picture in pictures:
        if min(picture.shape[:2]) < MIN_SIDE:
            rows.append([math.nan] * len(LiteImaging.SPECS))
        else:
            quality = picture_quality(picture)
            rows.append([quality.score, quality.sharpness, quality.noise, quality.clipping])
    return np.array(rows, dtype=np.float64)


def _mean(spec: MetricSpec, indices: tuple[int, ...], column: list[float]) -> Measurement:
    values = [value for value in column if not math.isnan(value)]
    return Measurement(
        name=spec.name,
        value=float(np.mean(values, dtype=np.float64)) if values else None,
        reason=None if values else f"the frames are smaller than {MIN_SIDE} pixels",
        per_frame=FrameValues(
            indices=indices, values=tuple(None if math.isnan(value) else value for value in column)
        ),
    )
