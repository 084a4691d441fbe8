"""A tokenizer over a vocabulary that is written by hand."""

from __future__ import annotations

from typing import Any

_WORDS = (
    "a an the man woman person with and in on at of to is are face hair eyes camera light portrait close up "
    "smiles walks sits runs turns looks reads holds stands beach park street room window coat hat video"
)
CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789,.;:-'\"()[]!?"
_SPACE = "\u2581"


def word_tokenizer() -> Any:
    """T5's own tokenizer class over a vocabulary written by hand: words, then single characters."""
    from transformers import T5Tokenizer

    vocabulary = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    vocabulary += [(_SPACE + word, -2.0) for word in sorted(set(_WORDS.split()))]
    vocabulary += [(character, -8.0) for character in (_SPACE, *CHARACTERS)]
    return T5Tokenizer(vocab=vocabulary, extra_ids=0)
