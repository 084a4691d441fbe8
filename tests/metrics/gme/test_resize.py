"""Sizes after GME's two resizes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers.models.qwen2_vl.image_processing_qwen2_vl import smart_resize

from ipvg_eval.metrics.gme.resize import Size, loader_size, processor_size, smart_size


@pytest.mark.parametrize(
    ("frame", "first", "second", "tokens"),
    [
        # By hand for 480 x 720: 480/28 = 17.14 -> 17, 720/28 = 25.7 -> 26; 17 * 26 = 442.
        ((480, 720), (476, 728), (476, 728), 442),
        ((480, 832), (476, 840), (476, 840), 510),
        ((720, 1280), (728, 1288), (728, 1288), 1196),
        ((1080, 1920), (1092, 1932), (728, 1316), 1222),
        ((256, 256), (252, 252), (448, 448), 256),
    ],
)
def test_published_examples(frame, first, second, tokens):
    assert loader_size(Size(*frame)) == first
    assert processor_size(loader_size(Size(*frame))) == second
    assert processor_size(loader_size(Size(*frame))).tokens == tokens


@settings(deadline=None, max_examples=300)
@given(st.integers(28, 4000), st.integers(28, 4000))
def test_the_second_resize_is_the_processors(height, width):
    expected = smart_resize(height, width, factor=28, min_pixels=256 * 784, max_pixels=1280 * 784)
    if max(height, width) / min(height, width) < 100:
        assert processor_size(Size(height, width)) == expected


@settings(deadline=None, max_examples=300)
@given(st.integers(1, 6000), st.integers(1, 6000))
def test_sizes_are_whole_tokens_within_limits(height, width):
    size = smart_size(Size(height, width), min_tokens=4, max_tokens=16384)
    assert size.height % 28 == size.width % 28 == 0
    assert min(size) >= 28
    assert size.tokens <= 16384 or max(size) / min(size) == 200
    assert size.tokens >= 4
    assert max(size) / min(size) <= 200


def test_very_long_strips_are_cut_to_a_ratio_of_200():
    assert loader_size(Size(28, 28 * 300)) == (28, 28 * 200)
    assert loader_size(Size(28 * 300, 28)) == (28 * 200, 28)
