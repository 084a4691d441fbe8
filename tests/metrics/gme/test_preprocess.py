"""Patches against transformers' slow Qwen2-VL processor."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image
from transformers import Qwen2VLImageProcessorPil

from ipvg_eval.metrics.clip.preprocess import CLIP_MEAN, CLIP_STD
from ipvg_eval.metrics.gme.preprocess import Patches, frame_patches, patch_values, resized
from ipvg_eval.metrics.upload import Normalisation, upload


def values_of(patches: Patches) -> np.ndarray:
    """What Qwen2-VL's vision tower gets, on the CPU."""
    cpu = torch.device("cpu")
    return patch_values(Normalisation(CLIP_MEAN, CLIP_STD, cpu)(upload(patches.pixels, cpu))).numpy()


@pytest.mark.parametrize(
    ("shape", "first", "tokens"),
    [
        ((480, 512), (476, 504), 306),  # 17 * 18
        ((256, 256), (252, 252), 256),  # enlarged to 448 x 448
        ((100, 333), (112, 336), 280),  # 4 * 12 tokens, grown by sqrt(256 / 48): 9.2 * 27.7 -> 10 * 28
    ],
)
def test_equal_to_the_slow_processor(shape, first, tokens):
    frame = np.ascontiguousarray(skimage.data.astronaut()[: shape[0], : shape[1]])
    loaded = Image.fromarray(frame).resize((first[1], first[0]), Image.Resampling.BICUBIC)
    processor = Qwen2VLImageProcessorPil(min_pixels=256 * 784, max_pixels=1280 * 784)
    expected = processor(images=[loaded], return_tensors="np")
    patches = frame_patches(frame)
    assert np.array_equal(values_of(patches), expected["pixel_values"])
    assert [1, patches.grid_height, patches.grid_width] == expected["image_grid_thw"][0].tolist()
    assert patches.tokens == tokens


def test_a_large_frame_is_resampled_twice():
    frame = np.tile(skimage.data.astronaut(), (3, 4, 1))[:1080, :1920]
    twice = Image.fromarray(frame).resize((1932, 1092), Image.Resampling.BICUBIC)
    twice = twice.resize((1316, 728), Image.Resampling.BICUBIC)
    once = Image.fromarray(frame).resize((1316, 728), Image.Resampling.BICUBIC)
    found = resized(frame)
    assert np.array_equal(found, np.asarray(twice))
    assert not np.array_equal(found, np.asarray(once))


def test_the_four_patches_of_a_token_are_neighbours_and_times_repeat():
    # Every 14 x 14 patch of a 448 x 448 frame has its own grey, so that its place can be read back.
    grid = np.arange(32 * 32).reshape(32, 32) % 251
    frame = np.repeat(np.repeat(grid, 14, 0), 14, 1).astype(np.uint8)[..., None].repeat(3, axis=2)
    patches = frame_patches(frame)
    shaped = values_of(patches).reshape(-1, 3, 2, 14, 14)
    assert np.array_equal(shaped[:, :, 0], shaped[:, :, 1])
    greys = np.rint((shaped[:, 0, 0, 7, 7] * 0.26862954 + 0.48145466) * 255).astype(int)
    first_token = [grid[0, 0], grid[0, 1], grid[1, 0], grid[1, 1]]
    second_token = [grid[0, 2], grid[0, 3], grid[1, 2], grid[1, 3]]
    assert greys[:8].tolist() == first_token + second_token
