"""Tokens against transformers' CLIPTokenizer, and windows that lose nothing."""

from __future__ import annotations

import math

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from open_clip.tokenizer import SimpleTokenizer

from ipvg_eval.metrics.clip.tokens import CONTEXT, ClipTokenizer, PromptTokens

_TOKENIZER = ClipTokenizer()
_TEXT = st.text(
    alphabet=st.one_of(
        st.characters(min_codepoint=32, max_codepoint=126),
        st.sampled_from("áéñçüß’‘“”—–…\n\t\u00a0雨夜のかé\u0301\U0001f642€£½"),
    ),
    max_size=120,
)


def _ids(tokens: PromptTokens) -> list[int]:
    return [tokens.start, *tokens.content, tokens.end]


def test_the_same_tokens_as_transformers(prompt, hugging_face_tokenizer):
    expected = hugging_face_tokenizer(prompt).input_ids
    tokens = _TOKENIZER(prompt)
    assert _ids(tokens) == expected
    assert tokens.count == len(expected)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=_TEXT)
def test_the_same_tokens_as_transformers_on_any_text(text, hugging_face_tokenizer):
    assert _ids(_TOKENIZER(text)) == hugging_face_tokenizer(text).input_ids


def test_curly_quotes_are_kept_where_open_clip_straightens_them(hugging_face_tokenizer):
    text = "a woman’s “quiet” café"
    assert list(_TOKENIZER(text).content) != SimpleTokenizer().encode(text)
    assert _ids(_TOKENIZER(text)) == hugging_face_tokenizer(text).input_ids


def test_the_published_truncation(prompt, hugging_face_tokenizer):
    expected = hugging_face_tokenizer(prompt, truncation=True, max_length=77).input_ids
    tokens = _TOKENIZER(prompt)
    assert list(tokens.truncated()) == expected
    assert tokens.cut_off == max(0, len(hugging_face_tokenizer(prompt).input_ids) - 77)


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 1000))
def test_windows_hold_every_token_once(length):
    tokens = PromptTokens(content=tuple(range(length)), start=-1, end=-2)
    windows = tokens.windows()
    assert [token for window in windows for token in window[1:-1]] == list(range(length))
    assert all(window[0] == -1 and window[-1] == -2 and len(window) <= CONTEXT for window in windows)
    assert len(windows) == max(1, math.ceil(length / 75))
    sizes = [len(window) for window in windows]
    assert max(sizes) - min(sizes) <= 1
    if length <= 75:
        assert windows == [tokens.truncated()]


def test_prompts_of_the_shared_test_set(shared_data, hugging_face_tokenizer):
    prompts = sorted(shared_data.glob("testset_folder/*/prompt*.txt"))
    assert prompts
    for path in prompts:
        text = path.read_text(encoding="utf-8")
        assert _ids(_TOKENIZER(text)) == hugging_face_tokenizer(text).input_ids, path.name
