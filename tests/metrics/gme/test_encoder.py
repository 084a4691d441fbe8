"""GME's recipe against the published wrapper's golden arrays and against Qwen2-VL called by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from transformers import Qwen2VLConfig, Qwen2VLModel

from ipvg_eval.metrics.clip.preprocess import CLIP_MEAN, CLIP_STD
from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.gme.checkpoint import ARCHITECTURES, configuration, load_model, random_model
from ipvg_eval.metrics.gme.encoder import GmeEncoder
from ipvg_eval.metrics.gme.preprocess import frame_patches, patch_values
from ipvg_eval.metrics.gme.tokens import OPENS2V_INSTRUCTION, TPIGE_INSTRUCTION, GmeTokenizer
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.upload import Normalisation


@pytest.mark.parametrize("padding", ["right", "left"])
@pytest.mark.parametrize(
    ("protocol", "instruction"), [("tpige", TPIGE_INSTRUCTION), ("opens2v", OPENS2V_INSTRUCTION)]
)
def test_prompts_as_the_published_wrapper(padding, protocol, instruction, network, tokenizer, small, golden):
    encoder = GmeEncoder(network, tokenizer, device="cpu", padding=padding)
    found = encoder.texts([tokenizer.text(prompt, instruction=instruction) for prompt in small.PROMPTS])
    np.testing.assert_allclose(found, golden[f"texts_{protocol}_{padding}"], atol=2e-6)


@pytest.mark.parametrize("padding", ["right", "left"])
def test_frames_as_the_published_wrapper(padding, network, tokenizer, small, golden):
    """Three sizes in one batch, from the pixels on: both resizes, patches, template, positions, pooling."""
    encoder = GmeEncoder(network, tokenizer, device="cpu", padding=padding)
    found = encoder.images([frame_patches(small.frame(*size)) for size in small.SIZES])
    np.testing.assert_allclose(found, golden[f"images_{padding}"], atol=3e-6)


def test_a_prompt_over_1800_tokens_as_the_published_wrapper(network, tokenizer, small, golden):
    encoder = GmeEncoder(network, tokenizer, device="cpu")
    ids = tokenizer.text(small.PROMPTS[0] * 50, instruction=TPIGE_INSTRUCTION)
    assert len(ids) > 1800
    np.testing.assert_allclose(encoder.texts([ids]), golden["over_long"], atol=2e-6)


def test_positions_are_plain_on_all_three_axes(network, tokenizer, small):
    """The towers called one by one with positions 0, 1, 2, ...; two-dimensional ones give something else."""
    frame = frame_patches(small.frame(300, 200))
    ids = torch.tensor([tokenizer.image(frame.tokens)])
    grid = torch.tensor([[1, frame.grid_height, frame.grid_width]])
    normalise = Normalisation(CLIP_MEAN, CLIP_STD, torch.device("cpu"))
    pixels = patch_values(normalise(torch.from_numpy(np.array(frame.pixels))))
    with torch.no_grad():
        rows = network.get_input_embeddings()(ids)
        rows[ids == tokenizer.image_pad] = network.visual(pixels, grid_thw=grid).pooler_output
        plain = torch.arange(ids.shape[1]).view(1, 1, -1).expand(3, 1, -1)
        states = network.language_model(inputs_embeds=rows, position_ids=plain).last_hidden_state
        expected = torch.nn.functional.normalize(states[0, -1], dim=0).numpy()
        spatial = network(
            input_ids=ids,
            pixel_values=pixels,
            image_grid_thw=grid,
            mm_token_type_ids=(ids == tokenizer.image_pad).int(),
        ).last_hidden_state[0, -1]
    found = GmeEncoder(network, tokenizer, device="cpu").images([frame])[0]
    np.testing.assert_allclose(found, expected, atol=2e-6)
    other = torch.nn.functional.normalize(spatial, dim=0).numpy()
    assert found @ other < 0.99


def test_batches_and_padding_do_not_matter(network, tokenizer, small):
    """Positions shift under left padding, but the rotary embedding sees differences alone."""
    frames = [frame_patches(small.frame(*size)) for size in small.SIZES]
    prompts = [tokenizer.text(prompt, instruction="Look.") for prompt in small.PROMPTS]
    right = GmeEncoder(network, tokenizer, device="cpu", padding="right")
    left = GmeEncoder(network, tokenizer, device="cpu", padding="left")
    for encode, items in (("images", frames), ("texts", prompts)):
        together = getattr(right, encode)(items)
        alone = np.concatenate([getattr(right, encode)([item]) for item in items])
        np.testing.assert_allclose(together, alone, atol=3e-6)
        np.testing.assert_allclose(getattr(left, encode)(items), together, atol=1e-5)
        np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_lower_precision_stays_near(dtype, runtime, network, tokenizer, small):
    exact = GmeEncoder(network, tokenizer, device="cpu")
    rough = GmeEncoder.load("gme_2b", Runtime(weights=runtime.weights, dtype=dtype))
    frames = [frame_patches(small.frame(300, 200))]
    assert (exact.images(frames) @ rough.images(frames).T).item() > 0.99


def test_the_published_layout_of_keys_loads_completely(small, network):
    """Flat configuration and keys visual.*, model.*: every tensor lands where it belongs."""
    state = network.state_dict()
    ours = small.weights()
    assert len(state) == len(ours)
    for name, expected in ours.items():
        key = name if name.startswith("visual.") else name.replace("model.", "language_model.", 1)
        assert np.array_equal(state[key].numpy(), expected), name


def test_an_incomplete_checkpoint_is_refused(small, tmp_path):
    small.write(tmp_path)
    partial = {name: value for name, value in small.weights().items() if "layers.1.mlp" not in name}
    save_file(partial, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(WeightsMissing, match=r"layers\.1\.mlp"):
        load_model(tmp_path, dtype=torch.float32)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(WeightsMissing, match="cannot be loaded"):
        load_model(tmp_path, dtype=torch.float32)


def test_a_tokenizer_of_another_model_is_refused(network):
    with pytest.raises(WeightsMissing, match="image token"):
        GmeEncoder(network, GmeTokenizer.bytes_only(), device="cpu")


def test_random_weights_follow_the_seed_and_leave_the_global_state_alone():
    sizes = {
        "vocab_size": 272,
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 1,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [2, 3, 3]},
    }
    config = configuration(sizes, {"depth": 1, "embed_dim": 32, "num_heads": 2})
    before = torch.random.get_rng_state()
    first, again, other = (random_model(config, seed=seed, dtype=torch.bfloat16) for seed in (3, 3, 4))
    assert torch.equal(before, torch.random.get_rng_state())
    for name, tensor in first.state_dict().items():
        assert tensor.dtype == torch.bfloat16
        assert torch.equal(tensor, again.state_dict()[name])
    name = "language_model.layers.0.mlp.up_proj.weight"
    assert not torch.equal(first.state_dict()[name], other.state_dict()[name])


@pytest.mark.parametrize(
    ("name", "published"),
    # The 7B model's own output head, vocabulary x hidden, is not part of the embedding network.
    [("gme_2b", 2_208_985_600), ("gme_7b", 8_291_375_616 - 152_064 * 3_584)],
)
def test_full_size_parameter_counts(name, published):
    """The number of parameters that Qwen2-VL's checkpoints hold."""
    with torch.device("meta"):
        model = Qwen2VLModel(configuration(ARCHITECTURES[name]))
    assert sum(p.numel() for p in model.parameters()) == published


def test_the_configuration_shares_qwen2_vls_defaults():
    ours, theirs = configuration(ARCHITECTURES["gme_2b"]).vision_config, Qwen2VLConfig().vision_config
    for field in ("depth", "embed_dim", "num_heads", "mlp_ratio", "patch_size", "spatial_merge_size"):
        assert getattr(ours, field) == getattr(theirs, field)
