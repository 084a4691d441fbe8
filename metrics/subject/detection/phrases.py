"""Labels as the one text that Grounding DINO reads: "man. ball."."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.third_party import published_module

START: Final = 101
END: Final = 102
FULL_STOP: Final = 1012
UNKNOWN: Final = 100
"""Ids of [CLS], [SEP], "." and [UNK] in BERT's vocabulary; the network itself looks for the first three."""

CONTEXT: Final = 256
"""Tokens the network reads."""

PHRASE: Final = 32
"""Tokens of a label that are read; labels of a sample then share few texts."""

_DELIMITERS: Final = str.maketrans(".?", "  ")
_FIRST_LETTER: Final = 2000


@dataclass(frozen=True, kw_only=True)
class Text:
    """Labels that are read together.

    Attributes:
        ids: token ids, [CLS] and [SEP] included, at most `CONTEXT`.
        labels: positions of the labels among those asked for.
        spans: for each of them first and last + 1 of its tokens, the full stop after it not counted.
    """

    ids: tuple[int, ...]
    labels: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]


class PhraseTokenizer:
    """Labels to texts, with a tokenizer of BERT's kind (package tokenizers)."""

    def __init__(self, tokenizer: Any) -> None:
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = tokenizer

    @classmethod
    def load(cls, folder: Path) -> PhraseTokenizer:
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
    def letters_only(cls) -> PhraseTokenizer:
        """A stand-in for runs with random weights: a token per ASCII letter or digit, BERT's control ids."""
        tokenizers = published_module("tokenizers", package="tokenizers")
        letters = string.ascii_lowercase + string.digits + "'-"
        pieces = [*letters, *(f"##{letter}" for letter in letters)]
        vocabulary = {piece: number for number, piece in enumerate(pieces, start=_FIRST_LETTER)}
        vocabulary |= {"[PAD]": 0, "[UNK]": UNKNOWN, "[CLS]": START, "[SEP]": END, ".": FULL_STOP, "?": 1029}
        tokenizer = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocabulary))
        tokenizer.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=True)
        tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
        return cls(tokenizer)

    def save(self, path: Path) -> None:
        """Write it as a tokenizer.json."""
        self._tokenizer.save(str(path))

    def phrase(self, label: str) -> list[int]:
        """All token ids of a label; full stops and question marks inside it would end it and are left out."""
        text = label.translate(_DELIMITERS).strip().lower()
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids or [UNKNOWN]

    def texts(self, labels: Sequence[str]) -> list[Text]:
        """Labels in as few texts as hold them, in their order."""
        texts: list[Text] = []
        ids, members, spans = [START], list[int](), list[tuple[int, int]]()
        for position, label in enumerate(labels):
            phrase = self.phrase(label)[:PHRASE]
            if len(ids) + len(phrase) + 2 > CONTEXT:
                texts.append(Text(ids=(*ids, END), labels=tuple(members), spans=tuple(spans)))
                ids, members, spans = [START], [], []
            members.append(position)
            spans.append((len(ids), len(ids) + len(phrase)))
            ids += [*phrase, FULL_STOP]
        texts.append(Text(ids=(*ids, END), labels=tuple(members), spans=tuple(spans)))
        return texts
