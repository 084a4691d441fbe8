"""Importing published packages for their networks alone, without what else their import changes."""

from __future__ import annotations

import importlib
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import cv2  # noqa: F401  before decord, which vbench imports: the other way round OpenCV cannot read PNG files
from PIL import ImageFile

from ipvg_eval.core.packages import package_missing
from ipvg_eval.metrics.errors import WeightsMissing


def published_module(name: str, *, package: str) -> ModuleType:
    """A module of an optional package.

    Args:
        name: dotted name of the module; need not be an identifier.
        package: the distribution to name where it is not installed.

    Raises:
        WeightsMissing: the package, or one that it imports, is not installed.
    """
    if name in sys.modules:
        return sys.modules[name]
    try:
        with _process_settings_kept():
            return importlib.import_module(name)
    except ImportError as error:
        raise WeightsMissing(
            f"the network of {package} cannot be imported ({error})",
            hint=package_missing(error, extra="metrics").hint,
        ) from error


@contextmanager
def _process_settings_kept() -> Iterator[None]:
    """Undo what vbench 0.1.5 and its imports set for the whole process.

    They add a handler to the root logger and lower its level (vbench/utils.py:33), extend sys.path
    (amt/utils/build_utils.py:5) and PATH (decord), and make Pillow accept truncated pictures
    (amt/utils/flow_utils.py:5), which would hide damaged reference pictures.
    """
    root = logging.getLogger()
    path, search, level, handlers = list(sys.path), os.environ.get("PATH"), root.level, list(root.handlers)
    truncated = ImageFile.LOAD_TRUNCATED_IMAGES
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        sys.path[:] = path
        if search is not None:
            os.environ["PATH"] = search
        root.setLevel(level)
        root.handlers[:] = handlers
        ImageFile.LOAD_TRUNCATED_IMAGES = truncated
