"""Numbers that the authors of a metric published for files that anybody can have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ipvg_eval.metrics.weight_file import ReleaseAsset, WeightFile

_OPENS2V = (
    "https://raw.githubusercontent.com/PKU-YuanGroup/OpenS2V-Nexus/b4528314bd73b05d1cf2a9c7f8d8ecef34e6294c"
)
_RESULTS = "OpenS2V-Nexus eval/demo_result/model_name_output_json @b452831"

_SINGLEFACE_3 = WeightFile(
    name="opens2v_singleface_3",
    used_by=("motion_amplitude", "gme_score"),
    source=ReleaseAsset(url=f"{_OPENS2V}/eval/demo_result/model_name_input_video/singleface_3.mp4"),
    file_name="singleface_3.mp4",
    size=389_463,
    sha256="097770febad0f143da9dd66c1973dfbd49736255eea573da3ff07ace777758f8",
    licence="Apache-2.0 (OpenS2V-Nexus)",
    note="an input of a published number, no weight",
)

INPUTS: Mapping[str, WeightFile] = {_SINGLEFACE_3.name: _SINGLEFACE_3}
"""The files, by name; found and fetched as weights are."""

_CAR = (
    "The video features a man sitting in the driver's seat of a car. he is wearing glasses and a "
    "dark-colored dress, and his hair is neatly styled. The interior of the car appears to be "
    "modern, with a light-colored dashboard and a steering wheel that has some buttons on it. The "
    "background outside the car shows greenery, suggesting that the car is parked near a park or a "
    "garden. The man seems to be looking out the window, possibly observing something outside. The "
    "overall atmosphere of the video is calm and serene."
)


@dataclass(frozen=True, kw_only=True)
class Golden:
    """One published number.

    Attributes:
        metric: whose.
        evaluator: which evaluator measures it.
        options: with which options.
        video: name of the file in `INPUTS`.
        prompt: the video's prompt.
        value: what was published.
        tolerance: how far another machine may be off: decoders and devices round differently.
        source: where it was published.
    """

    metric: str
    evaluator: str
    video: str
    value: float
    tolerance: float
    source: str
    prompt: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


GOLDENS: tuple[Golden, ...] = (
    Golden(
        metric="motion_amplitude",
        evaluator="motion_amplitude",
        video=_SINGLEFACE_3.name,
        value=0.038793787360191345,
        tolerance=1e-3,
        source=f"{_RESULTS}/motionscore.json",
    ),
    Golden(
        metric="gme_score",
        evaluator="gme_score",
        options={
            "model": "gme_7b",
            "instruction": "Find an image that matches the given text.",
            "sampling": "linspace_repeat",
            "frame_count": 32,
            "similarity": "half_mean",
            "padding": "left",
            "dtype": "float16",
        },
        video=_SINGLEFACE_3.name,
        prompt=_CAR,
        value=0.67236328125,
        tolerance=2e-3,
        source=f"{_RESULTS}/gmescore.json",
    ),
)
