"""ArcFace R50 (WebFace600K), the network behind ArcScore, through insightface's own class."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ipvg_eval.core.measurement import Frames
from ipvg_eval.metrics.faces.network_weights import stream_seed
from ipvg_eval.metrics.faces.onnx_session import open_session
from ipvg_eval.metrics.runtime import Runtime, weight_source
from ipvg_eval.metrics.third_party import published_module
from ipvg_eval.metrics.timing import stage

WEIGHTS: Final = "w600k_r50.onnx"
INPUT_SIZE: Final = 112
WIDTH: Final = 512


class ArcFace:
    """Embeds aligned faces.

    This is the recogniser of insightface's default pack buffalo_l, which the published scripts get because
    they name no pack; it is not the antelopev2 recogniser that ConsisID's generator is conditioned on.
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
            from ipvg_eval.metrics.faces.random_onnx import write_recogniser

            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / WEIGHTS
                write_recogniser(path, stream_seed(source.random_seed, WEIGHTS))
                self._network = _opened(path, runtime)
        self._one_by_one = isinstance(self._network.input_shape[0], int)

    def embed(self, crops: Frames) -> npt.NDArray[np.float32]:
        """Embeddings of aligned faces, not normalised.

        insightface's class normalises on the CPU and hands onnxruntime float32, 112 pixels a side.

        Args:
            crops: (n, 112, 112, 3) RGB uint8.

        Returns:
            (n, 512) float32.
        """
        if not len(crops):
            return np.zeros((0, WIDTH), dtype=np.float32)
        pictures = [np.ascontiguousarray(crop[..., ::-1]) for crop in crops]
        batches = [[picture] for picture in pictures] if self._one_by_one else [pictures]
        with stage("network", WEIGHTS):
            rows = np.concatenate([self._network.get_feat(batch) for batch in batches])
        if len(rows) != len(crops):
            raise RuntimeError(f"{WEIGHTS} gave {len(rows)} embeddings for {len(crops)} faces")
        return np.asarray(rows, dtype=np.float32)


def _opened(path: Path, runtime: Runtime) -> Any:
    published = published_module("insightface.model_zoo.arcface_onnx", package="insightface")
    network = published.ArcFaceONNX(model_file=str(path), session=open_session(path, runtime))
    network.prepare(0)
    return network
