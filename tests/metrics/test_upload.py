"""Pixels arrive as they are and become the same numbers as before."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest
import torch
from torchvision.transforms.functional import normalize, to_tensor

from ipvg_eval.metrics.upload import Normalisation, Uploads, planar, upload

CPU = torch.device("cpu")
MEAN, DEVIATION = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


@pytest.fixture(scope="module")
def every_byte():
    """(16, 16, 3): every value in every channel."""
    return np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)


def test_every_byte_is_normalised_as_numpy_and_torchvision_do(every_byte):
    found = Normalisation(MEAN, DEVIATION, CPU)(upload(every_byte, CPU))
    assert found.dtype == torch.float32
    mean, deviation = (np.array(values, dtype=np.float32) for values in (MEAN, DEVIATION))
    assert np.array_equal(found.numpy(), (every_byte.astype(np.float32) / np.float32(255) - mean) / deviation)
    # transformers' slow processors multiply by 1/255 in float64 and round once
    rounded_once = (every_byte.astype(np.float64) * (1 / 255)).astype(np.float32)
    assert np.array_equal(found.numpy(), (rounded_once - mean) / deviation)
    assert torch.equal(planar(found[None])[0], normalize(to_tensor(every_byte), MEAN, DEVIATION))


def test_pixels_are_left_alone(every_byte):
    before = every_byte.copy()
    there = upload(every_byte, CPU)
    Normalisation(MEAN, DEVIATION, CPU)(there)
    assert there.dtype == torch.uint8
    assert np.array_equal(every_byte, before)
    assert np.array_equal(there.numpy(), before)


@pytest.mark.parametrize("view", [lambda a: a[::-1], lambda a: a[..., ::-1], lambda a: a[:, 3:9]])
def test_views_and_read_only_pictures_are_taken(every_byte, view):
    locked = every_byte.copy()
    locked.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        there = upload(view(locked), CPU)
    assert there.is_contiguous()
    assert np.array_equal(there.numpy(), view(every_byte))


def test_planes_are_contiguous():
    planes = planar(torch.arange(24, dtype=torch.uint8).reshape(1, 2, 4, 3))
    assert planes.shape == (1, 3, 2, 4)
    assert planes.is_contiguous()
    assert planes[0, :, 0, 0].tolist() == [0, 1, 2]


def test_a_frame_of_two_pairs_crosses_once(monkeypatch):
    crossed = []
    monkeypatch.setattr(
        "ipvg_eval.metrics.upload.upload", lambda pixels, device: crossed.append(1) or upload(pixels, device)
    )
    frames = [np.full((2, 2, 3), level, dtype=np.uint8) for level in range(4)]
    uploads = Uploads(CPU)
    for first, second in itertools.pairwise(frames):
        found = uploads(first, second)
        assert [int(frame[0, 0, 0]) for frame in found] == [first[0, 0, 0], second[0, 0, 0]]
    assert len(crossed) == len(frames)
    uploads(frames[0], frames[2])
    assert len(crossed) == len(frames) + 2, "an equal frame of another pair is another frame"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_a_gpu_gets_the_same_bytes_and_numbers(every_byte):
    gpu = torch.device("cuda:0")
    there = upload(every_byte, gpu)
    assert there.device.type == "cuda"
    assert np.array_equal(there.cpu().numpy(), every_byte)
    here = Normalisation(MEAN, DEVIATION, CPU)(upload(every_byte, CPU))
    assert torch.equal(Normalisation(MEAN, DEVIATION, gpu)(there).cpu(), here)
