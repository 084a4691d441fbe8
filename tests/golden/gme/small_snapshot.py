"""A small GME-shaped snapshot folder, the same on every machine.

Needs numpy, safetensors and tokenizers alone, so that the maker of the golden arrays can build it in its own
environment. Keys and configuration have the layout of the published checkpoints (transformers 4.4x).
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

HIDDEN, LAYERS, HEADS, KEY_HEADS, INNER = 64, 2, 4, 2, 96
VISION, DEPTH, VISION_HEADS, RATIO = 32, 2, 2, 2
VOCABULARY = 272
SPECIAL = {
    "<|endoftext|>": 256,
    "<|im_start|>": 257,
    "<|im_end|>": 258,
    "<|vision_start|>": 259,
    "<|vision_end|>": 260,
    "<|vision_pad|>": 261,
    "<|image_pad|>": 262,
    "<|video_pad|>": 263,
}
CONFIG = {
    "architectures": ["Qwen2VLForConditionalGeneration"],
    "model_type": "qwen2_vl",
    "hidden_size": HIDDEN,
    "intermediate_size": INNER,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "num_key_value_heads": KEY_HEADS,
    "vocab_size": VOCABULARY,
    "hidden_act": "silu",
    "max_position_embeddings": 32768,
    "rms_norm_eps": 1e-06,
    "rope_theta": 1000000.0,
    "rope_scaling": {"type": "mrope", "mrope_section": [2, 3, 3]},
    "tie_word_embeddings": True,
    "use_sliding_window": False,
    "bos_token_id": 256,
    "eos_token_id": 258,
    "image_token_id": 262,
    "video_token_id": 263,
    "vision_start_token_id": 259,
    "vision_end_token_id": 260,
    "vision_token_id": 261,
    "torch_dtype": "float32",
    "vision_config": {
        "model_type": "qwen2_vl",
        "depth": DEPTH,
        "embed_dim": VISION,
        "hidden_size": HIDDEN,
        "num_heads": VISION_HEADS,
        "mlp_ratio": RATIO,
        "in_chans": 3,
        "in_channels": 3,
        "patch_size": 14,
        "spatial_merge_size": 2,
        "temporal_patch_size": 2,
    },
}
PREPROCESSOR = {
    "processor_class": "Qwen2VLProcessor",
    "image_processor_type": "Qwen2VLImageProcessor",
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
    "patch_size": 14,
    "merge_size": 2,
    "temporal_patch_size": 2,
    "min_pixels": 3136,
    "max_pixels": 12845056,
}
TOKENIZER = {
    "tokenizer_class": "Qwen2Tokenizer",
    "eos_token": "<|im_end|>",
    "pad_token": "<|endoftext|>",
    "model_max_length": 32768,
}

PROMPTS = (
    "A woman in a red coat walks along the beach.",
    "Un café près de la mer, 雨の夜, “quiet”; then he turns & smiles \U0001f642",
)
SIZES = ((480, 720), (300, 200), (64, 48))


def shapes() -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor."""
    key_width = HIDDEN // HEADS * KEY_HEADS
    merged = 4 * VISION
    found: dict[str, tuple[int, ...]] = {"visual.patch_embed.proj.weight": (VISION, 3, 2, 14, 14)}

    def dense(name: str, outputs: int, inputs: int, *, bias: bool = True) -> None:
        found[f"{name}.weight"] = (outputs, inputs)
        if bias:
            found[f"{name}.bias"] = (outputs,)

    for i in range(DEPTH):
        block = f"visual.blocks.{i}"
        for norm in ("norm1", "norm2"):
            found[f"{block}.{norm}.weight"] = found[f"{block}.{norm}.bias"] = (VISION,)
        dense(f"{block}.attn.qkv", 3 * VISION, VISION)
        dense(f"{block}.attn.proj", VISION, VISION)
        dense(f"{block}.mlp.fc1", RATIO * VISION, VISION)
        dense(f"{block}.mlp.fc2", VISION, RATIO * VISION)
    found["visual.merger.ln_q.weight"] = found["visual.merger.ln_q.bias"] = (VISION,)
    dense("visual.merger.mlp.0", merged, merged)
    dense("visual.merger.mlp.2", HIDDEN, merged)
    found["model.embed_tokens.weight"] = (VOCABULARY, HIDDEN)
    for i in range(LAYERS):
        layer = f"model.layers.{i}"
        found[f"{layer}.input_layernorm.weight"] = (HIDDEN,)
        found[f"{layer}.post_attention_layernorm.weight"] = (HIDDEN,)
        dense(f"{layer}.self_attn.q_proj", HIDDEN, HIDDEN)
        dense(f"{layer}.self_attn.k_proj", key_width, HIDDEN)
        dense(f"{layer}.self_attn.v_proj", key_width, HIDDEN)
        dense(f"{layer}.self_attn.o_proj", HIDDEN, HIDDEN, bias=False)
        dense(f"{layer}.mlp.gate_proj", INNER, HIDDEN, bias=False)
        dense(f"{layer}.mlp.up_proj", INNER, HIDDEN, bias=False)
        dense(f"{layer}.mlp.down_proj", HIDDEN, INNER, bias=False)
    found["model.norm.weight"] = (HIDDEN,)
    return found


def weights() -> dict[str, npt.NDArray[np.float32]]:
    """Seeded weights at a scale where every layer matters; exact in float16, as the wrapper loads them."""
    rng = np.random.Generator(np.random.PCG64(7))
    made = {}
    for name, shape in shapes().items():
        noise = rng.standard_normal(shape)
        if len(shape) == 1:
            value = (1.0 if name.endswith("weight") else 0.0) + 0.2 * noise
        elif "embed_tokens" in name:
            value = noise
        else:
            value = noise * 1.5 / np.sqrt(np.prod(shape[1:]))
        made[name] = value.astype(np.float16).astype(np.float32)
    return made


def tokenizer() -> Tokenizer:
    """One token per byte, plus the control tokens."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: number for number, letter in enumerate(letters)} | SPECIAL
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in SPECIAL])
    return made


def frame(height: int, width: int) -> npt.NDArray[np.uint8]:
    """A picture with edges, gradients and noise: (height, width, 3) uint8."""
    rows, columns = np.mgrid[0:height, 0:width]
    rng = np.random.Generator(np.random.PCG64(height * 10_000 + width))
    picture = np.stack(
        [columns * 255 / width, rows * 255 / height, ((rows // 16 + columns // 16) % 2) * 200.0], axis=-1
    )
    return (picture + rng.integers(0, 50, picture.shape)).clip(0, 255).astype(np.uint8)


def write(folder: Path) -> Path:
    """Write the snapshot into a folder, which is made if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        "config.json": CONFIG,
        "preprocessor_config.json": PREPROCESSOR,
        "tokenizer_config.json": TOKENIZER,
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    tokenizer().save(str(folder / "tokenizer.json"))
    save_file(weights(), folder / "model.safetensors", metadata={"format": "pt"})
    return folder
