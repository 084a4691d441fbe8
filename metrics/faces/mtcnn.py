"""MTCNN, a small face detector whose weights come with its wheel."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from ipvg_eval.core.measurement import Frames
from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.faces.detection import Face, border_of, largest_face, with_border
from ipvg_eval.metrics.scaling import shrink
from ipvg_eval.metrics.timing import stage

LICENCE: Final = "MIT (facenet-pytorch)"
WEIGHT_NAMES: Final = ("mtcnn_pnet", "mtcnn_rnet", "mtcnn_onet")

_EDGE_MARGIN = 0.1  # of the face's box
_NET_SIDE = 12.0  # the first network sees windows of 12 pixels


class Mtcnn:
    """Multi-task cascaded convolutional networks (Zhang et al. 2016), as packaged by facenet-pytorch.

    Frames go through one by one: the library can batch frames of one size, but a frame's landmarks
    then move by up to 1e-4 pixel with its neighbours, and on a CPU nothing is gained.

    Attributes:
        weights: sha256 of the three networks' files, by name.
    """

    weights: Mapping[str, str]

    def __init__(
        self,
        *,
        device: str = "cpu",
        long_side: int = 640,
        min_face_size: int = 40,
        min_probability: float = 0.95,
    ) -> None:
        """Load the networks.

        Args:
            device: "cpu" or "cuda:N".
            long_side: larger frames are scaled down to this many pixels (area averaging) for the search.
            min_face_size: smallest face searched for, in pixels of the scaled frame. Windows start at
                this size, so that faces a quarter smaller are still found now and then.
            min_probability: detections below it are dropped.

        Raises:
            WeightsMissing: facenet-pytorch is not installed.
        """
        try:
            import facenet_pytorch
            import torch
        except ModuleNotFoundError as error:
            raise WeightsMissing(
                f"face detection needs the package {error.name}",
                hint="Run: pip install facenet-pytorch",
            ) from error
        self._inference_mode = torch.inference_mode
        self._network = facenet_pytorch.MTCNN(
            keep_all=True, select_largest=False, min_face_size=min_face_size, device=torch.device(device)
        ).eval()
        self._long_side = long_side
        self._min_face_size = min_face_size
        self._min_probability = min_probability
        folder = Path(facenet_pytorch.__file__).parent / "data"
        self.weights = {
            name: hashlib.sha256((folder / f"{name.removeprefix('mtcnn_')}.pt").read_bytes()).hexdigest()
            for name in WEIGHT_NAMES
        }

    def detect(self, frames: Frames) -> list[tuple[Face, ...]]:
        """Every face of every frame, in the network's order.

        The library cuts its windows off at the edge of the picture and stretches what is left, which
        moves the landmarks of a face at the edge by a tenth of its width. A frame whose largest face
        touches the edge is therefore searched again inside a grey border; if nothing is found there, the
        first result stays.

        Args:
            frames: (n, height, width, 3) RGB uint8 of any size.

        Returns:
            n tuples, empty where a frame shows no face or is smaller than `min_face_size`.
        """
        return [self._detect_one(frame) for frame in frames]

    def _detect_one(self, frame: Frames) -> tuple[Face, ...]:
        faces = self._search(frame)
        largest = largest_face(faces)
        if largest is None or not _touches_edge(largest, frame):
            return faces
        dx, dy = border_of(frame.shape[0], frame.shape[1])
        return tuple(face.moved(-dx, -dy) for face in self._search(with_border(frame))) or faces

    def _search(self, frame: Frames) -> tuple[Face, ...]:
        small = shrink(frame, self._long_side)
        # With no window in its pyramid the library fails instead of finding nothing.
        if min(small.shape[:2]) * (_NET_SIDE / self._min_face_size) < _NET_SIDE:
            return ()
        with stage("detect", "mtcnn"), self._inference_mode():
            boxes, scores, points = self._network.detect(small, landmarks=True)
        if boxes is None:
            return ()
        scale = np.array([frame.shape[1] / small.shape[1], frame.shape[0] / small.shape[0]])
        return tuple(
            self._face(box, float(score), landmarks, scale)
            for box, score, landmarks in zip(boxes, scores, points, strict=True)
            if score >= self._min_probability
        )

    @staticmethod
    def _face(
        box: npt.NDArray[np.floating],
        score: float,
        points: npt.NDArray[np.floating],
        scale: npt.NDArray[np.float64],
    ) -> Face:
        # The library's arrays have dtype object.
        corners = np.asarray(box, dtype=np.float64) * np.tile(scale, 2)
        return Face(box=corners, score=score, points=np.asarray(points, dtype=np.float64) * scale)


def _touches_edge(face: Face, frame: Frames) -> bool:
    height, width = frame.shape[:2]
    left, top, right, bottom = face.box
    # The windows that led to a box were somewhat larger or to the side of it.
    dx, dy = _EDGE_MARGIN * (right - left), _EDGE_MARGIN * (bottom - top)
    return bool(left < dx or top < dy or right > width - dx or bottom > height - dy)
