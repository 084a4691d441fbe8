"""The resize by hand-made tables and by vbench's own transform."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvg_eval.metrics.imaging.resize import network_input, resized_sides
from ipvg_eval.metrics.third_party import published_module

MODES = ("longer", "shorter", "shorter_centercrop", "None")


@pytest.mark.parametrize(
    ("before", "mode", "after"),
    [
        ((480, 832), "longer", (295, 512)),  # 295.38
        ((832, 480), "longer", (512, 295)),
        ((720, 1280), "longer", (288, 512)),
        ((1080, 1920), "longer", (288, 512)),
        ((480, 853), "longer", (288, 511)),  # 512 / 853 * 853 falls just short of 512
        ((480, 856), "longer", (287, 511)),  # 287.10
        ((600, 601), "longer", (511, 512)),  # 511.15: truncated
        ((513, 1026), "longer", (256, 512)),
        ((512, 512), "longer", (512, 512)),
        ((100, 500), "longer", (100, 500)),
        ((480, 832), "shorter", (480, 832)),
        ((720, 1280), "shorter", (512, 910)),  # 910.2
        ((720, 1280), "shorter_centercrop", (512, 910)),
        ((720, 1280), "None", (720, 1280)),
    ],
)
def test_table_of_sides(before: tuple[int, int], mode: str, after: tuple[int, int]) -> None:
    assert resized_sides(*before, mode) == after


def test_long_sides_that_come_out_at_511() -> None:
    short = {side for side in range(513, 4097) if resized_sides(100, side)[1] == 511}
    whole = {side for side in range(513, 4097) if resized_sides(100, side)[1] == 512}
    assert len(short) == 470
    assert short | whole == set(range(513, 4097))
    assert {853, 856} <= short
    assert {832, 960, 1024, 1280, 1920} <= whole
    # In IEEE double precision, a side falls short exactly where 512 / side was rounded down so far that
    # the product, rounded to 53 bits below 512, is no longer 512: the exact product is at least half a
    # unit in the last place (2**-44 below 512) under it.
    assert short == {
        side for side in range(513, 4097) if 512 - Fraction(512 / side) * side > Fraction(1, 2**45)
    }


@settings(deadline=None, max_examples=60)
@given(st.integers(8, 1100), st.integers(8, 1100), st.sampled_from(MODES), st.integers(0, 2**32 - 1))
def test_frames_are_vbenchs_to_the_bit(height: int, width: int, mode: str, seed: int) -> None:
    transform = published_module("vbench.imaging_quality", package="vbench").transform
    noise = np.random.default_rng(seed).integers(0, 256, (1, height, width, 3), dtype=np.uint8)
    pixels = torch.Tensor(noise).permute(0, 3, 1, 2)
    assert torch.equal(network_input(pixels, mode), transform(pixels, mode))


def test_frames_resize_alike_alone_and_together(panned) -> None:
    frames = torch.Tensor(panned(300, 853, 4)).permute(0, 3, 1, 2)
    alone = torch.cat([network_input(frame[None]) for frame in frames])
    assert torch.equal(alone, network_input(frames))


def test_a_flat_frame_stays_flat() -> None:
    out = network_input(torch.full((1, 3, 700, 900), 51.0))
    assert out.shape == (1, 3, 398, 512)
    torch.testing.assert_close(out, torch.full_like(out, 0.2))
