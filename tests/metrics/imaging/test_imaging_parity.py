"""Imaging quality against vbench's own loop and pyiqa's MUSIQ on the same weights and frames."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ipvg_eval.metrics.imaging.evaluator import ImagingQuality, ImagingQualityOptions
from ipvg_eval.metrics.imaging.musiq import MODULE
from ipvg_eval.metrics.third_party import published_module
from ipvg_eval.video import decode, index_frames

MODES = ["longer", "shorter", "shorter_centercrop", "None"]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(12)
        network = published_module(MODULE, package="pyiqa").MUSIQ(pretrained=False)
        for parameter in network.parameters():  # the initial head sees almost the same token for any picture
            parameter.data += 0.05 * torch.randn_like(parameter)
    path = tmp_path_factory.mktemp("weights") / "musiq.pth"
    torch.save(network.state_dict(), path)
    return path


CASES = [("two_frames", "longer"), *(("large", mode) for mode in MODES)]


@pytest.fixture(scope="module")
def scored(
    checkpoint: Path,
    published: Callable[..., dict[str, dict[str, Any]]],
    write_mp4: Callable[..., Path],
    panned: Callable[..., Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, dict[str, Any]]:
    """vbench's scores and decoded frames; the longer side of both clips comes out at 511 pixels."""
    folder = tmp_path_factory.mktemp("clips")
    videos = {
        write_mp4(folder / "two_frames.mp4", panned(130, 856, 2)): ["longer"],
        write_mp4(folder / "large.mp4", panned(520, 856, 1)): MODES,
    }
    return {Path(video).stem: result for video, result in published(checkpoint, videos).items()}


@pytest.mark.parametrize(("name", "mode"), CASES)
def test_score_is_vbenchs(name, mode, scored, checkpoint, file_runtime, measure) -> None:
    evaluator = ImagingQuality(ImagingQualityOptions(resize=mode), file_runtime(musiq_spaq=checkpoint))
    [measurement] = measure(evaluator, np.load(scored[name]["frames"]))
    # The float32 scores are equal; what is left is the order of a division in double precision.
    assert measurement.value == pytest.approx(scored[name]["per_video"][mode] / 100, rel=1e-14)
    assert measurement.value == pytest.approx(scored[name]["corpus"][mode], rel=1e-14)


def test_modes_give_different_scores(scored) -> None:
    assert len(set(scored["large"]["per_video"].values())) == len(MODES)


def test_score_of_real_video_is_vbenchs(
    shared_data, checkpoint, published, file_runtime, measure, write_mp4, tmp_path
) -> None:
    video = shared_data / "videos" / "generated_face_480p.mp4"
    with decode(video, (20, 60), index=index_frames(video)) as batches:
        frames = np.concatenate([batch.frames for batch in batches])
    [theirs] = published(checkpoint, {write_mp4(tmp_path / "two.mp4", frames): ["longer"]}).values()
    evaluator = ImagingQuality(ImagingQualityOptions(), file_runtime(musiq_spaq=checkpoint))
    [measurement] = measure(evaluator, np.load(theirs["frames"]))
    assert measurement.value == pytest.approx(theirs["corpus"]["longer"], rel=1e-14)
