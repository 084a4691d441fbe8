"""Dynamic degree: vbench's own class on the same weights, and closed forms with known flow."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from pydantic import ValidationError

from ipvg_eval.core.measurement import Frames
from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.motion.dynamic_degree import DynamicDegree, DynamicDegreeOptions
from ipvg_eval.metrics.motion.raft import MODULE
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.third_party import published_module

Build = Callable[..., DynamicDegree]


class RedShift:
    """Flow to the right by as many pixels as the second frame is redder than the first."""

    def flow(self, first: Frames, second: Frames) -> npt.NDArray[np.float32]:
        shift = second[..., 0].astype(np.float32) - first[..., 0]
        return np.stack([shift, np.zeros_like(shift)])


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = argparse.Namespace(small=False, mixed_precision=False, alternate_corr=False)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(13)
        network = published_module(MODULE, package="vbench").RAFT(settings)
    path = tmp_path_factory.mktemp("weights") / "raft-things.pth"
    torch.save({f"module.{name}": value for name, value in network.state_dict().items()}, path)
    return path


@pytest.fixture(scope="module")
def scored(
    checkpoint: Path,
    published: Callable[..., list[dict[str, Any]]],
    panned: Callable[..., Any],
    write_mp4: Callable[..., Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("clips")
    jobs = {
        "padded": write_mp4(folder / "padded.mp4", panned(132, 150, 6, step=(5, 9))),
        "still": write_mp4(folder / "still.mp4", np.repeat(panned(128, 136, 1), 5, axis=0)),
    }
    wanted = [{"video": str(video)} for video in jobs.values()]
    return dict(zip(jobs, published("dynamic_degree", checkpoint, wanted), strict=True))


@pytest.mark.parametrize("name", ["padded", "still"])
def test_flow_and_verdict_are_vbenchs(name, scored, checkpoint, file_runtime, measure) -> None:
    evaluator = DynamicDegree(DynamicDegreeOptions(), file_runtime(raft_things=checkpoint))
    theirs = scored[name]
    [measurement] = measure(evaluator, np.load(theirs["frames"]))
    assert measurement.value == float(theirs["moving"])
    ours = [strength * theirs["threshold"] for strength in measurement.per_frame.values]
    # vbench averages 800 float32 lengths in float32.
    assert ours[: len(theirs["flows"])] == pytest.approx(theirs["flows"], rel=1e-6)


@pytest.fixture(scope="module")
def red_shift(random_runtime: Callable[..., Runtime]) -> Build:
    def build(**options: Any) -> DynamicDegree:
        evaluator = DynamicDegree(DynamicDegreeOptions(**options), random_runtime())
        evaluator.network = RedShift()
        return evaluator

    return build


def red(levels: list[int], height: int = 128) -> Frames:
    return np.stack([np.full((height, 144, 3), level, dtype=np.uint8) for level in levels])


def test_a_quarter_of_strong_pairs_makes_a_clip_move(red_shift: Build, measure) -> None:
    # 8 frames at 8 fps: 7 pairs, round(4 * 8 / 16) = 2 needed; the threshold is 6 * 128 / 256 = 3 pixels.
    [still] = measure(red_shift(), red([0, 3, 7, 7, 7, 7, 7, 7]), fps=8)
    assert still.value == 0.0
    assert still.per_frame.indices == (1, 2, 3, 4, 5, 6, 7)
    assert still.per_frame.values == pytest.approx((1.0, 4 / 3, 0, 0, 0, 0, 0), abs=1e-15)
    [moving] = measure(red_shift(), red([0, 4, 8, 8, 8, 8, 8, 8]), fps=8)
    assert moving.value == 1.0
    assert moving.note is None


def test_only_every_second_frame_is_asked_for_at_16_fps(red_shift: Build, clip_info, measure) -> None:
    frames = red([0, 99, 4, 99, 8])
    assert red_shift().frames(clip_info(frames)) == [0, 2, 4]
    for batch in (1, 2, None):
        [measurement] = measure(red_shift(), frames, batch=batch)
        assert measurement.per_frame.indices == (2, 4)
        assert measurement.per_frame.values == pytest.approx((4 / 3, 4 / 3), abs=1e-15)


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_sampled_frames_have_no_verdict(red_shift: Build, measure, count: int) -> None:
    [measurement] = measure(red_shift(), red([0] * count), fps=8)
    assert measurement.value is None
    assert measurement.reason == "fewer than 3 sampled frames could be compared"


def test_lost_frames_are_named(red_shift: Build, measure) -> None:
    [measurement] = measure(red_shift(), red([0] * 6), fps=8, lost=(2,))
    assert measurement.value == 0.0
    assert measurement.per_frame.values == (0.0, None, None, 0.0, 0.0)
    assert measurement.note == "2 of 5 frame pairs left out: frames could not be decoded"
    [tail] = measure(red_shift(), red([0] * 4), fps=8, lost=(2, 3))
    assert tail.reason == "fewer than 3 sampled frames could be compared; frames could not be decoded"


def test_small_frames_have_no_verdict(red_shift: Build, measure) -> None:
    [measurement] = measure(red_shift(), red([0] * 4, height=120), fps=8)
    assert measurement.value is None
    assert "144x120 are too small" in measurement.reason


def test_a_budget_is_stated(red_shift: Build, clip_info, measure) -> None:
    frames = red([0] * 9)
    evaluator = red_shift(max_pairs=3)
    # 8 pairs, floor(linspace(0, 7, 3)) = 0, 3, 7.
    assert evaluator.frames(clip_info(frames, 8.0)) == [0, 1, 3, 4, 7, 8]
    [measurement] = measure(evaluator, frames, fps=8)
    assert measurement.note == "reduced frame budget: 3 of 8 frame pairs"


def test_weights_and_options(random_runtime: Callable[..., Runtime]) -> None:
    assert DynamicDegree.required_weights(DynamicDegreeOptions()) == ("raft_things",)
    with pytest.raises(WeightsMissing, match="raft_things"):
        DynamicDegree(DynamicDegreeOptions(), Runtime())
    assert DynamicDegree(DynamicDegreeOptions(), random_runtime(4)).weights == {"raft_things": "random:4"}
    with pytest.raises(ValidationError):
        DynamicDegreeOptions(max_pairs=1)
