"""GME's chat template and the tokens it becomes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.third_party import published_module

DEFAULT_INSTRUCTION: Final = "You are a helpful assistant."
TPIGE_INSTRUCTION: Final = "Find frames that match the given text description."
OPENS2V_INSTRUCTION: Final = "Find an image that matches the given text."
"""System turns: GME's own (frames), and those of TPIGE's and OpenS2V's scripts (prompts)."""

MAX_TOKENS: Final = 1800

IMAGE_PAD: Final = "<|image_pad|>"
IMAGE_TURN: Final = f"<|vision_start|>{IMAGE_PAD}<|vision_end|>"

SPECIAL_TOKENS: Final = {
    "<|endoftext|>": 151643,
    "<|im_start|>": 151644,
    "<|im_end|>": 151645,
    "<|vision_start|>": 151652,
    "<|vision_end|>": 151653,
    "<|vision_pad|>": 151654,
    "<|image_pad|>": 151655,
    "<|video_pad|>": 151656,
}
"""Qwen2-VL's control tokens and their ids."""


def chat(user: str, *, instruction: str) -> str:
    """A system turn with the instruction, a user turn, an opened answer and the token that is read out.

    Source: OpenS2V-Nexus eval/utils/gme/gme_model.py line 130 @b452831, equal to GME's remote code.
    """
    return (
        f"<|im_start|>system\n{instruction}<|im_end|>\n"
        f"<|im_start|>user\n{user}<|im_end|>\n"
        "<|im_start|>assistant\n<|endoftext|>"
    )


class GmeTokenizer:
    """Prompts and frames as token ids.

    Attributes:
        image_pad: id of the token that stands for one image token.
        pad: id of the token that fills short rows.
    """

    def __init__(self, tokenizer: Any) -> None:
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        self.image_pad: int = tokenizer.token_to_id(IMAGE_PAD)
        self.pad: int = tokenizer.token_to_id("<|endoftext|>")

    @classmethod
    def load(cls, folder: Path) -> GmeTokenizer:
        """The tokenizer of a snapshot folder, from its tokenizer.json.

        Raises:
            WeightsMissing: the file or the package tokenizers is not there.
        """
        path = folder / "tokenizer.json"
        if not path.is_file():
            raise WeightsMissing(
                f"{path}: the snapshot has no tokenizer.json", hint="Run: ipvg-eval weights verify"
            )
        return cls(published_module("tokenizers", package="tokenizers").Tokenizer.from_file(str(path)))

    @classmethod
    def bytes_only(cls, special_tokens: dict[str, int] = SPECIAL_TOKENS) -> GmeTokenizer:
        """A stand-in for runs with random weights: one token per UTF-8 byte, Qwen2-VL's control tokens."""
        tokenizers = published_module("tokenizers", package="tokenizers")
        letters = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
        vocabulary = {letter: number for number, letter in enumerate(letters)} | special_tokens
        tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE(vocab=vocabulary, merges=[]))
        tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        tokenizer.add_special_tokens(list(special_tokens))
        return cls(tokenizer)

    @property
    def backend(self) -> Any:
        """The tokenizer of the package tokenizers, which neither cuts nor pads."""
        return self._tokenizer

    def save(self, path: Path) -> None:
        """Write it as a tokenizer.json."""
        self._tokenizer.save(str(path))

    def text(self, prompt: str, *, instruction: str) -> list[int]:
        """All token ids of a prompt's conversation; the encoder reads the first 1800."""
        return self._encode(chat(prompt, instruction=instruction))

    def image(self, tokens: int) -> list[int]:
        """Token ids of a frame's conversation with `tokens` image tokens, under GME's own instruction."""
        ids: list[int] = []
        for token in self._encode(chat(IMAGE_TURN, instruction=DEFAULT_INSTRUCTION)):
            ids.extend([token] * (tokens if token == self.image_pad else 1))
        return ids

    def _encode(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids
