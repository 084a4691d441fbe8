"""Pixels against transformers' slow CLIP processor, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image
from transformers import CLIPImageProcessorPil

from ipvg_eval.metrics.clip.preprocess import CLIP_MEAN, CLIP_STD, clip_pixels, resized_size
from ipvg_eval.metrics.upload import Normalisation, planar, upload


def network_input(frame):
    """What CLIP's image tower gets, on the CPU."""
    cpu = torch.device("cpu")
    pixels = upload(clip_pixels(frame)[None], cpu)
    return planar(Normalisation(CLIP_MEAN, CLIP_STD, cpu)(pixels))[0].numpy()


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        (832, 480, (388, 224)),  # 224 * 832 / 480 = 388.27
        (480, 832, (224, 388)),
        (1280, 720, (398, 224)),  # 398.22
        (224, 224, (224, 224)),
        (101, 100, (226, 224)),  # 226.24: small pictures are enlarged
    ],
)
def test_sizes_worked_out_by_hand(width, height, expected):
    assert resized_size(width, height) == expected


@pytest.mark.parametrize("shape", [(480, 512), (512, 333), (225, 224), (97, 101), (300, 450)])
def test_equal_to_the_slow_processor(shape):
    frame = skimage.data.astronaut()[: shape[0], : shape[1]]
    frame = np.ascontiguousarray(frame)
    expected = CLIPImageProcessorPil()(images=[Image.fromarray(frame)], return_tensors="np").pixel_values[0]
    assert np.array_equal(network_input(frame), expected)


def test_a_uniform_frame_has_the_closed_form_value():
    grey = np.full((300, 500, 3), 128, dtype=np.uint8)
    expected = [(128 / 255 - m) / s for m, s in
                [(0.48145466, 0.26862954), (0.4578275, 0.26130258), (0.40821073, 0.27577711)]]  # fmt: skip
    pixels = network_input(grey)
    assert pixels.shape == (3, 224, 224)
    np.testing.assert_allclose(pixels[:, 10, 200], expected, rtol=1e-5)
    assert np.ptp(pixels.reshape(3, -1), axis=1).max() == 0
