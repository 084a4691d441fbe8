"""Actions nobody asked for, about the subjects and the scene of a sample."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np

from ipvg_eval.metrics.target import Target
from ipvg_eval.metrics.timeline.alignment.event_grid import SAME_ACTION
from ipvg_eval.metrics.timeline.scorers.text_video_scorer import TextVideoScorer

_FILE = "everyday_actions.txt"
_SCENE = re.compile(
    r"\b(?:in|on|at|inside|near|beside|under|along|by|before|behind) "
    r"(?:the|a|an|his|her|their|its) [^.,;:!?]{3,40}",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class Distractors:
    """The distractors of one sample.

    Attributes:
        texts: without those that say much the same as a prompted action.
        left_out: how many those were.
        cut: how many of the texts are longer than the scorer reads, as those of a very long label are.
    """

    texts: tuple[str, ...]
    left_out: int
    cut: int

    @property
    def note(self) -> str:
        """How many there are, the beginning of the hash of their texts, and what became of them."""
        digest = hashlib.sha256("\n".join(self.texts).encode()).hexdigest()[:12]
        notes = [f"against {len(self.texts)} distractors, sha256 {digest}"]
        if self.left_out:
            notes.append(f"{self.left_out} left out, too like a prompted action")
        if self.cut:
            notes.append(f"{self.cut} of them were longer than the scorer reads and were cut")
        return "; ".join(notes)


@cache
def everyday_actions() -> tuple[str, ...]:
    """The project's list, each as it follows "somebody is"."""
    return tuple((resources.files("ipvg_eval.metrics.timeline") / _FILE).read_text("utf-8").split("\n")[:-1])


def actions_sha256() -> str:
    """Hash of the list."""
    return hashlib.sha256("\n".join(everyday_actions()).encode()).hexdigest()


def distractors_for(target: Target, actions: Sequence[str], scorer: TextVideoScorer) -> Distractors:
    """Every action of the list, done by the sample's subjects.

    The scene of the prompt is added where the actions' own texts name it: a text that names the scene fits
    every
    frame better than one that does not. A scorer that knows some texts only has its other texts instead.

    Args:
        target: the sample.
        actions: the prompted actions; at least one.
        scorer: whose text embeddings tell which texts say the same.
    """
    if scorer.known_texts is not None:
        prompted = {text.casefold() for text in actions}
        texts = [text for text in scorer.known_texts if text.casefold() not in prompted]
    else:
        subjects, verb = _subjects(target)
        place = _scene(target.prompt, actions)
        texts = [f"{subjects} {verb} {action}{place}" for action in everyday_actions()]
    if not texts:
        return Distractors(texts=(), left_out=0, cut=0)
    scorer.learn(texts)
    cosines = scorer.text_cosines([*texts, *dict.fromkeys(actions)])[: len(texts), len(texts) :]
    kept = np.flatnonzero(cosines.max(axis=1) <= SAME_ACTION)
    left = tuple(texts[i] for i in kept)
    cut = sum(scorer.cut_off(text) for text in left)
    return Distractors(texts=left, left_out=len(texts) - len(kept), cut=cut)


def _subjects(target: Target) -> tuple[str, str]:
    labels = (reference.label.strip() for reference in target.references if reference.label)
    names = [label for label in dict.fromkeys(labels) if label]
    if not names:
        return "someone", "is"
    return " and ".join(names), "is" if len(names) == 1 else "are"


def _scene(prompt: str, actions: Sequence[str]) -> str:
    """The last place that the prompt names, if at least half of the actions name it as well; else nothing."""
    places = _SCENE.findall(prompt)
    if not places:
        return ""
    place = places[-1].strip()
    word = place.split()[-1].casefold()
    naming = sum(word in action.casefold() for action in actions)
    return f" {place}" if 2 * naming >= len(actions) else ""
