"""How fast a team says its model is: frames per second, and seconds of video per second."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from typing_extensions import override

from ipvg_eval.core.measurement import SUBMISSION_FILE, ClipInfo, Measurement
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.errors import ProtocolError
from ipvg_eval.metrics.evaluator import Evaluator, EvaluatorOptions, KnownPass, Pass, missing
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.target import Target

_SAID = (
    "Said by the team, or by whoever wrote the file: nothing here measures it, and numbers of other "
    "hardware, resolutions or batch sizes do not compare."
)
INFERENCE_FPS: Final = MetricSpec(
    name="inference_fps",
    version=1,
    higher_is_better=True,
    bounds=(0.0, None),
    unit="frames/s",
    title="Inference speed",
    summary="Frames generated per second, as a file says it.",
    caveats=f"{_SAID} A low frame rate of the video is rewarded: see real_time_factor.",
    source="own",
)
REAL_TIME_FACTOR: Final = MetricSpec(
    name="real_time_factor",
    version=1,
    higher_is_better=True,
    bounds=(0.0, None),
    title="Real-time factor",
    summary="Seconds of video made per second; 1 is as fast as it is watched.",
    caveats=f"{_SAID} A model that takes long to start looks worse on short videos where that is counted.",
    source="own",
)
_SPECS = (INFERENCE_FPS, REAL_TIME_FACTOR)
_FASTEST = 1e5  # frames per second; what is above was mistyped


class SpeedEntry(BaseModel):
    """What a file says of one video, or of all.

    Attributes:
        frames: how many were generated.
        seconds: how long that took.
        hardware: what it ran on.
        resolution: of the pictures, such as "512x512".
        batch: videos at a time.
        includes_io: whether reading and writing files is counted.
        warm_up: whether the model had run before.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    frames: int = Field(ge=1)
    seconds: float = Field(gt=0)
    hardware: str = Field(min_length=1)
    resolution: str = ""
    batch: int = Field(default=1, ge=1)
    includes_io: bool | None = None
    warm_up: bool | None = None


class SpeedOptions(EvaluatorOptions):
    """Where it is said.

    Attributes:
        speed: a JSON file: one entry with the keys of `SpeedEntry` for all videos together, or an object of
            entries by sample id. A relative path starts from the folder the command runs in; without a file
            both metrics have no value.
    """

    speed: str | None = None


class InferenceSpeed(Evaluator[SpeedOptions]):
    """Looks `inference_fps` and `real_time_factor` up in a file; looks at no frame."""

    Options = SpeedOptions
    SPECS: ClassVar[tuple[MetricSpec, ...]] = _SPECS
    BUDGET: ClassVar[None] = None
    FILES: ClassVar[tuple[str, ...]] = ("speed",)

    def __init__(self, options: SpeedOptions, runtime: Runtime) -> None:
        """Read the file.

        Raises:
            ProtocolError: it is not there or not such a file.
        """
        super().__init__(options, runtime)
        self._entries: Mapping[str, SpeedEntry] | SpeedEntry | None = None
        if options.speed is not None:
            data, self._entries = read_speed(Path(options.speed))
            self.weights = {f"{SUBMISSION_FILE}speed.json": hashlib.sha256(data).hexdigest()}

    @override
    def frames(self, clip: ClipInfo) -> Sequence[int]:
        """None."""
        return ()

    @override
    def start(self, target: Target, clip: ClipInfo) -> Pass:
        """Look the video up."""
        if self._entries is None:
            reason = "nobody said: name a file as `speed` in the protocol's options of speed"
            return KnownPass(missing(_SPECS, reason))
        if isinstance(self._entries, SpeedEntry):
            return KnownPass(_speeds(self._entries, clip.fps))
        entry = self._entries.get(target.sample_id)
        if entry is None:
            return KnownPass(missing(_SPECS, f"the file of speeds has no {target.sample_id!r}"))
        if entry.frames != clip.frame_count:
            reason = f"the file says {entry.frames} frames, the video has {clip.frame_count}"
            return KnownPass(missing(_SPECS, reason))
        return KnownPass(_speeds(entry, clip.fps))


def read_speed(path: Path) -> tuple[bytes, Mapping[str, SpeedEntry] | SpeedEntry]:
    """The bytes of a file of speeds, and what it says.

    Raises:
        ProtocolError: it cannot be read, or an entry lacks a number or has one that cannot be.
    """
    try:
        data = path.read_bytes()
        content = json.loads(data)
        if not isinstance(content, dict):
            raise ValueError("it holds no object")
        if "seconds" in content:
            return data, _entry(content)
        return data, {name: _entry(value) for name, value in content.items()}
    except OSError as error:
        raise _refused(path, error.strerror or str(error)) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the entry"
        raise _refused(path, f"{place}: {first['msg']}") from error
    except (ValueError, RecursionError) as error:
        raise _refused(path, str(error)) from error


def _entry(value: object) -> SpeedEntry:
    entry = SpeedEntry.model_validate(value)
    if entry.frames / entry.seconds > _FASTEST:
        raise ValueError(f"{entry.frames} frames in {entry.seconds:g} s cannot be")
    return entry


def _speeds(entry: SpeedEntry, fps: float) -> list[Measurement]:
    note = entry.hardware + (f", {entry.resolution}" if entry.resolution else "")
    speed = entry.frames / entry.seconds
    return [
        Measurement(name=INFERENCE_FPS.name, value=speed, note=note),
        Measurement(name=REAL_TIME_FACTOR.name, value=speed / fps, note=note),
    ]


def _refused(path: Path, problem: str) -> ProtocolError:
    return ProtocolError(
        f"this file of speeds cannot be used: {problem}",
        path=path,
        hint='Expected is {"frames": 2250, "seconds": 90, "hardware": "..."} for all videos together, or '
        'one such entry for each sample: {"1": {...}}.',
    )
