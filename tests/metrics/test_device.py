"""Devices are what was asked for, or a clear error."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from ipvg_eval.core.errors import UsageError
from ipvg_eval.metrics.device import device_name, resolve_device
from ipvg_eval.metrics.errors import DeviceUnavailable


def test_auto_takes_a_gpu_where_there_is_one():
    assert resolve_device("auto") == ("cuda:0" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "cuda:-1", "mps", "", "cpu:0"])
def test_a_name_that_means_nothing_is_refused(name):
    with pytest.raises(UsageError, match="no device"):
        resolve_device(name)


def test_a_device_that_is_not_here_is_refused():
    with pytest.raises(DeviceUnavailable, match="usable CUDA devices"):
        resolve_device("cuda:99")


def test_the_cpu_has_a_name():
    assert device_name("cpu")


def test_deterministic_mode_is_torchs_own():
    """In a process of its own: the mode is for good."""
    code = (
        "import torch; from ipvg_eval.metrics.device import make_deterministic; make_deterministic();"
        "assert torch.are_deterministic_algorithms_enabled();"
        "assert not torch.backends.cuda.matmul.allow_tf32;"
        "import os; assert os.environ['CUBLAS_WORKSPACE_CONFIG']"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
