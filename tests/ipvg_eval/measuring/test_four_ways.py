"""Four ways to the same number: the command, `measure`, a scorer's call on frames, and torchmetrics."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from ipvg_eval import Recipe, measure
from ipvg_eval.cli.app import build_app
from ipvg_eval.torchmetrics import VideoMeans
from ipvg_eval.video import decode, index_frames

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures"
VIDEO = FIXTURES / "submissions" / "careful" / "id002" / "prompt2.mp4"
FACE = FIXTURES / "testset" / "id002" / "image.webp"
PROMPT = "a person waves"


def as_bytes(values):
    """Every value as the eight bytes that it is; None where it is missing."""
    return {name: None if value is None else struct.pack("<d", value) for name, value in values.items()}


@pytest.mark.parametrize("timeline", [None, "0-1s: [waves]; 1-2s: [sits down]"])
def test_they_are_equal_to_the_last_byte(timeline):
    words = ["measure", str(VIDEO), "--reference", str(FACE), "--prompt", PROMPT, "--protocol", "lite"]
    words += [] if timeline is None else ["--timeline", timeline]
    done = CliRunner().invoke(build_app(words), [*words, "--frames", "5", "--device", "cpu", "--json"])
    assert done.exit_code == 0, done.output
    [told] = json.loads(done.stdout)

    scorer = Recipe(protocol="lite", frames=5, device="cpu").build()
    given = {"reference": FACE, "prompt": PROMPT, "timeline": timeline}
    of_file = measure(VIDEO, recipe=scorer, **given)

    index = index_frames(VIDEO)
    with decode(VIDEO, range(index.clip.frame_count), index=index) as batches:
        frames = np.concatenate([batch.frames for batch in batches])
    times = index.clip.times
    of_array = scorer(frames, times=times, fps=index.clip.fps, **given)

    metric = VideoMeans(scorer)
    tensor = torch.from_numpy(frames).permute(0, 3, 1, 2).contiguous()
    metric.update(tensor, FACE, PROMPT, timeline=timeline, times=times, fps=index.clip.fps)
    means = {name: None if mean.isnan() else mean.item() for name, mean in metric.compute().items()}

    expected = as_bytes(of_file.values)
    assert sum(value is not None for value in expected.values()) >= 8
    assert (expected["lite_boundary_match"] is None) == (timeline is None)
    assert as_bytes(told["values"]) == expected
    assert as_bytes(of_array.values) == expected
    assert as_bytes(means) == expected
    assert told["missing"] == dict(of_file.missing) == dict(of_array.missing)
    assert {
        name: {int(at): value for at, value in kept.items()} for name, kept in told["frames"].items()
    } == {name: dict(kept) for name, kept in of_file.frames.items()}
    assert of_array.frames == of_file.frames
