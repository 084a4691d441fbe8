"""Real frames, prompts and networks for the CLIP tests."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from open_clip.tokenizer import SimpleTokenizer
from transformers import CLIPConfig, CLIPModel, CLIPTokenizer
from weight_files import WeightFiles

from ipvg_eval.core.measurement import ClipInfo
from ipvg_eval.metrics.clip.encoder import build
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.target import Reference, Target
from ipvg_eval.metrics.weights import RandomWeights

PROMPTS = (
    "A woman in a red coat walks along the beach at sunset.",
    "The man's beard is grey; he doesn't smile, and they've been waiting since 1987 (or '88).",
    "A woman’s “quiet” café — she reads, naïvely, a 350-page book…  \n\tthen looks up & waves.",
    "CAPITALS, emoji \U0001f642\U0001f642, 雨の夜, &amp; <b>markup</b> e\u0301 $12.50 #1!",
    "The astronaut, dressed in a bulky white space suit, floated weightlessly in the International Space "
    "Station, repairing a satellite as the Earth spun slowly beneath him. " * 6,
)


@pytest.fixture
def runtime():
    return Runtime(weights=RandomWeights(), batch_size=4)


@pytest.fixture(scope="session")
def networks():
    """Full-size networks with seeded random weights, by name."""
    return {name: build(name, seed=0) for name in ("clip_vit_b32", "clip_vit_b16")}


@pytest.fixture(scope="session")
def frames():
    """Seven 240 x 416 crops that move over a photograph: (7, 240, 416, 3) uint8."""
    photograph = skimage.data.astronaut()
    return np.stack([photograph[20 * i : 20 * i + 240, 10 * i : 10 * i + 416] for i in range(7)])


@pytest.fixture(scope="session")
def hugging_face_tokenizer():
    """transformers' CLIPTokenizer with the vocabulary and merges that open_clip carries."""
    own = SimpleTokenizer()
    renamed = {"<start_of_text>": "<|startoftext|>", "<end_of_text>": "<|endoftext|>"}
    vocabulary = {renamed.get(token, token): number for token, number in own.encoder.items()}
    return CLIPTokenizer(vocab=vocabulary, merges=list(own.bpe_ranks), model_max_length=77)


@pytest.fixture
def target():
    def make(prompt: str) -> Target:
        return Target(sample_id="s", references=(Reference(path=Path("unused.png")),), prompt=prompt)

    return make


@pytest.fixture
def clip():
    def make(frame_count: int) -> ClipInfo:
        times = tuple(i / 16 for i in range(frame_count))
        return ClipInfo(
            frame_count=frame_count, width=416, height=240, fps=16.0, duration=frame_count / 16, times=times
        )

    return make


@pytest.fixture(params=PROMPTS, ids=["short", "contractions", "typographic", "unicode", "long"])
def prompt(request):
    return request.param


@pytest.fixture
def weights_file():
    """A weight source that hands out one file."""
    return lambda file: WeightFiles(file)


@pytest.fixture(scope="session")
def transformers_model(networks):
    """transformers' CLIPModel with the weights of the open_clip network of that name."""
    return cache(lambda name: _to_transformers(networks[name], name))


def _to_transformers(network, name: str) -> CLIPModel:
    """transformers' CLIPModel with the weights of an open_clip network."""
    config = CLIPConfig(vision_config={"patch_size": int(name[-2:])})
    theirs, ours = {}, network.state_dict()
    vision, text = "vision_model", "text_model"
    theirs[f"{vision}.embeddings.class_embedding"] = ours["visual.class_embedding"]
    theirs[f"{vision}.embeddings.patch_embedding.weight"] = ours["visual.conv1.weight"]
    theirs[f"{vision}.embeddings.position_embedding.weight"] = ours["visual.positional_embedding"]
    theirs[f"{text}.embeddings.token_embedding.weight"] = ours["token_embedding.weight"]
    theirs[f"{text}.embeddings.position_embedding.weight"] = ours["positional_embedding"]
    theirs["visual_projection.weight"] = ours["visual.proj"].T.contiguous()
    theirs["text_projection.weight"] = ours["text_projection"].T.contiguous()
    theirs["logit_scale"] = ours["logit_scale"]
    norms = {
        "visual.ln_pre": f"{vision}.pre_layrnorm",
        "visual.ln_post": f"{vision}.post_layernorm",
        "ln_final": f"{text}.final_layer_norm",
    }
    parts = {
        "ln_1": "layer_norm1", "ln_2": "layer_norm2", "attn.out_proj": "self_attn.out_proj",
        "mlp.c_fc": "mlp.fc1", "mlp.c_proj": "mlp.fc2",
    }  # fmt: skip
    for own, tower in (("visual.transformer", vision), ("transformer", text)):
        for i in range(12):
            before, after = f"{own}.resblocks.{i}", f"{tower}.encoder.layers.{i}"
            norms |= {f"{before}.{a}": f"{after}.{b}" for a, b in parts.items()}
            for kind in ("weight", "bias"):
                stacked = ours[f"{before}.attn.in_proj_{kind}"].chunk(3)
                for letter, part in zip("qkv", stacked, strict=True):
                    theirs[f"{after}.self_attn.{letter}_proj.{kind}"] = part.contiguous()
    for before, after in norms.items():
        for kind in ("weight", "bias"):
            theirs[f"{after}.{kind}"] = ours[f"{before}.{kind}"]
    model = CLIPModel(config).eval()
    missing, unexpected = model.load_state_dict(theirs, strict=False)
    assert not unexpected
    assert all("position_ids" in key for key in missing)
    return model
