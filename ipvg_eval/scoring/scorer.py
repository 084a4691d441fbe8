"""A protocol with its networks loaded, ready to measure any number of videos and submissions."""

from __future__ import annotations

import hashlib
import threading
import weakref
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Self

from ipvg_eval.core.errors import UsageError
from ipvg_eval.core.run import DeviceInfo
from ipvg_eval.core.sound import NoSound, Sounds
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.decoding import DecoderProcess, OpenVideo
from ipvg_eval.metrics.device import device_name
from ipvg_eval.metrics.evaluator import Evaluator
from ipvg_eval.metrics.protocols.loading import LoadedProtocol
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.results.provenance import collect_provenance
from ipvg_eval.sandbox import open_file
from ipvg_eval.scoring.companions import DrivingSounds, heard, listen
from ipvg_eval.scoring.frames_in_memory import FramesInMemory
from ipvg_eval.scoring.given_references import given_references
from ipvg_eval.scoring.one_video import Measured, Video, wanted_frames, watch
from ipvg_eval.scoring.scorer_info import ScorerInfo, parts_suited_to, protocol_suited_to
from ipvg_eval.scoring.video_measurements import VideoMeasurements
from ipvg_eval.testset.model import Sample, TestSet
from ipvg_eval.video import Batch, decoder_version

if TYPE_CHECKING:
    import numpy.typing as npt
    import torch
    from PIL import Image

    Pictured = str | Path | Image.Image | npt.NDArray[Any] | torch.Tensor
    Clip = str | Path | npt.NDArray[Any] | torch.Tensor | Sequence[Image.Image | npt.NDArray[Any]]

IN_MEMORY = "frames in memory"
"""What a video is called that is no file."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Scorer:
    """Evaluators built once and shared by every video; `Recipe(...).build()` makes one.

    Call it with a video, or hand it to `measure`, `measure_all` and `score` as their recipe. One call runs at
    a time, whichever thread it comes from. A deep copy is the same scorer.

    Attributes:
        protocol: the rules.
        runtime: where the networks run.
        evaluators: the evaluators, networks loaded, one per part of the protocol.
        driving: the driving sounds that were heard so far.
    """

    protocol: LoadedProtocol
    runtime: Runtime
    evaluators: tuple[Evaluator, ...]
    driving: DrivingSounds = field(default_factory=DrivingSounds, repr=False)
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __call__(
        self,
        video: Clip,
        *,
        reference: Pictured | Sequence[Pictured] = (),
        prompt: str = "",
        timeline: str | None = None,
        fps: float | Fraction | None = None,
        times: Sequence[float] | None = None,
    ) -> VideoMeasurements:
        """Measure one video.

        Args:
            video: a file; or RGB frames, uint8: an array (n, height, width, 3), a torch tensor
                (n, 3, height, width) on any device, or a list of pictures (Pillow's, or arrays). Only frames
                that are looked at are copied, where they must be. Pixels do not tell red from blue: frames
                from OpenCV are BGR, and must be turned first (`frames[..., ::-1]`).
            reference: one reference picture or a list: paths, Pillow's pictures, arrays (height, width, 3) or
                torch tensors (3, height, width), uint8.
            prompt: its text prompt.
            timeline: which action when (see `ipvg-eval timeline`).
            fps: of frames in memory, per second; 25 where neither this nor times are given. A file says its
                own.
            times: of frames that are not evenly spaced: seconds from the first, (n,).

        Returns:
            Its numbers: to the last bit those of `score` and `ipvg-eval measure` for the same decoded frames,
            times and references. What a metric needs and is not given makes it missing, with the reason; so
            does a video that cannot be decoded.

        Raises:
            UsageError: a file is not there, or frames or a reference cannot be used as they are.
            ProtocolError: all metrics need a timeline, and there is none.
            Unavailable: the installation is broken.
        """
        measured = self.measured(
            video, reference=reference, prompt=prompt, timeline=timeline, fps=fps, times=times
        )
        suited = self if timeline is not None else self.without_timelines
        return VideoMeasurements.of_row(
            measured.row,
            combined=suited.protocol.combined,
            notice=suited.notice,
            left_out=() if timeline is not None else self.needing_timelines,
        )

    def measured(
        self,
        video: Clip,
        *,
        reference: Pictured | Sequence[Pictured] = (),
        prompt: str = "",
        timeline: str | None = None,
        fps: float | Fraction | None = None,
        times: Sequence[float] | None = None,
    ) -> Measured:
        """As a call, but with what a run keeps: its row, and the embeddings that make a score of many videos.

        Args:
            video: as a call takes it, like the rest.
            reference: pictures.
            prompt: its text prompt.
            timeline: which action when.
            fps: of frames in memory.
            times: of frames in memory, (n,), in seconds.

        Raises:
            UsageError, ProtocolError, Unavailable: as a call.
        """
        references = given_references(reference)
        suited = self if timeline is not None else self.without_timelines
        is_file = isinstance(video, str | Path)
        name = Path(video).as_posix() if isinstance(video, str | Path) else IN_MEMORY
        sample = Sample(
            id=name, identity=name, references=references, prompt=prompt, timeline=timeline, video=name
        )
        if is_file and (fps is not None or times is not None):
            raise UsageError("fps and times are for frames in memory", hint="A file has its own; leave them.")
        if isinstance(video, str | Path):
            _require_file(Path(video))
            with self._turn, open_file(Path(video)) as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
                return suited._watched(sample, sha256, lambda: self._decoded(file, suited, sample))
        frames = FramesInMemory(video, fps=fps, times=times)
        with self._turn:
            wanted = wanted_frames(suited.evaluators, sample, frames.clip)
            return suited._watched(sample, None, lambda: frames.showing(wanted))

    def _watched(self, sample: Sample, sha256: str | None, open_video: Callable[[], Video]) -> Measured:
        needed = self.protocol.definition.frames_needed
        watched = watch(sample, open_video, sha256, self.evaluators, self.specs, needed, pictures=False)
        return watched.finish()

    def _decoded(self, file: FileIO, suited: Scorer, sample: Sample) -> _DecodedFile:
        self._decoder.hello()
        opened = self._decoder.open(file)
        which = heard(suited.evaluators)
        driving = NoSound(reason="no driving sound is given")
        sounds = listen(opened, driving, which) if which else None
        return _DecodedFile(opened, wanted_frames(suited.evaluators, sample, opened.clip), sounds)

    @cached_property
    def _decoder(self) -> DecoderProcess:
        decoder = DecoderProcess()
        weakref.finalize(self, decoder.close)
        return decoder

    def close(self) -> None:
        """End the process that decodes files; the next file starts another."""
        with self._turn:
            self._decoder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __deepcopy__(self, _: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a scorer is full of networks and cannot be pickled; send its Recipe and build it there"
        )

    def only(self, metrics: Collection[str]) -> Scorer:
        """A scorer of some of the metrics that shares the networks with this one.

        Raises:
            ProtocolError: the protocol has no such metric.
        """
        wanted = set(metrics)
        kept = [
            evaluator
            for part, evaluator in zip(self.protocol.parts, self.evaluators, strict=True)
            if wanted.intersection(spec.name for spec in part.specs)
        ]
        return replace(self, protocol=self.protocol.select(metrics), evaluators=tuple(kept))

    def suited_to(self, testset: TestSet) -> Scorer:
        """The same scorer without what needs timelines, where a test set has none.

        Raises:
            ProtocolError: nothing is left to measure.
        """
        return self._suited(
            protocol_suited_to(self.protocol, testset), parts_suited_to(self.protocol, testset)
        )

    @cached_property
    def without_timelines(self) -> Scorer:
        """The same scorer without what needs timelines.

        Raises:
            ProtocolError: nothing is left to measure.
        """
        kept = [at for at, part in enumerate(self.protocol.parts) if part.entry.needs is None]
        return self._suited(self.protocol.suited_to(timelines=False), kept)

    def _suited(self, protocol: LoadedProtocol, kept: Sequence[int]) -> Scorer:
        return replace(self, protocol=protocol, evaluators=tuple(self.evaluators[at] for at in kept))

    @property
    def needing_timelines(self) -> tuple[str, ...]:
        """The metrics that are not measured where no timeline is given."""
        parts = self.protocol.parts
        return tuple(spec.name for part in parts if part.entry.needs is not None for spec in part.specs)

    @property
    def specs(self) -> tuple[MetricSpec, ...]:
        """The metrics that are reported, in column order."""
        return self.protocol.specs

    @cached_property
    def notice(self) -> str:
        """What whoever reads its numbers must know first; may be empty."""
        return self.info.protocol_info.notice

    @property
    def info(self) -> ScorerInfo:
        """What a run records of it."""
        weights = self.runtime.weights
        return ScorerInfo(
            protocol=self.protocol,
            weights_of_parts=tuple(dict(evaluator.weights) for evaluator in self.evaluators),
            notices_of_parts=tuple(getattr(evaluator, "notice", None) for evaluator in self.evaluators),
            weights_seed=None if weights is None else weights.random_seed,
            device_info=self._device_info(),
            decoder=decoder_version(sound=bool(heard(self.evaluators))),
            provenance=collect_provenance({p.package: p.version for p in self.protocol.packages}),
        )

    def _device_info(self) -> DeviceInfo:
        import torch

        return DeviceInfo(
            device=self.runtime.device,
            name=device_name(self.runtime.device),
            dtype=self.runtime.dtype,
            threads=torch.get_num_threads(),
            deterministic=torch.are_deterministic_algorithms_enabled(),
            batch_size=self.runtime.batch_size,
            compiled=self.runtime.compiled,
            on_the_cpu=tuple(self.runtime.fallbacks),
        )


class _DecodedFile:
    """A file that a decoder process has opened; see `one_video.Video`."""

    def __init__(self, opened: OpenVideo, wanted: Sequence[int], sounds: Sounds | None) -> None:
        self._opened = opened
        self.sounds = sounds
        self._wanted = wanted
        self.clip = opened.clip
        self.codec = opened.codec

    def __iter__(self) -> Iterator[Batch]:
        return self._opened.batches(self._wanted)

    @property
    def damage(self) -> str | None:
        return self._opened.damage

    @property
    def note(self) -> str | None:
        return self._opened.note


def _require_file(path: Path) -> None:
    if not path.is_file():
        found = "is no file" if path.exists() else "does not exist"
        raise UsageError(f"this video {found}", path=path, hint="Check the path.")
