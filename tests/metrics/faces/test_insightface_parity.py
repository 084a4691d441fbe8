"""SCRFD, ArcFace and the crops against insightface's own FaceAnalysis on the same files and frames."""

from __future__ import annotations

import math
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import onnx
import pytest
from insightface.app import FaceAnalysis
from insightface.utils import face_align
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

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


def rounding(path: Path) -> float:
    """How far two runs of a network in float32 may lie apart, as a share of what comes out.

    Processors and thread counts add up the n products of a layer in other orders. That moves the sum by at
    most n u (Higham, Accuracy and Stability, 3.1; u = 2^-24), and by about sqrt(n) u where roundings are
    independent, which is taken here; layers add theirs, and both runs have their own.
    """
    graph = onnx.load(path).graph
    shapes = {tensor.name: tensor.dims for tensor in graph.initializer}
    terms = [math.prod(shapes[node.input[1]][1:]) for node in graph.node if node.op_type in ("Conv", "Gemm")]
    assert len(terms) > 10
    return 2 * sum(math.sqrt(n) for n in terms) * 2**-24


def in_float64(path: Path) -> onnx.ModelProto:
    model = onnx.load(path)
    for tensor in model.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT:
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(float), tensor.name))
    for value in (*model.graph.input, *model.graph.output, *model.graph.value_info):
        value.type.tensor_type.elem_type = onnx.TensorProto.DOUBLE
    return model


def test_one_run_is_half_of_the_bound_from_exact_at_most(files):
    """And not a hundredth of it, or the bound would say nothing. Exact is float64, by onnx's reference."""
    path = files["w600k_r50.onnx"]
    crops = np.random.default_rng(0).normal(size=(1, 3, 112, 112)).astype(np.float32)
    name = onnx.load(path).graph.input[0].name
    (exact,) = ReferenceEvaluator(in_float64(path)).run(None, {name: crops.astype(float)})
    (ours,) = open_session(path, Runtime(device="cpu")).run(None, {name: crops})
    apart = np.abs(ours - exact).max() / np.abs(exact).max()
    assert rounding(path) / 200 < apart < rounding(path) / 2


def _frames(pictures: Frames) -> list[Frames]:
    """Wide, tall, square, odd-sized, small and noisy frames."""
    noise = np.random.default_rng(0).integers(0, 256, (333, 217, 3), dtype=np.uint8)
    tall = np.ascontiguousarray(pictures[1].transpose(1, 0, 2))
    return [*pictures, tall, pictures[2][:180, :180], pictures[3][:101, 7:90], noise]


def test_detections_are_equal(analysis, files, weights_from, pictures):
    detector = Scrfd(weights_from(files))
    apart = rounding(files["det_10g.onnx"])
    total = 0
    for frame in _frames(pictures):
        boxes, points = analysis.det_model.detect(np.ascontiguousarray(frame[..., ::-1]))
        faces = detector.detect(frame[None])[0]
        total += len(faces)
        assert len(faces) == len(boxes)
        for face, box, landmarks in zip(faces, boxes, points, strict=True):
            # Nothing lies further out than the frame is long; a sigmoid is a quarter as steep as its input.
            np.testing.assert_allclose(face.box, box[:4], atol=apart * max(frame.shape))
            np.testing.assert_allclose(face.points, landmarks, atol=apart * max(frame.shape))
            assert face.score == pytest.approx(float(box[4]), abs=apart / 4)
            assert face.score >= 0.5
    assert total >= len(_frames(pictures))


def test_crops_and_embeddings_are_equal(analysis, files, weights_from, pictures):
    detector, recogniser = Scrfd(weights_from(files)), ArcFace(weights_from(files))
    apart = rounding(files["w600k_r50.onnx"])
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
            assert cosine == pytest.approx(1.0, abs=apart)


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
