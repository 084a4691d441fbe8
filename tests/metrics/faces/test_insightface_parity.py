"""SCRFD, ArcFace and the crops against insightface's own FaceAnalysis on the same files and frames."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from insightface.app import FaceAnalysis
from insightface.utils import face_align

from ipvg_eval.core.measurement import Frames
from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.faces.alignment import align
from ipvg_eval.metrics.faces.arcface import ArcFace
from ipvg_eval.metrics.faces.onnx_session import RunsOnCpu, open_session
from ipvg_eval.metrics.faces.scrfd import Scrfd
from ipvg_eval.metrics.runtime import Runtime

# insightface calls functions that skimage, numpy and onnxruntime have deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def analysis(small_pack: Path) -> FaceAnalysis:
    app = FaceAnalysis(name=str(small_pack), providers=["CPUExecutionProvider"])
    app.prepare(ctx_id=0, det_size=(320, 320))
    return app


@pytest.fixture(scope="module")
def files(small_pack: Path) -> dict[str, Path]:
    return {name: small_pack / name for name in ("det_10g.onnx", "w600k_r50.onnx")}


# The networks compute in float32 through about a hundred layers, and each may round once more or once less on
# another processor or with another number of threads; scores and cosines are of order 1.
FLOAT32 = 100 * float(np.finfo(np.float32).eps)


def _frames(pictures: Frames) -> list[Frames]:
    """Wide, tall, square, odd-sized, small and noisy frames."""
    noise = np.random.default_rng(0).integers(0, 256, (333, 217, 3), dtype=np.uint8)
    tall = np.ascontiguousarray(pictures[1].transpose(1, 0, 2))
    return [*pictures, tall, pictures[2][:180, :180], pictures[3][:101, 7:90], noise]


def test_detections_are_equal(analysis, files, weights_from, pictures):
    detector = Scrfd(weights_from(files))
    total = 0
    for frame in _frames(pictures):
        boxes, points = analysis.det_model.detect(np.ascontiguousarray(frame[..., ::-1]))
        faces = detector.detect(frame[None])[0]
        total += len(faces)
        assert len(faces) == len(boxes)
        for face, box, landmarks in zip(faces, boxes, points, strict=True):
            np.testing.assert_allclose(face.box, box[:4], atol=1e-3)
            np.testing.assert_allclose(face.points, landmarks, atol=1e-3)
            assert face.score == pytest.approx(float(box[4]), abs=FLOAT32)
            assert face.score >= 0.5
    assert total >= len(_frames(pictures))


def test_crops_and_embeddings_are_equal(analysis, files, weights_from, pictures):
    detector, recogniser = Scrfd(weights_from(files)), ArcFace(weights_from(files))
    for frame in _frames(pictures):
        bgr = np.ascontiguousarray(frame[..., ::-1])
        for face, expected in zip(detector.detect(frame[None])[0], analysis.get(bgr), strict=True):
            for size in (112, 224):
                theirs = face_align.norm_crop(bgr, expected.kps, size)[..., ::-1]
                ours = align(frame, face.points, size)
                # Landmarks are float32 there and float64 here: a few samples move by 1/32 pixel, the step
                # of OpenCV's grid, which is at most 255 / 32 grey levels.
                assert np.mean(ours != theirs) < 1e-2
                assert np.abs(ours.astype(int) - theirs).max() <= 8
            embedding = recogniser.embed(align(frame, face.points, 112)[None])[0]
            assert embedding.shape == expected.embedding.shape == (512,)
            cosine = (
                embedding
                @ expected.embedding
                / np.linalg.norm(embedding)
                / np.linalg.norm(expected.embedding)
            )
            assert cosine == pytest.approx(1.0, abs=FLOAT32)


def test_embeddings_do_not_depend_on_the_batch(files, weights_from, pictures):
    recogniser = ArcFace(weights_from(files))
    crops = np.stack([picture[:112, :112] for picture in pictures])
    together = recogniser.embed(crops)
    single = np.concatenate([recogniser.embed(crop[None]) for crop in crops])
    np.testing.assert_allclose(single, together, rtol=1e-4, atol=1e-5 * np.abs(together).max())
    assert recogniser.embed(crops[:0]).shape == (0, 512)


def test_a_frame_whose_short_side_vanishes_has_no_face(files, weights_from):
    sliver = np.full((2, 1000, 3), 200, dtype=np.uint8)
    assert Scrfd(weights_from(files)).detect(sliver[None]) == [()]


def test_asking_for_cuda_where_onnxruntime_has_none_is_loud(files):
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("onnxruntime has a CUDA provider here")
    on_gpu, on_cpu = Runtime(device="cuda:0"), Runtime(device="cpu")
    with pytest.warns(RunsOnCpu, match="RUNS ON THE CPU"):
        session = open_session(files["det_10g.onnx"], on_gpu)
    assert session.get_providers() == ["CPUExecutionProvider"]
    assert on_gpu.fallbacks == ["det_10g.onnx"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        open_session(files["det_10g.onnx"], on_cpu)
    assert on_cpu.fallbacks == []


def test_the_warning_reaches_stderr(files):
    """In a process of its own, with Python's own filters."""
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("onnxruntime has a CUDA provider here")
    code = (
        "import sys, pathlib; from ipvg_eval.metrics.faces.onnx_session import open_session;"
        "from ipvg_eval.metrics.runtime import Runtime;"
        "open_session(pathlib.Path(sys.argv[1]), Runtime(device='cuda:0'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, files["det_10g.onnx"]], capture_output=True, text=True, check=True
    )
    assert "det_10g.onnx RUNS ON THE CPU although cuda:0 was asked for" in done.stderr
    assert not done.stdout


def test_a_damaged_file_is_refused_with_its_path(tmp_path, weights_from):
    path = tmp_path / "det_10g.onnx"
    path.write_bytes(b"not a network")
    with pytest.raises(WeightsMissing, match=r"det_10g\.onnx"):
        Scrfd(weights_from({"det_10g.onnx": path}))
