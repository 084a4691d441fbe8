"""Which actions nobody asked for a sample is compared with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ipvg_eval.metrics.timeline.distractors import distractors_for, everyday_actions
from ipvg_eval.metrics.timeline.scorers.text_video_scorer import EmbeddingScorer


class _Letters:
    """Texts as counts of their letters, so that nearly equal texts lie close; notes what it is asked."""

    knows_neutral_text = True
    known_texts = None
    weights = {}  # noqa: RUF012

    def __init__(self):
        self.asked = []

    def texts(self, texts):
        self.asked += texts
        codes = [[text.count(chr(c)) for c in range(32, 123)] for text in texts]
        return np.array(codes, dtype=np.float32) - 0.5

    def cut_off(self, text):
        return len(text) > 80

    def images(self, prepared):
        raise NotImplementedError


def test_the_list_is_of_many_different_actions():
    actions = everyday_actions()
    assert 200 <= len(actions) == len(set(actions)) <= 250
    assert all(action == action.strip() for action in actions)
    assert all("ing" in action for action in actions if "-" not in action)


def test_the_subjects_do_every_action(labelled):
    scorer = EmbeddingScorer(_Letters(), 8)
    one = distractors_for(labelled("dog"), ["XYZ"], scorer)
    assert one.texts[0] == f"dog is {everyday_actions()[0]}"
    two = distractors_for(labelled("dog", "ball", "dog"), ["XYZ"], scorer)
    assert two.texts[0] == f"dog and ball are {everyday_actions()[0]}"
    for unnamed in (labelled(None), labelled("  ")):
        assert distractors_for(unnamed, ["XYZ"], scorer).texts[0].startswith("someone is ")
    assert distractors_for(labelled("男人"), ["XYZ"], scorer).texts[0].startswith("男人 is ")


def test_what_says_nearly_the_same_is_left_out_and_counted(labelled):
    scorer = EmbeddingScorer(_Letters(), 8)
    found = distractors_for(labelled("man"), ["man is juggling."], scorer)
    assert "man is juggling" not in found.texts
    assert found.left_out >= 1
    assert len(found.texts) + found.left_out == len(everyday_actions())
    assert found.note.startswith(f"against {len(found.texts)} distractors, sha256 ")
    assert found.note != distractors_for(labelled("dog"), ["man is juggling."], scorer).note


def test_texts_that_a_long_label_makes_too_long_are_counted(labelled):
    scorer = EmbeddingScorer(_Letters(), 8)
    assert distractors_for(labelled("man"), ["XYZ"], scorer).cut == 0
    found = distractors_for(labelled("man " * 20), ["XYZ"], scorer)
    assert found.cut == len(found.texts)
    assert f"{found.cut} of them were longer than the scorer reads and were cut" in found.note


def test_the_scene_is_added_where_the_actions_name_it(labelled):
    target = replace(labelled("man"), prompt="A man throws and catches a ball in a sunny park.")
    scorer = EmbeddingScorer(_Letters(), 8)
    named = distractors_for(target, ["A man throws a ball in the park", "he waits in the park"], scorer)
    assert named.texts[0].endswith(" in a sunny park")
    unnamed = distractors_for(target, ["A man throws a ball", "he waits"], scorer)
    assert not unnamed.texts[0].endswith("park")


def test_texts_are_encoded_once_for_all_samples(labelled):
    encoder = _Letters()
    scorer = EmbeddingScorer(encoder, 8)
    for _ in range(3):
        distractors_for(labelled("man"), ["XYZ"], scorer)
    assert len(encoder.asked) == len(everyday_actions()) + 1
