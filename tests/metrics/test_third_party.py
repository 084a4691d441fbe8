"""What importing published packages leaves behind."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.third_party import published_module

MODULES = (
    "vbench.third_party.amt.networks.AMT-S",
    "vbench.third_party.RAFT.core.raft",
    "pyiqa.archs.musiq_arch",
)

IN_A_FRESH_PROCESS = """
import logging, os, sys, warnings
import cv2, numpy
from PIL import ImageFile
import ipvg_eval.metrics.third_party

def settings():
    root = logging.getLogger()
    return (list(sys.path), os.environ["PATH"], root.level, list(root.handlers), list(warnings.filters),
            ImageFile.LOAD_TRUNCATED_IMAGES)

before = settings()
for name in sys.argv[1:]:
    ipvg_eval.metrics.third_party.published_module(name, package=name)
after = settings()
assert before == after, (before, after)
picture = numpy.arange(12, dtype=numpy.uint8).reshape(2, 2, 3)
assert (cv2.imdecode(cv2.imencode(".png", picture)[1], cv2.IMREAD_COLOR) == picture).all()
"""


def test_networks_come_without_changed_process_settings() -> None:
    command = [sys.executable, "-W", "error", "-c", IN_A_FRESH_PROCESS, *MODULES]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_missing_package_names_the_install_command() -> None:
    with pytest.raises(WeightsMissing, match="nowhere_to_be_found") as caught:
        published_module("nowhere_to_be_found.network", package="nowhere")
    assert caught.value.hint.startswith(
        "Install it: pip install 'ipvg-eval[metrics]' && pip install --no-deps vbench"
    )
    assert caught.value.exit_code == 3
