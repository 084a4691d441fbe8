"""SCRFD-10GF, the face detector of the published face metrics, through insightface's own class."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np

from ipvg_eval.core.measurement import Frames
from ipvg_eval.metrics.faces.detection import Face
from ipvg_eval.metrics.faces.network_weights import stream_seed
from ipvg_eval.metrics.faces.onnx_session import open_session
from ipvg_eval.metrics.runtime import Runtime, weight_source
from ipvg_eval.metrics.third_party import published_module
from ipvg_eval.metrics.timing import stage

WEIGHTS: Final = "det_10g.onnx"
INPUT_SIZE: Final = (320, 320)
MIN_SCORE: Final = 0.5
NMS_OVERLAP: Final = 0.4


class Scrfd:
    """Detects faces as insightface's FaceAnalysis does with det_size (320, 320).

    Frames go through one by one: the published file takes one picture at a time. insightface's class resizes
    and normalises them on the CPU and hands onnxruntime float32, 320 pixels a side.
    """

    def __init__(self, runtime: Runtime) -> None:
        """Load the network.

        Raises:
            WeightsMissing: insightface or the file is missing, or the file is no ONNX network.
        """
        source = weight_source(runtime, WEIGHTS)
        if source.random_seed is None:
            self._network = _opened(source.path(WEIGHTS), runtime)
        else:
            from ipvg_eval.metrics.faces.random_onnx import write_detector

            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / WEIGHTS
                write_detector(path, stream_seed(source.random_seed, WEIGHTS))
                self._network = _opened(path, runtime)

    def detect(self, frames: Frames) -> list[tuple[Face, ...]]:
        """Every face of every frame, best score first.

        Args:
            frames: (n, height, width, 3) RGB uint8 of any size.

        Returns:
            n tuples, empty where a frame shows no face.
        """
        return [self._detect_one(frame) for frame in frames]

    def _detect_one(self, frame: Frames) -> tuple[Face, ...]:
        height, width = frame.shape[:2]
        if min(height, width) * max(INPUT_SIZE) <= max(height, width):
            return ()  # the short side would shrink to nothing
        with stage("detect", WEIGHTS):
            boxes, points = self._network.detect(np.ascontiguousarray(frame[..., ::-1]))
        return tuple(
            Face(box=box[:4].astype(np.float64), score=float(box[4]), points=landmarks.astype(np.float64))
            for box, landmarks in zip(boxes, points, strict=True)
        )


def _opened(path: Path, runtime: Runtime) -> Any:
    published = published_module("insightface.model_zoo.scrfd", package="insightface")
    session = open_session(path, runtime)
    # One session for every size, as in the releases the published scores came from; the alternative
    # re-reads the file and keeps a second copy.
    network = published.SCRFD(model_file=str(path), session=session, static_shape_sessions=False)
    network.prepare(0, input_size=INPUT_SIZE, det_thresh=MIN_SCORE, nms_thresh=NMS_OVERLAP)
    return network
