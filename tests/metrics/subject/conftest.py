"""DINOv2 at full size with random weights, on one thread."""

from __future__ import annotations

import pytest
import timm
import torch
from planted_things import Weights
from safetensors.torch import save_file

from ipvg_eval.metrics.runtime import Runtime


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def runtime():
    return Runtime(weights=Weights(), batch_size=3)


@pytest.fixture(scope="session")
def dino_file(tmp_path_factory):
    """A checkpoint of DINOv2's shape."""
    path = tmp_path_factory.mktemp("dino") / "model.safetensors"
    network = timm.create_model("vit_base_patch14_dinov2", pretrained=False, num_classes=0)
    save_file(network.state_dict(), path)
    return path
