"""DINOv2 at full size with random weights, on one thread."""

from __future__ import annotations

import pytest
import timm
from safetensors.torch import save_file

from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.weights import RandomWeights


@pytest.fixture(scope="session")
def runtime():
    return Runtime(weights=RandomWeights(), batch_size=3)


@pytest.fixture(scope="session")
def dino_file(tmp_path_factory):
    """A checkpoint of DINOv2's shape."""
    path = tmp_path_factory.mktemp("dino") / "model.safetensors"
    network = timm.create_model("vit_base_patch14_dinov2", pretrained=False, num_classes=0)
    save_file(network.state_dict(), path)
    return path
