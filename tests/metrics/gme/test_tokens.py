"""The chat template and its tokens."""

from __future__ import annotations

import pytest

from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.gme.tokens import (
    DEFAULT_INSTRUCTION,
    OPENS2V_INSTRUCTION,
    SPECIAL_TOKENS,
    TPIGE_INSTRUCTION,
    GmeTokenizer,
    chat,
)


def test_the_instructions_letter_by_letter():
    assert DEFAULT_INSTRUCTION == "You are a helpful assistant."
    assert TPIGE_INSTRUCTION == "Find frames that match the given text description."
    assert OPENS2V_INSTRUCTION == "Find an image that matches the given text."


def test_the_conversation_letter_by_letter():
    assert chat("a dog", instruction="Find it.") == (
        "<|im_start|>system\nFind it.<|im_end|>\n<|im_start|>user\na dog<|im_end|>\n"
        "<|im_start|>assistant\n<|endoftext|>"
    )


def test_a_frame_is_so_many_image_tokens_between_its_marks():
    tokenizer = GmeTokenizer.bytes_only()
    ids = tokenizer.image(442)
    assert ids.count(SPECIAL_TOKENS["<|image_pad|>"]) == 442
    start = ids.index(SPECIAL_TOKENS["<|vision_start|>"])
    assert ids[start + 1 : start + 443] == [151655] * 442
    assert ids[start + 443] == SPECIAL_TOKENS["<|vision_end|>"]
    assert ids[0] == SPECIAL_TOKENS["<|im_start|>"]
    assert ids[-1] == SPECIAL_TOKENS["<|endoftext|>"]


def test_the_stand_in_has_one_token_per_byte():
    tokenizer = GmeTokenizer.bytes_only()
    empty = tokenizer.text("", instruction="")
    assert len(tokenizer.text("né \U0001f642", instruction="")) - len(empty) == len("né \U0001f642".encode())
    assert set(SPECIAL_TOKENS.values()).isdisjoint(range(256))


def test_a_saved_tokenizer_reads_the_same(tmp_path):
    tokenizer = GmeTokenizer.bytes_only()
    tokenizer.save(tmp_path / "tokenizer.json")
    again = GmeTokenizer.load(tmp_path)
    text = "A man’s café"
    assert again.text(text, instruction="x") == tokenizer.text(text, instruction="x")
    assert again.image_pad == 151655


def test_a_snapshot_without_a_tokenizer_says_so(tmp_path):
    with pytest.raises(WeightsMissing, match=r"tokenizer\.json"):
        GmeTokenizer.load(tmp_path)
