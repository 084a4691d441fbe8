"""The aesthetic score against transformers' CLIP tower and a plain network, at full size."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image
from pydantic import ValidationError
from transformers import CLIPImageProcessorPil, CLIPVisionConfig, CLIPVisionModelWithProjection

from ipvg_eval.metrics.clip.encoder import ClipEncoder, build
from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.opens2v.aesthetic_head import AestheticHead
from ipvg_eval.metrics.opens2v.aesthetics import AestheticScore
from ipvg_eval.metrics.weights import declared

NAME, UNIT = "aesthetic_score", "aesthetic_score_unit"


@pytest.fixture(scope="module")
def network():
    return build("clip_vit_l14", seed=0)


@pytest.fixture(scope="module")
def frames():
    """A face, a rocket and noise, 120 x 160, which random networks tell apart."""
    photograph = skimage.data.astronaut()
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    return np.stack([photograph[:120, 160:320], photograph[150:270, 330:490], noise])


@pytest.fixture(scope="module")
def head():
    """The layers as the published class stacks them, with weights that spread marks around 5."""
    torch.manual_seed(3)
    layers = torch.nn.Sequential(
        torch.nn.Linear(768, 1024),
        torch.nn.Dropout(0.2),
        torch.nn.Linear(1024, 128),
        torch.nn.Dropout(0.2),
        torch.nn.Linear(128, 64),
        torch.nn.Dropout(0.1),
        torch.nn.Linear(64, 16),
        torch.nn.Linear(16, 1),
    )
    with torch.no_grad():
        for layer in layers:
            if isinstance(layer, torch.nn.Linear):
                layer.weight.normal_(std=layer.in_features**-0.5)
        layers[0].weight *= 768**0.5
        layers[-1].bias.fill_(5.0)
    return layers.eval()


@pytest.fixture
def evaluator(network, head, tmp_path, with_files, monkeypatch):
    """Reads the head from a file; skips only the repeated construction of the same random CLIP."""
    file = tmp_path / "aesthetic-model.pth"
    torch.save({f"layers.{name}": value for name, value in head.state_dict().items()}, file)
    encoder = ClipEncoder(network, device="cpu", dtype="float32")
    monkeypatch.setattr("ipvg_eval.metrics.opens2v.aesthetics.ClipEncoder.load", lambda *_: encoder)
    return lambda **options: AestheticScore(
        AestheticScore.Options(**options), with_files(aesthetic_head=file)
    )


def test_the_published_procedure(evaluator, network, head, frames, run, target, clip):
    """Two frames asked for of a video of three: floor(linspace(0, 2, 2)) is the first and the last."""
    made = evaluator(frame_count=2)
    found = run(made, target(), clip(3), frames)
    named = [Image.fromarray(frames[0]), Image.fromarray(frames[2])]
    pixels = CLIPImageProcessorPil()(images=named, return_tensors="pt")
    with torch.no_grad():
        embeddings = _vision_tower(network)(**pixels)[0]
        marks = head(embeddings / embeddings.norm(dim=-1, keepdim=True)).squeeze(1)
    assert marks.max() - marks.min() > 0.01
    np.testing.assert_allclose(found[NAME].per_frame.values, marks.numpy(), atol=2e-4)
    assert found[NAME].value == pytest.approx(marks.mean().item(), abs=2e-4)
    assert found[UNIT].value == pytest.approx(min(max((found[NAME].value - 4) / 3, 0), 1), abs=1e-12)
    assert made.weights == {
        "clip_vit_l14": "hash of clip_vit_l14",
        "aesthetic_head": "hash of aesthetic_head",
    }


def test_a_short_video_repeats_frames_as_published(evaluator, frames, run, target, clip):
    """floor(linspace(0, 1, 4)) is 0, 0, 0, 1: the first frame counts three times."""
    found = run(evaluator(frame_count=4), target(), clip(2), frames)[NAME]
    first, second = found.per_frame.values
    assert first != second
    assert found.value == pytest.approx((3 * first + second) / 4, abs=1e-12)


def test_batching_and_missing_frames(evaluator, frames, run, target, clip):
    made = evaluator(frame_count=2)
    whole, parts = (run(made, target(), clip(3), frames, step=step) for step in (None, 1))
    assert whole == parts
    some = run(made, target(), clip(3), frames, keep={0})[NAME]
    assert some.note == "1 of 2 frames could be read"
    # Another number of rows goes through the network together, hence the tolerance.
    assert some.value == pytest.approx(whole[NAME].per_frame.values[0], abs=1e-4)
    nothing = run(made, target(), clip(3), frames, keep=set())
    assert {(m.value, m.reason) for m in nothing.values()} == {(None, "no frame could be read")}


def test_dropout_is_off_and_scaling_an_embedding_changes_nothing(head, tmp_path, with_files):
    file = tmp_path / "head.pth"
    torch.save({f"layers.{name}": value for name, value in head.state_dict().items()}, file)
    loaded = AestheticHead(with_files(aesthetic_head=file))
    rows = np.random.default_rng(1).normal(size=(5, 768)).astype(np.float32)
    np.testing.assert_array_equal(loaded.marks(rows), loaded.marks(rows))
    np.testing.assert_allclose(loaded.marks(rows), loaded.marks(10 * rows), atol=1e-5)


def test_another_file_is_refused(head, tmp_path, with_files):
    file = tmp_path / "head.pth"
    torch.save(head.state_dict(), file)
    with pytest.raises(WeightsMissing, match=r"head\.pth"):
        AestheticHead(with_files(aesthetic_head=file))


def test_the_declared_head_has_the_networks_size(runtime):
    """Float32 tensors and some kilobytes of pickle around them."""
    tensors = sum(parameter.numel() for parameter in AestheticHead(runtime)._network.parameters())
    assert 0 < declared("aesthetic_head").size - 4 * tensors < 10_000


def test_options_are_strict_and_name_the_weights():
    with pytest.raises(ValidationError):
        AestheticScore.Options(frames=3)
    assert AestheticScore.required_weights(AestheticScore.Options()) == ("clip_vit_l14", "aesthetic_head")


def _vision_tower(network):
    """transformers' tower with projection, with the weights of open_clip's."""
    ours = network.visual.state_dict()
    tower = "vision_model"
    theirs = {
        f"{tower}.embeddings.class_embedding": ours["class_embedding"],
        f"{tower}.embeddings.patch_embedding.weight": ours["conv1.weight"],
        f"{tower}.embeddings.position_embedding.weight": ours["positional_embedding"],
        "visual_projection.weight": ours["proj"].T.contiguous(),
    }
    pairs = {"ln_pre": f"{tower}.pre_layrnorm", "ln_post": f"{tower}.post_layernorm"}
    parts = {
        "ln_1": "layer_norm1", "ln_2": "layer_norm2", "attn.out_proj": "self_attn.out_proj",
        "mlp.c_fc": "mlp.fc1", "mlp.c_proj": "mlp.fc2",
    }  # fmt: skip
    for i in range(24):
        before, after = f"transformer.resblocks.{i}", f"{tower}.encoder.layers.{i}"
        pairs |= {f"{before}.{a}": f"{after}.{b}" for a, b in parts.items()}
        for kind in ("weight", "bias"):
            stacked = ours[f"{before}.attn.in_proj_{kind}"].chunk(3)
            for letter, part in zip("qkv", stacked, strict=True):
                theirs[f"{after}.self_attn.{letter}_proj.{kind}"] = part
    for before, after in pairs.items():
        for kind in ("weight", "bias"):
            theirs[f"{after}.{kind}"] = ours[f"{before}.{kind}"]
    config = CLIPVisionConfig(
        hidden_size=1024,
        intermediate_size=4096,
        num_hidden_layers=24,
        num_attention_heads=16,
        patch_size=14,
        projection_dim=768,
    )
    with torch.device("meta"):
        model = CLIPVisionModelWithProjection(config).eval()
    model.vision_model.embeddings.position_ids = torch.arange(257)[None]
    missing, unexpected = model.load_state_dict(theirs, strict=False, assign=True)
    assert not unexpected
    assert all("position_ids" in key for key in missing)
    return model
