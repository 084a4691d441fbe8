from __future__ import annotations

import numpy as np
import onnx
import pytest

from ipvg_eval.metrics.faces.detection import find_faces
from ipvg_eval.metrics.faces.random_onnx import write_detector, write_recogniser
from ipvg_eval.metrics.faces.scrfd import Scrfd

# Sizes of the published files, det_10g.onnx and w600k_r50.onnx of insightface's buffalo_l.
DETECTOR_BYTES, RECOGNISER_BYTES = 16_923_827, 174_383_860


def test_full_size_files_are_as_large_as_the_published_ones(tmp_path):
    for write, size in ((write_detector, DETECTOR_BYTES), (write_recogniser, RECOGNISER_BYTES)):
        path = tmp_path / "network.onnx"
        write(path, 0)
        onnx.checker.check_model(str(path))
        assert path.stat().st_size == pytest.approx(size, rel=0.005)


def test_the_seed_decides_every_byte(tmp_path):
    files = [tmp_path / name for name in ("a.onnx", "b.onnx", "c.onnx")]
    for path, seed in zip(files, (1, 1, 2), strict=True):
        write_detector(path, seed, planes=(16, 16, 16, 16), blocks=(1, 1, 1, 1), neck=16, head=16)
    first, again, other = (path.read_bytes() for path in files)
    assert first == again
    assert first != other


def test_the_random_detector_finds_faces_in_pictures_and_none_in_black(random_runtime, pictures):
    detector = Scrfd(random_runtime)
    assert all(find_faces(detector, pictures))
    assert detector.detect(np.zeros((1, 180, 320, 3), dtype=np.uint8)) == [()]


def test_a_low_bias_finds_nothing(tmp_path, weights_from, pictures):
    path = tmp_path / "det.onnx"
    write_detector(path, 0, planes=(16, 16, 16, 16), blocks=(1, 1, 1, 1), neck=16, head=16, score_bias=-50.0)
    assert find_faces(Scrfd(weights_from({"det_10g.onnx": path})), pictures) == [None] * len(pictures)
