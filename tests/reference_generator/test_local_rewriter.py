"""A local language model: a tiny random Qwen2-VL through transformers' own pipeline."""

from __future__ import annotations

import string

import pytest
import torch

from ipvg_eval.reference_generator.errors import ModelsMissing
from ipvg_eval.reference_generator.models import Found
from ipvg_eval.reference_generator.preset import load_settings
from ipvg_eval.reference_generator.rewriting.local_model import LazyLocalRewriter, LocalRewriter
from ipvg_eval.reference_generator.rewriting.rewriter import Request
from ipvg_eval.reference_generator.settings import PromptSettings

SPECIAL = [
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
]
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{% for c in m['content'] %}{% if c['type'] == 'image' %}"
    "<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ c['text'] }}{% endif %}{% endfor %}<|im_end|>"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>{% endif %}"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The model's files: one token per character, two layers."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import (
        PreTrainedTokenizerFast,
        Qwen2VLConfig,
        Qwen2VLForConditionalGeneration,
        Qwen2VLImageProcessor,
        Qwen2VLProcessor,
        Qwen2VLVideoProcessor,
    )

    vocabulary = {token: place for place, token in enumerate([*SPECIAL, *string.printable[:95], "\n"])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=SPECIAL[0]))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    tokenizer.decoder = decoders.Fuse()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=SPECIAL[2],
        pad_token=SPECIAL[0],
        additional_special_tokens=SPECIAL[1:],
    )
    processor = Qwen2VLProcessor(
        image_processor=Qwen2VLImageProcessor(min_pixels=28 * 28, max_pixels=56 * 56),
        tokenizer=fast,
        video_processor=Qwen2VLVideoProcessor(),
        chat_template=TEMPLATE,
    )
    config = Qwen2VLConfig(
        text_config={
            "vocab_size": len(vocabulary),
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "max_position_embeddings": 2048,
            "rope_parameters": {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 10000.0},
            "bos_token_id": 0,
            "eos_token_id": 2,
            "pad_token_id": 0,
        },
        vision_config={"depth": 1, "embed_dim": 32, "hidden_size": 32, "num_heads": 2, "mlp_ratio": 2},
        image_token_id=vocabulary["<|image_pad|>"],
        video_token_id=vocabulary["<|video_pad|>"],
        vision_start_token_id=vocabulary["<|vision_start|>"],
        vision_end_token_id=vocabulary["<|vision_end|>"],
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Qwen2VLForConditionalGeneration(config).eval()
    path = tmp_path_factory.mktemp("language-model")
    model.save_pretrained(path)
    processor.save_pretrained(path)
    return path


def test_it_answers_greedily_and_sees_the_picture(folder, tmp_path, picture):
    path = tmp_path / "face.png"
    picture(64).save(path)
    model = LocalRewriter(folder, PromptSettings(max_tokens=8), device="cpu", dtype="float32")
    request = Request(instruction="say", text="a man", picture=path)
    with_picture = model.rewrite(request)
    assert 0 < len(with_picture) <= 8
    assert model.rewrite(request) == with_picture
    picture(64, tint=0.5).save(tmp_path / "other.png")
    answers = {
        model.rewrite(Request(instruction="say", text=text, picture=shown))
        for text in ("a man", "some woman in a hat")
        for shown in (path, tmp_path / "other.png", None)
    }
    assert len(answers) > 1
    assert "say" not in with_picture
    model.close()


def test_it_is_loaded_at_the_first_question_only(folder):
    settings = load_settings(
        "tpige-paper", ["prompt.rewriter=local", f"prompt.model={folder}", "prompt.max_tokens=4"], tiny=True
    )
    lazy = LazyLocalRewriter({"rewriter": Found(path=folder, revision="r")}, settings)
    assert lazy.name.endswith(" r")
    assert lazy._model is None
    assert lazy.rewrite(Request(instruction="i", text="t"))
    assert lazy._model is not None
    lazy.close()
    assert lazy._model is None


def test_a_folder_without_a_model_is_named(tmp_path):
    with pytest.raises(ModelsMissing, match="cannot be loaded") as raised:
        LocalRewriter(tmp_path, PromptSettings(), device="cpu", dtype="float32")
    assert str(tmp_path) in str(raised.value)
