"""A small VideoScore-shaped snapshot folder, the same on every machine.

Needs numpy, safetensors and tokenizers alone, so that the maker of the golden arrays can build it in its own
environment. Keys and configuration have the layout that Mantis's class writes with transformers 4.4x.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors

HIDDEN, LAYERS, HEADS, KEY_HEADS, INNER = 64, 2, 4, 2, 96
VISION, DEPTH, VISION_HEADS, VISION_INNER = 32, 2, 2, 48
LATENTS, RESAMPLER_DEPTH, RESAMPLER_HEADS, RESAMPLER_HEAD, RESAMPLER_KEYS = 4, 2, 4, 8, 2
SIDE, PATCH = 98, 14
DIMENSIONS = 5
CONTROL = {
    "<unk>": 0,
    "<s>": 1,
    "</s>": 2,
    "<fake_token_around_image>": 259,
    "<image>": 260,
    "<end_of_utterance>": 261,
}
VOCABULARY = 272

PROMPTS = ("A man waves, then sits down.", 'Зимний вечер: a {dog} says "hello" & runs\n')
SIZES = ((300, 200), (700, 1200))
"""Height and width of the frames of each video; the model sees 378 x 378 and 571 x 980."""

FRAMES = 3

CONFIG = {
    "architectures": ["Idefics2ForSequenceClassification"],
    "model_type": "idefics2",
    "image_token_id": CONTROL["<image>"],
    "problem_type": "regression",
    "id2label": {str(k): f"LABEL_{k}" for k in range(DIMENSIONS)},
    "label2id": {f"LABEL_{k}": k for k in range(DIMENSIONS)},
    "tie_word_embeddings": False,
    "use_cache": True,
    "torch_dtype": "float32",
    "text_config": {
        "model_type": "mistral",
        "hidden_size": HIDDEN,
        "intermediate_size": INNER,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": KEY_HEADS,
        "vocab_size": VOCABULARY,
        "max_position_embeddings": 32768,
        "rms_norm_eps": 1e-05,
        "rope_theta": 10000.0,
        "pad_token_id": 0,
        "sliding_window": 4096,
    },
    "vision_config": {
        "model_type": "idefics2",
        "hidden_size": VISION,
        "intermediate_size": VISION_INNER,
        "num_hidden_layers": DEPTH,
        "num_attention_heads": VISION_HEADS,
        "image_size": SIDE,
        "patch_size": PATCH,
    },
    "perceiver_config": {
        "model_type": "idefics2",
        "hidden_size": HIDDEN,
        "rms_norm_eps": 1e-05,
        "resampler_n_latents": LATENTS,
        "resampler_depth": RESAMPLER_DEPTH,
        "resampler_n_heads": RESAMPLER_HEADS,
        "resampler_head_dim": RESAMPLER_HEAD,
        "num_key_value_heads": RESAMPLER_KEYS,
    },
}
PROCESSOR = {
    "image_processor_type": "Idefics2ImageProcessor",
    "processor_class": "Idefics2Processor",
    "do_convert_rgb": True,
    "do_image_splitting": False,
    "do_normalize": True,
    "do_pad": True,
    "do_rescale": True,
    "do_resize": True,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
    "resample": 2,
    "rescale_factor": 1 / 255,
    "size": {"longest_edge": 980, "shortest_edge": 378},
}


def write(folder: Path) -> Path:
    """Write the snapshot into a folder and give the folder back."""
    (folder / "config.json").write_text(json.dumps(CONFIG), "utf-8")
    (folder / "preprocessor_config.json").write_text(json.dumps(PROCESSOR), "utf-8")
    (folder / "processor_config.json").write_text(
        json.dumps({"image_seq_len": LATENTS, "processor_class": "Idefics2Processor"}), "utf-8"
    )
    control = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<unk>"}
    (folder / "tokenizer_config.json").write_text(
        json.dumps(
            {
                **control,
                "tokenizer_class": "PreTrainedTokenizerFast",
                "model_input_names": ["input_ids", "attention_mask"],
                "clean_up_tokenization_spaces": False,
                "processor_class": "Idefics2Processor",
                "additional_special_tokens": [
                    "<fake_token_around_image>",
                    "<image>",
                    "<end_of_utterance>",
                ],
            }
        ),
        "utf-8",
    )
    tokenizer().save(str(folder / "tokenizer.json"))
    save_file(weights(), folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def tokenizer() -> Tokenizer:
    """Llama's scheme with bytes for a vocabulary: a space before every piece, <s> in front."""
    pieces = {f"<0x{byte:02X}>": 3 + byte for byte in range(256)}
    made = Tokenizer(
        models.BPE(vocab={**CONTROL, **pieces}, merges=[], unk_token="<unk>", byte_fallback=True)
    )
    made.normalizer = normalizers.Sequence(
        [normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")]
    )
    made.pre_tokenizer = pre_tokenizers.Sequence([])
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A $B", special_tokens=[("<s>", 1)]
    )
    made.add_special_tokens([AddedToken(name, normalized=False, special=True) for name in CONTROL])
    return made


def frames(video: int) -> npt.NDArray[np.uint8]:
    """The frames of a video, (3, height, width, 3): coarse random patterns."""
    height, width = SIZES[video]
    coarse = np.random.default_rng(video).integers(0, 256, (FRAMES, -(-height // 20), -(-width // 20), 3))
    fine = coarse.repeat(20, axis=1).repeat(20, axis=2)
    return fine[:, :height, :width].astype(np.uint8)


def weights() -> dict[str, npt.NDArray[np.float32]]:
    """Every tensor under its published name; large enough that each has an effect."""
    made = {}
    for number, (name, shape) in enumerate(_shapes()):
        values = np.random.default_rng(number).standard_normal(shape)
        scale = 0.2 if len(shape) == 1 else 1.0 / np.sqrt(np.prod(shape[1:]))
        offset = 1.0 if "norm" in name and name.endswith("weight") else 0.0
        made[name] = (offset + scale * values).astype(np.float32)
    return made


def _shapes() -> Iterator[tuple[str, tuple[int, ...]]]:
    yield "score.weight", (DIMENSIONS, HIDDEN)
    yield "score.bias", (DIMENSIONS,)
    yield from _vision("model.vision_model.")
    yield from _gated("model.connector.modality_projection.", VISION, INNER)
    yield from _resampler("model.connector.perceiver_resampler.")
    yield "model.text_model.embed_tokens.weight", (VOCABULARY, HIDDEN)
    for layer in range(LAYERS):
        start = f"model.text_model.layers.{layer}."
        yield from _attention(f"{start}self_attn.", HEADS * (HIDDEN // HEADS), KEY_HEADS * (HIDDEN // HEADS))
        yield from _gated(f"{start}mlp.", HIDDEN, INNER)
        yield f"{start}input_layernorm.weight", (HIDDEN,)
        yield f"{start}post_attention_layernorm.weight", (HIDDEN,)
    yield "model.text_model.norm.weight", (HIDDEN,)


def _vision(start: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield f"{start}embeddings.patch_embedding.weight", (VISION, 3, PATCH, PATCH)
    yield f"{start}embeddings.patch_embedding.bias", (VISION,)
    yield f"{start}embeddings.position_embedding.weight", ((SIDE // PATCH) ** 2, VISION)
    for layer in range(DEPTH):
        inner = f"{start}encoder.layers.{layer}."
        parts = [(f"self_attn.{name}", VISION, VISION) for name in ("q_proj", "k_proj", "v_proj", "out_proj")]
        parts += [("mlp.fc1", VISION_INNER, VISION), ("mlp.fc2", VISION, VISION_INNER)]
        for name, rows, columns in parts:
            yield f"{inner}{name}.weight", (rows, columns)
            yield f"{inner}{name}.bias", (rows,)
        for name in ("layer_norm1", "layer_norm2"):
            yield f"{inner}{name}.weight", (VISION,)
            yield f"{inner}{name}.bias", (VISION,)
    yield f"{start}post_layernorm.weight", (VISION,)
    yield f"{start}post_layernorm.bias", (VISION,)


def _resampler(start: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield f"{start}latents", (LATENTS, HIDDEN)
    for layer in range(RESAMPLER_DEPTH):
        inner = f"{start}layers.{layer}."
        for name in ("input_latents_norm", "input_context_norm", "post_attention_layernorm"):
            yield f"{inner}{name}.weight", (HIDDEN,)
        heads, keys = RESAMPLER_HEADS * RESAMPLER_HEAD, RESAMPLER_KEYS * RESAMPLER_HEAD
        yield from _attention(f"{inner}self_attn.", heads, keys)
        yield from _gated(f"{inner}mlp.", HIDDEN, 4 * HIDDEN)
    yield f"{start}norm.weight", (HIDDEN,)


def _attention(start: str, queries: int, keys: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield f"{start}q_proj.weight", (queries, HIDDEN)
    yield f"{start}k_proj.weight", (keys, HIDDEN)
    yield f"{start}v_proj.weight", (keys, HIDDEN)
    yield f"{start}o_proj.weight", (HIDDEN, queries)


def _gated(start: str, size: int, inner: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """A gated perceptron; its output has the text tower's width."""
    yield f"{start}gate_proj.weight", (inner, size)
    yield f"{start}up_proj.weight", (inner, size)
    yield f"{start}down_proj.weight", (HIDDEN, inner)
