"""Blocks are found, compiled for real, and compute what they did."""

from __future__ import annotations

import sys

import pytest
import timm
import torch
from open_clip.model import CLIP

from ipvg_eval.metrics.clip.encoder import build
from ipvg_eval.metrics.compilation import compile_blocks, repeated_blocks
from ipvg_eval.metrics.gme.checkpoint import ARCHITECTURES, configuration


def _count(network):
    return len(list(repeated_blocks(network)))


def test_blocks_of_the_full_size_networks_are_found():
    """Both towers of CLIP, DINOv2, and both of Qwen2-VL 2B: the layers their papers name."""
    assert _count(build("clip_vit_b32")) == 12 + 12
    with torch.device("meta"):
        assert _count(timm.create_model("vit_base_patch14_dinov2", pretrained=False)) == 12
        from transformers import Qwen2VLModel

        assert _count(Qwen2VLModel(configuration(ARCHITECTURES["gme_2b"]))) == 32 + 28


def test_a_network_without_repetitions_is_left_alone():
    network = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.Linear(3, 3), torch.nn.Linear(3, 3))
    assert compile_blocks(network) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="needs a C++ compiler on the path")
def test_compiled_towers_compute_the_same(tmp_path, monkeypatch):
    """A CLIP of three narrow layers, compiled by the real compiler; sums may be taken in another order."""
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = CLIP(
            embed_dim=32,
            vision_cfg={"image_size": 64, "layers": 3, "width": 64, "patch_size": 16},
            text_cfg={"context_length": 16, "vocab_size": 100, "width": 64, "heads": 2, "layers": 3},
        ).eval()
        pictures = torch.randn(2, 3, 64, 64)
    with torch.inference_mode(), torch._inductor.config.patch(compile_threads=1):
        expected = network.encode_image(pictures)
        assert compile_blocks(network) == 6
        found = network.encode_image(pictures)
    torch._dynamo.reset()
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-5)
    assert any(tmp_path.rglob("*.so")), "something was compiled"
