"""The question that is put about an event, as tokens. The wording is part of the metric's version."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.gme.tokens import GmeTokenizer
from ipvg_eval.metrics.snapshots import VERIFY

QUESTION_VERSION: Final = 1
"""Raised with every change of the wording, the answers, the frames or their size."""

SYSTEM: Final = "You are a helpful assistant."
"""The system turn that Qwen2-VL and Qwen2.5-VL put in where nobody gives one; Qwen3-VL puts in none."""

ANSWERS: Final = (("Yes", "yes"), ("No", "no"))
"""Spellings whose first tokens count as yes and as no."""

VIDEO_PAD: Final = "<|video_pad|>"


def question(action: str) -> str:
    """What is asked under the frames."""
    return (
        "These are frames of a video in order of time. "
        f'Does the video show the following: "{action}"? '
        "Answer with one word, yes or no."
    )


class QuestionTokenizer:
    """Token ids of the conversation, in the chat format of Qwen's vision-language models.

    Attributes:
        video_pad: id of the token that stands for one patch of the video.
        yes: ids of the first tokens that mean yes.
        no: ids of those that mean no.
        filler: id of the token behind the end of a shorter conversation, where nothing reads it.
    """

    def __init__(self, tokenizer: Any) -> None:
        # Control tokens are put in by id, never read from text.
        tokenizer.encode_special_tokens = True
        self._tokenizer = tokenizer
        self.video_pad: int = tokenizer.token_to_id(VIDEO_PAD)
        self.filler: int = tokenizer.token_to_id("<|im_end|>")
        self.yes, self.no = (sorted({self._text(word)[0] for word in words}) for words in ANSWERS)
        if set(self.yes) & set(self.no):
            raise WeightsMissing("the tokenizer cannot tell yes from no", hint=VERIFY)

    @classmethod
    def load(cls, folder: Path) -> QuestionTokenizer:
        """From the tokenizer.json of a snapshot folder.

        Raises:
            WeightsMissing: the file or the package tokenizers is not there.
        """
        return cls(GmeTokenizer.load(folder).backend)

    @classmethod
    def bytes_only(cls) -> QuestionTokenizer:
        """A stand-in for runs with random weights: one token per UTF-8 byte, Qwen2-VL's control tokens."""
        return cls(GmeTokenizer.bytes_only().backend)

    def conversation(
        self, action: str, *, patches: int, stamps: Sequence[float] = (), system: bool = True
    ) -> list[int]:
        """System turn, the video and the question about it, and an opened answer.

        Control tokens inside the action's text are read as plain text, and no text is cut.

        Args:
            action: the event's description.
            patches: tokens that the video takes.
            stamps: seconds named before each part of the video, which is then fenced by itself; empty for one
                fence around the whole.
            system: whether it opens with a system turn.
        """
        control = self._tokenizer.token_to_id
        start, end = control("<|im_start|>"), control("<|im_end|>")
        turn = self._text("\n")
        opening = [start, *self._text(f"system\n{SYSTEM}"), end, *turn] if system else []
        asked = [*self._text(question(action)), end, *turn]
        named = [f"<{seconds:.1f} seconds>" for seconds in stamps] or [""]
        video: list[int] = []
        for place, name in enumerate(named):
            before = f"user\n{name}" if place == 0 else name
            fenced = [self.video_pad] * (patches // len(named))
            video += [*self._text(before), control("<|vision_start|>"), *fenced, control("<|vision_end|>")]
        return [*opening, start, *video, *asked, start, *self._text("assistant\n")]

    def _text(self, text: str) -> Sequence[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids
