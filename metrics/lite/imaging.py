"""Imaging quality without any download."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ipvg_eval.core.measurement import ClipInfo, Frames, FrameValues, Measurement
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.lite.image_quality import MIN_SIDE, PictureQuality, picture_quality
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.sampling import linspace_indices
from ipvg_eval.metrics.scaling import shrink
from ipvg_eval.metrics.target import Target

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


class LiteImagingOptions(BaseModel):
    """Rules of the training-free imaging quality.

    Attributes:
        frames: how many frames are looked at, by the linspace rule.
        long_side: frames are scaled down to it, in pixels, so that videos of any resolution are judged
            at the size they are watched at.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    frames: int = Field(default=16, ge=1)
    long_side: int = Field(default=512, ge=MIN_SIDE)


class LiteImaging:
    """Measures `lite_imaging` and the three measures it is made of; each is a mean over frames.

    Attributes:
        specs: the metrics, in the order they are reported.
        weights: empty.
    """

    Options = LiteImagingOptions
    SPECS: ClassVar[tuple[MetricSpec, ...]] = (LITE_IMAGING, LITE_SHARPNESS, LITE_NOISE, LITE_CLIPPING)
    BUDGET: ClassVar[str] = "frames"

    specs: tuple[MetricSpec, ...]
    weights: Mapping[str, str]

    def __init__(self, options: LiteImagingOptions, runtime: Runtime) -> None:  # noqa: ARG002
        self.specs = self.SPECS
        self.weights = {}
        self._options = options

    @classmethod
    def specs_for(cls, options: LiteImagingOptions) -> tuple[MetricSpec, ...]:  # noqa: ARG003
        """All of them, whatever the options."""
        return cls.SPECS

    @staticmethod
    def required_weights(options: LiteImagingOptions) -> tuple[str, ...]:  # noqa: ARG004
        """It needs none."""
        return ()

    def frames(self, clip: ClipInfo) -> Sequence[int]:
        """Evenly spaced frames with both ends, rounded down."""
        return linspace_indices(clip.frame_count, self._options.frames)

    def start(self, target: Target, clip: ClipInfo) -> _ImagingPass:  # noqa: ARG002
        """Begin one video; nothing is asked of the target."""
        return _ImagingPass(self._options.long_side)


class _ImagingPass:
    """One video's frames, one by one."""

    def __init__(self, long_side: int) -> None:
        self._long_side = long_side
        self._indices: list[int] = []
        self._qualities: list[PictureQuality | None] = []

    def add(self, indices: Sequence[int], frames: Frames) -> None:
        """Take the next wanted frames; see `ipvg_eval.metrics.evaluator.Pass`."""
        for index, frame in zip(indices, frames, strict=True):
            picture = shrink(frame, self._long_side)
            large_enough = min(picture.shape[:2]) >= MIN_SIDE
            self._indices.append(index)
            self._qualities.append(picture_quality(picture) if large_enough else None)

    def finish(self) -> list[Measurement]:
        """The combined score, sharpness, noise and clipping."""
        return [
            self._measurement(LITE_IMAGING, lambda quality: quality.score),
            self._measurement(LITE_SHARPNESS, lambda quality: quality.sharpness),
            self._measurement(LITE_NOISE, lambda quality: quality.noise),
            self._measurement(LITE_CLIPPING, lambda quality: quality.clipping),
        ]

    def _measurement(self, spec: MetricSpec, read: Callable[[PictureQuality], float]) -> Measurement:
        if not self._indices:
            return Measurement(name=spec.name, value=None, reason="no frame could be decoded")
        per_frame = tuple(None if quality is None else read(quality) for quality in self._qualities)
        values = [value for value in per_frame if value is not None]
        return Measurement(
            name=spec.name,
            value=float(np.mean(values, dtype=np.float64)) if values else None,
            reason=None if values else f"the frames are smaller than {MIN_SIDE} pixels",
            per_frame=FrameValues(indices=tuple(self._indices), values=per_frame),
        )
