"""The features that FVD and FID compare, of a video and of the real one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import Field
from typing_extensions import override

from ipvg_eval.core.measurement import ClipInfo, FrameFeatures, Frames, Measurement
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.evaluator import NOT_FINITE, Evaluator, EvaluatorOptions, Pass
from ipvg_eval.metrics.faces.inception import FidInception
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.sampling import linspace_indices
from ipvg_eval.metrics.talking.distribution_specs import FID_SAMPLES, FVD_SAMPLES
from ipvg_eval.metrics.talking.frame_clock import shown_frames
from ipvg_eval.metrics.talking.i3d import I3dEncoder, clip_pixels
from ipvg_eval.metrics.target import Target

Rows = npt.NDArray[np.float32]


class ClipOptions(EvaluatorOptions):
    """Rules of FVD's clips.

    Attributes:
        length: frames of a clip, at 25 per second.
        clips: how many clips of a video count at most, from the first, without overlap.
    """

    length: int = Field(default=16, ge=10)
    clips: int = Field(default=16, ge=1)


class ClipFeatures(Evaluator[ClipOptions]):
    """Keeps I3D's logits of clips for `fvd`, and says how many there are."""

    Options = ClipOptions
    SPECS: ClassVar[tuple[MetricSpec, ...]] = (FVD_SAMPLES,)
    BUDGET: ClassVar[str] = "clips"
    compares: bool = True

    def __init__(self, options: ClipOptions, runtime: Runtime) -> None:
        """Load I3D.

        Raises:
            WeightsMissing: its file is missing.
        """
        super().__init__(options, runtime)
        self._encoder = I3dEncoder(runtime)

    @override
    def frames(self, clip: ClipInfo) -> Sequence[int]:
        """Those of whole clips at 25 frames per second."""
        return sorted({index for one in self._clips(clip) for index in one})

    @override
    def start(self, target: Target, clip: ClipInfo) -> _ClipPass:
        """Begin one video."""
        return _ClipPass(self._encoder.logits, self._clips(clip))

    def _clips(self, clip: ClipInfo) -> list[tuple[int, ...]]:
        shown, length = shown_frames(clip.times, clip.duration), self._options.length
        count = min(self._options.clips, len(shown) // length)
        return [shown[length * k : length * (k + 1)] for k in range(count)]


class _Compared:
    """A pass that keeps rows of the video and of the reference video."""

    spec: ClassVar[MetricSpec]

    def __init__(self) -> None:
        self.rows: dict[int, Rows] = {}
        self._reference: Pass | str = "there is no reference video"

    def compare(self, reference: Pass | str) -> None:
        self._reference = reference

    def finish(self) -> list[Measurement]:
        name, rows = self.spec.name, _stacked(self.rows)
        if rows is not None and not np.isfinite(rows).all():
            return [Measurement(name=name, value=None, reason=NOT_FINITE)]
        real = _stacked(self._reference.rows) if isinstance(self._reference, _Compared) else None
        why = self._reference if isinstance(self._reference, str) else "the reference video gives none"
        features = None
        if rows is not None:
            features = FrameFeatures(indices=tuple(self.rows), rows=rows, reference_rows=real)
        return [
            Measurement(
                name=name,
                value=float(len(self.rows)),
                note=None if real is not None else why,
                features=features,
            )
        ]


class _ClipPass(_Compared):
    """One video; holds the frames of one clip."""

    spec = FVD_SAMPLES

    def __init__(self, encode: Callable[[Rows], Rows], clips: Sequence[tuple[int, ...]]) -> None:
        super().__init__()
        self._encode = encode
        self._clips = list(clips)
        self._seen: dict[int, Rows] = {}

    def add(self, indices: Sequence[int], frames: Frames) -> None:
        for index, frame in zip(indices, frames, strict=True):
            self._seen[index] = clip_pixels(frame)
            while self._clips and self._clips[0][-1] <= index:
                self._run(self._clips.pop(0))

    def _run(self, clip: tuple[int, ...]) -> None:
        """A clip with a frame that could not be read is left out."""
        if all(index in self._seen for index in clip):
            self.rows[clip[0]] = self._encode(np.stack([self._seen[index] for index in clip]))
        begins = self._clips[0][0] if self._clips else clip[-1] + 1
        self._seen = {index: pixels for index, pixels in self._seen.items() if index >= begins}


class FrameOptions(EvaluatorOptions):
    """Rules of FID's frames.

    Attributes:
        frames: how many of a video count, by the linspace rule.
    """

    frames: int = Field(default=16, ge=1)


class WholeFrameFeatures(Evaluator[FrameOptions]):
    """Keeps the FID network's features of whole frames for `fid`, and says how many there are."""

    Options = FrameOptions
    SPECS: ClassVar[tuple[MetricSpec, ...]] = (FID_SAMPLES,)
    BUDGET: ClassVar[str] = "frames"
    compares: bool = True

    def __init__(self, options: FrameOptions, runtime: Runtime) -> None:
        """Load Inception.

        Raises:
            WeightsMissing: pytorch-fid or its file is missing.
        """
        super().__init__(options, runtime)
        self._network = FidInception(runtime)

    @override
    def frames(self, clip: ClipInfo) -> Sequence[int]:
        """Evenly spaced frames with both ends, rounded down."""
        return linspace_indices(clip.frame_count, self._options.frames)

    @override
    def start(self, target: Target, clip: ClipInfo) -> _FramePass:
        """Begin one video."""
        return _FramePass(self._network)


class _FramePass(_Compared):
    """One video; frames go through one by one, so that no bit depends on how they come."""

    spec = FID_SAMPLES

    def __init__(self, network: FidInception) -> None:
        super().__init__()
        self._network = network

    def add(self, indices: Sequence[int], frames: Frames) -> None:
        for index, frame in zip(indices, frames, strict=True):
            self.rows[index] = self._network.features(frame[None])[0]


def _stacked(rows: dict[int, Rows]) -> Rows | None:
    return np.stack(list(rows.values())) if rows else None
