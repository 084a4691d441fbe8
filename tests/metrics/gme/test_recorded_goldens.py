"""Numbers that the published models' authors recorded; they need the real weights and inputs.

Put the demo of OpenS2V-Nexus (its folder eval/demo_result) at $IPVG_OPENS2V_DEMO, and the two pictures of the
GME model card, as cybertruck_window.jpg and cybertruck_front.jpg, at $IPVG_GME_CARD.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import av
import numpy as np
import pytest

from ipvg_eval.core.measurement import ClipInfo
from ipvg_eval.core.pictures import read_rgb
from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.gme.encoder import GmeEncoder
from ipvg_eval.metrics.gme.evaluator import GmeScore
from ipvg_eval.metrics.gme.preprocess import frame_patches
from ipvg_eval.metrics.gme.score import similarities
from ipvg_eval.metrics.gme.tokens import DEFAULT_INSTRUCTION, OPENS2V_INSTRUCTION
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.weights import WeightStore

pytestmark = pytest.mark.weights


def resolved(name: str):
    try:
        return WeightStore().resolve([name])
    except WeightsMissing:
        pytest.skip(f"{name} is not on this machine")


def inputs(variable: str) -> Path:
    folder = os.environ.get(variable)
    if not folder:
        pytest.skip(f"${variable} does not name the folder with the recorded inputs")
    return Path(folder)


@pytest.mark.parametrize(
    ("video", "recorded"), [("faceobj_14", 0.68115234375), ("singleface_3", 0.67236328125)]
)
def test_opens2v_demo_with_the_7b_model(video, recorded, target):
    weights = resolved("gme_7b")
    demo = inputs("IPVG_OPENS2V_DEMO")
    with av.open(str(demo / "model_name_input_video" / f"{video}.mp4")) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    listed = json.loads((demo / "input_json" / "Open-Domain_Eval.json").read_text("utf-8"))
    count = len(frames)
    clip = ClipInfo(
        frame_count=count,
        width=frames[0].shape[1],
        height=frames[0].shape[0],
        fps=1.0,
        duration=float(count),
        times=tuple(map(float, range(count))),
    )
    options = GmeScore.Options(
        model="gme_7b",
        instruction=OPENS2V_INSTRUCTION,
        sampling="linspace_repeat",
        frame_count=32,
        similarity="half_mean",
        padding="left",
        dtype="float16",
    )
    evaluator = GmeScore(options, Runtime(weights=weights))
    measuring = evaluator.start(target(listed[video]["prompt"]), clip)
    for index in evaluator.frames(clip):
        measuring.add([index], frames[index][None])
    assert measuring.finish()[0].value == pytest.approx(recorded, abs=1e-3)


@pytest.mark.parametrize(
    ("instruction", "recorded"),
    [(DEFAULT_INSTRUCTION, (0.2281, 0.6001)), (OPENS2V_INSTRUCTION, (0.2433, 0.7051))],
)
def test_model_card_with_the_2b_model(instruction, recorded):
    weights = resolved("gme_2b")
    folder = inputs("IPVG_GME_CARD")
    prompts = (
        "What kind of car is this?",
        "The Tesla Cybertruck is a battery electric pickup truck built by Tesla, Inc. since 2023.",
    )
    encoder = GmeEncoder.load("gme_2b", Runtime(weights=weights), dtype="float16")
    texts = encoder.texts([encoder.tokenizer.text(prompt, instruction=instruction) for prompt in prompts])
    pictures = [read_rgb(folder / f"cybertruck_{name}.jpg") for name in ("window", "front")]
    images = np.concatenate([encoder.images([frame_patches(picture)]) for picture in pictures])
    found = [similarities(images[i : i + 1], texts[i], "half_mean")[0] for i in range(2)]
    assert found == pytest.approx(recorded, abs=1e-3)
