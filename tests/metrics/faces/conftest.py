"""Real pictures, networks at full size with random weights, and files that hold such weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from weight_files import WeightFiles

from ipvg_eval.core.measurement import ClipInfo, Frames
from ipvg_eval.metrics.faces.curricularface import CurricularFace
from ipvg_eval.metrics.faces.inception import FidInception, ImagenetInception
from ipvg_eval.metrics.faces.random_onnx import write_detector, write_recogniser
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.weights import RandomWeights


@pytest.fixture(scope="session")
def random_runtime() -> Runtime:
    return Runtime(weights=RandomWeights(), batch_size=2)


@pytest.fixture(scope="session")
def weights_from():
    """Makes a runtime whose weights are files."""

    def make(files: Mapping[str, Path], batch_size: int = 2) -> Runtime:
        return Runtime(weights=WeightFiles(**files), batch_size=batch_size)

    return make


@pytest.fixture(scope="session")
def curricular(random_runtime: Runtime) -> CurricularFace:
    return CurricularFace(random_runtime)


@pytest.fixture(scope="session")
def imagenet(random_runtime: Runtime) -> ImagenetInception:
    return ImagenetInception(random_runtime)


@pytest.fixture(scope="session")
def fid_network(random_runtime: Runtime) -> FidInception:
    return FidInception(random_runtime)


@pytest.fixture(scope="session")
def pictures() -> Frames:
    """(4, 180, 320, 3): cut-outs of a photograph, none of them black."""
    photograph = skimage.data.astronaut()
    windows = [(0, 0, 512), (0, 100, 300), (150, 100, 250), (30, 180, 120)]
    parts = [photograph[top : top + side, left : left + side] for top, left, side in windows]
    return np.stack([cv2.resize(part, (320, 180), interpolation=cv2.INTER_AREA) for part in parts])


@pytest.fixture(scope="session")
def crops(pictures: Frames) -> Frames:
    """(2, 224, 224, 3): sharp pictures of an aligned crop's size."""
    return np.stack(
        [cv2.resize(picture, (224, 224), interpolation=cv2.INTER_AREA) for picture in pictures[:2]]
    )


@pytest.fixture(scope="session")
def small_pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a detector and a recogniser of few channels, as an insightface model pack."""
    folder = tmp_path_factory.mktemp("pack")
    write_detector(folder / "det_10g.onnx", 3, planes=(16, 16, 16, 32), blocks=(1, 1, 1, 1), neck=16, head=16)
    write_recogniser(folder / "w600k_r50.onnx", 4, planes=(8, 8, 16, 16), blocks=(1, 1, 1, 1))
    return folder


@pytest.fixture
def clip_of():
    """Makes what is known of a clip with so many frames."""

    def make(frame_count: int) -> ClipInfo:
        times = tuple(index / 16 for index in range(frame_count))
        return ClipInfo(
            frame_count=frame_count, width=320, height=180, fps=16.0, duration=frame_count / 16, times=times
        )

    return make
