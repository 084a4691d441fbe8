"""Motion smoothness against vbench's own class on the same weights and the same frames."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ipvg_eval.metrics.motion.amt import MODULE
from ipvg_eval.metrics.motion.evaluator import MotionSmoothness, MotionSmoothnessOptions
from ipvg_eval.metrics.third_party import published_module
from ipvg_eval.video import decode, index_frames

SCALED_MEMORY = (2500 + 5.15) / 1024
"""GiB for which the memory rule gives 16/22 at 240 x 256 and at 220 x 264 pixels."""


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(11)
        network = published_module(MODULE, package="vbench").Model()
    path = tmp_path_factory.mktemp("weights") / "amt-s.pth"
    torch.save({"epoch": 300, "state_dict": network.state_dict()}, path)
    return path


@pytest.fixture(scope="module")
def scored(
    checkpoint: Path,
    published: Callable[..., list[dict[str, Any]]],
    panned: Callable[..., Any],
    write_mp4: Callable[..., Path],
    write_pictures: Callable[..., Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, dict[str, Any]]:
    """vbench's score and decoded frames of each clip."""
    folder = tmp_path_factory.mktemp("clips")
    jobs = {
        "odd count": (write_mp4(folder / "odd.mp4", panned(136, 152, 9)), None),
        "even count": (write_mp4(folder / "even.mp4", panned(128, 160, 8, step=(5, 1))), None),
        "three frames": (write_mp4(folder / "three.mp4", panned(144, 144, 3)), None),
        "odd sides": (write_pictures(folder / "odd_sides", panned(131, 145, 5)), None),
        "scaled, padded": (write_pictures(folder / "scaled", panned(240, 256, 3)), SCALED_MEMORY),
        "scaled": (write_pictures(folder / "unpadded", panned(220, 264, 3)), SCALED_MEMORY),
    }
    wanted = [{"video": str(video), "memory_gib": memory} for video, memory in jobs.values()]
    return dict(zip(jobs, published("motion_smoothness", checkpoint, wanted), strict=True))


@pytest.mark.parametrize("name", ["odd count", "even count", "three frames", "odd sides"])
def test_score_is_vbenchs_to_the_bit(name, scored, checkpoint, file_runtime, measure) -> None:
    evaluator = MotionSmoothness(MotionSmoothnessOptions(), file_runtime(amt_s=checkpoint))
    [measurement] = measure(evaluator, np.load(scored[name]["frames"]))
    assert measurement.value == scored[name]["score"]
    assert measurement.note is None


@pytest.mark.parametrize("name", ["scaled, padded", "scaled"])
def test_score_under_the_memory_rule_is_vbenchs_to_the_bit(
    name, scored, checkpoint, file_runtime, measure
) -> None:
    options = MotionSmoothnessOptions(memory_gib=SCALED_MEMORY)
    evaluator = MotionSmoothness(options, file_runtime(amt_s=checkpoint))
    frames = np.load(scored[name]["frames"])
    [measurement] = measure(evaluator, frames)
    assert measurement.value == scored[name]["score"]
    [unscaled] = measure(MotionSmoothness(MotionSmoothnessOptions(), file_runtime(amt_s=checkpoint)), frames)
    assert unscaled.value != measurement.value


def test_several_pairs_at_once_stay_within_rounding(scored, checkpoint, file_runtime, measure) -> None:
    options = MotionSmoothnessOptions(pairs_per_forward=3)
    evaluator = MotionSmoothness(options, file_runtime(amt_s=checkpoint))
    [measurement] = measure(evaluator, np.load(scored["odd count"]["frames"]))
    # A prediction that moves by 3e-6 crosses a grey level in about one pixel of 1e5: 1e-5 / 255 of the score.
    assert measurement.value == pytest.approx(scored["odd count"]["score"], abs=1e-6)


def test_score_of_real_video_is_vbenchs_to_the_bit(
    shared_data, checkpoint, published, file_runtime, measure, write_pictures, tmp_path
) -> None:
    video = shared_data / "videos" / "generated_face_480p.mp4"
    index = index_frames(video)
    with decode(video, range(20, 25), index=index) as batches:
        frames = np.concatenate([batch.frames for batch in batches])[:, 40:190, 330:500]
    pictures = write_pictures(tmp_path / "pictures", frames)
    [theirs] = published("motion_smoothness", checkpoint, [{"video": str(pictures), "memory_gib": None}])
    evaluator = MotionSmoothness(MotionSmoothnessOptions(), file_runtime(amt_s=checkpoint))
    assert measure(evaluator, frames)[0].value == theirs["score"]
