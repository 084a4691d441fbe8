"""open_clip's towers against transformers' CLIPModel on the same weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from ipvg_eval.metrics.clip.encoder import ClipEncoder, build
from ipvg_eval.metrics.clip.preprocess import CLIP_MEAN, CLIP_STD, clip_pixels
from ipvg_eval.metrics.clip.tokens import ClipTokenizer
from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.upload import Normalisation, planar
from ipvg_eval.metrics.weights import declared


@pytest.mark.parametrize("name", ["clip_vit_b32", "clip_vit_b16"])
def test_the_same_embeddings_as_transformers(
    name, networks, transformers_model, frames, hugging_face_tokenizer
):
    ours = ClipEncoder(networks[name], device="cpu", dtype="float32")
    theirs = transformers_model(name)
    pixels = [clip_pixels(frame) for frame in frames[:2]]
    prompts = ["A man in an orange suit.", "word " * 100]
    sequences = [ClipTokenizer()(prompt).truncated() for prompt in prompts]
    rows = hugging_face_tokenizer(prompts, truncation=True, max_length=77, padding=True, return_tensors="pt")
    with torch.no_grad():
        normalise = Normalisation(CLIP_MEAN, CLIP_STD, torch.device("cpu"))
        values = planar(normalise(torch.from_numpy(np.stack(pixels))))
        output = theirs(pixel_values=values, **rows)
    images = torch.nn.functional.normalize(torch.from_numpy(ours.images(pixels)), dim=1)
    texts = torch.nn.functional.normalize(torch.from_numpy(ours.texts(sequences)), dim=1)
    assert (images - output.image_embeds).abs().max() < 2e-6
    assert (texts - output.text_embeds).abs().max() < 2e-6
    cosines = images @ texts.T
    assert (cosines * ours.logit_scale - output.logits_per_image).abs().max() < 1e-4
    assert (cosines - output.image_embeds @ output.text_embeds.T).abs().max() < 1e-6


def test_another_seed_gives_other_weights_and_the_global_state_is_left_alone(networks):
    before = torch.random.get_rng_state()
    other = build("clip_vit_b32", seed=1)
    assert torch.equal(before, torch.random.get_rng_state())
    name = "visual.transformer.resblocks.3.mlp.c_fc.weight"
    assert not torch.equal(networks["clip_vit_b32"].state_dict()[name], other.state_dict()[name])


@pytest.mark.parametrize("suffix", ["safetensors", "bin"])
def test_weights_come_from_the_resolved_file(suffix, networks, frames, tmp_path, weights_file):
    state = networks["clip_vit_b32"].state_dict()
    file = tmp_path / f"open_clip_model.{suffix}"
    if suffix == "safetensors":
        save_file(state, file)
    else:
        torch.save(state, file)
    loaded = ClipEncoder.load("clip_vit_b32", Runtime(weights=weights_file(file)))
    direct = ClipEncoder(networks["clip_vit_b32"], device="cpu", dtype="float32")
    pixels = [clip_pixels(frames[0])]
    assert (loaded.images(pixels) == direct.images(pixels)).all()


@pytest.mark.parametrize("name", ["clip_vit_b32", "clip_vit_b16"])
def test_the_declared_file_has_the_networks_size(name, networks):
    """Float32 tensors plus a header of some tens of kilobytes."""
    tensors = sum(tensor.numel() for tensor in networks[name].state_dict().values())
    assert 0 < declared(name).size - 4 * tensors < 100_000


def test_another_models_file_is_refused(networks, tmp_path, weights_file):
    file = tmp_path / "open_clip_model.safetensors"
    save_file(networks["clip_vit_b32"].state_dict(), file)
    with pytest.raises(WeightsMissing, match=r"open_clip_model\.safetensors"):
        ClipEncoder.load("clip_vit_b16", Runtime(weights=weights_file(file)))


def test_no_weight_source_is_an_error_that_names_the_weight():
    with pytest.raises(WeightsMissing, match="clip_vit_b16"):
        ClipEncoder.load("clip_vit_b16", Runtime())
