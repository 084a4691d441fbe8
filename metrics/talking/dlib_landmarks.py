"""The 68 landmarks of a face by dlib's detector and regression trees, whose file a package carries."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ipvg_eval.core.measurement import Frames
from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.timing import stage

WEIGHTS: Final = "dlib_68_landmarks"
SHA256: Final = "fbdc2cb80eb9aa7a758672cbfdda32ba6300efe9b6e6c7a299ff7e736b11b92f"

_PACKAGE = "face_recognition_models"
_FILE = "shape_predictor_68_face_landmarks.dat"
_HINT = "Install it: pip install 'ipvg-eval[talking]'"


class DlibLandmarks:
    """dlib's frontal face detector and shape predictor (Kazemi and Sullivan 2014; trained on iBUG 300-W)."""

    def __init__(self) -> None:
        """Load both.

        Raises:
            WeightsMissing: dlib or the package with the file is not installed, or the file is another.
        """
        try:
            import dlib
        except ImportError as error:
            raise WeightsMissing("landmarks need the package dlib-bin", hint=_HINT) from error
        path = _file()
        if _sha256(path) != SHA256:
            raise WeightsMissing(f"{path}: its sha256 is another than the published one", hint=_HINT)
        self._detector: Any = dlib.get_frontal_face_detector()
        self._predictor: Any = dlib.shape_predictor(str(path))

    def find(self, frame: Frames) -> npt.NDArray[np.float64] | None:
        """Landmarks of the largest face; None without one.

        A face is searched at the frame's own size, from 80 pixels on; where none is found, at twice the size.

        Args:
            frame: (height, width, 3) RGB uint8.

        Returns:
            (68, 2) x, y in pixels, whole numbers.
        """
        with stage("detect", WEIGHTS):
            boxes = list(self._detector(frame, 0)) or list(self._detector(frame, 1))
            if not boxes:
                return None
            largest = max(boxes, key=lambda box: box.area())
            shape = self._predictor(frame, largest)
            return np.array([(point.x, point.y) for point in shape.parts()], np.float64)


def _file() -> Path:
    found = find_spec(_PACKAGE)  # not imported: it asks for a package that is not always there
    folders = [] if found is None else list(found.submodule_search_locations or ())
    path = next((Path(folder) / "models" / _FILE for folder in folders), None)
    if path is None or not path.is_file():
        raise WeightsMissing("landmarks need the package face-recognition-models", hint=_HINT)
    return path


@lru_cache(maxsize=1)
def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
