"""From which number on an audit says something."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ipvg_eval.core.errors import UsageError
from ipvg_eval.core.suggest import did_you_mean
from ipvg_eval.core.yaml_text import read_yaml
from ipvg_eval.metrics.errors import ProtocolError
from ipvg_eval.metrics.protocols.definition import read_definition


class Thresholds(BaseModel):
    """The thresholds of an audit, with defaults; every audit records the ones it used.

    Grey levels are 0 to 255, of frames scaled down to 32 x 32 pixels by area averaging, which takes out noise
    and compression.

    Attributes:
        still_difference: no frame differs from the first by more grey levels on average: a still picture.
        nearly_still_difference: the same for a picture that hardly moves.
        loop_difference: frames a period apart, or mirrored in time, differ by at most so many grey levels ...
        loop_ratio: ... and by at most this share of what frames of the video usually differ by.
        loop_share: a reversal counts if it covers this share of the video.
        same_distance: mean number of the 64 bits of a perceptual hash in which five frames of two videos
            differ, up to which they are called the same.
        pasted_pixels: correlation of the aligned faces' pixels in frames and reference, from which on ...
        pasted_margin: ... and if it is less than this below the correlation among the video's own frames ...
        pasted_descriptor: ... and the face descriptors' cosine is no smaller than this, the face counts as
            the reference pasted in.
        face_coverage: share of looked-at frames with a face, below which a face counts as hidden.
        coverage_drop: by how much the share of frames with a face may be lower between the frames that the
            face metrics sample than in them.
        text_glyphs: letters side by side from which on a row of shapes counts as text.
        text_share: share of the looked-at frames that show text at the same height of the picture.
        length_tolerance: relative difference from the usual duration that is tolerated.
        rate_tolerance: relative difference from the usual frame rate that is tolerated.
        timeline_shortfall: share of a timeline that may be missing at the end.
        motion_per_second: amount of motion of a run's row (`dynamic_degree_lite`, short sides per second)
            below which the video counts as nearly still.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    still_difference: float = Field(default=0.5, ge=0)
    nearly_still_difference: float = Field(default=2.0, ge=0)
    loop_difference: float = Field(default=1.5, ge=0)
    loop_ratio: float = Field(default=0.1, ge=0, le=1)
    loop_share: float = Field(default=0.8, gt=0, le=1)
    same_distance: float = Field(default=2.0, ge=0, le=64)
    pasted_descriptor: float = Field(default=0.6, ge=-1, le=1)
    pasted_pixels: float = Field(default=0.93, ge=-1, le=1)
    pasted_margin: float = Field(default=0.05, ge=0)
    face_coverage: float = Field(default=0.5, ge=0, le=1)
    coverage_drop: float = Field(default=0.5, ge=0, le=1)
    text_glyphs: int = Field(default=8, ge=6)
    text_share: float = Field(default=0.6, gt=0, le=1)
    length_tolerance: float = Field(default=0.05, ge=0)
    rate_tolerance: float = Field(default=0.02, ge=0)
    timeline_shortfall: float = Field(default=0.2, ge=0, le=1)
    motion_per_second: float = Field(default=0.01, ge=0)


def load_thresholds(name: str | None) -> Thresholds:
    """The thresholds of a protocol's `audit` section, or of a YAML file of thresholds alone.

    Args:
        name: a shipped protocol, a .yaml file, or None for the defaults.

    Raises:
        ProtocolError: no such protocol or file, or it cannot be read.
        UsageError: a threshold is unknown or out of range.
    """
    if name is None:
        return Thresholds()
    content = _thresholds_alone(name)
    return parse_thresholds(read_definition(name).audit if content is None else content, name)


def parse_thresholds(content: Mapping[str, Any], where: str) -> Thresholds:
    """Check a mapping of thresholds.

    Raises:
        UsageError: a threshold is unknown or out of range.
    """
    try:
        return Thresholds.model_validate(dict(content))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        unknown = first["type"] == "extra_forbidden"
        hint = did_you_mean(key, Thresholds.model_fields) if unknown else "Correct the value."
        raise UsageError(
            f"audit.{key}: {'no such threshold' if unknown else first['msg']}", path=where, hint=hint
        ) from error


def _thresholds_alone(name: str) -> Mapping[str, Any] | None:
    """The content of a file that holds thresholds and no protocol, else None."""
    path = Path(name)
    if path.suffix not in {".yaml", ".yml"} or not path.is_file():
        return None
    try:
        content = read_yaml(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise ProtocolError(f"cannot be read ({why})", path=path, hint="Check the file.") from error
    return content if isinstance(content, Mapping) and "evaluators" not in content else None
