"""I3D against the published network code (i3d.npz, see its maker), and what it is given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from ipvg_eval.metrics.talking.i3d import I3d, I3dEncoder, clip_pixels

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "talking" / "i3d.npz"


def test_logits_are_the_published_ones(seeded, tmp_path, file_runtime):
    network = I3d()
    with torch.no_grad():
        seeded.fill(network.state_dict())
    torch.save(network.state_dict(), tmp_path / "i3d.pt")
    encoder = I3dEncoder(file_runtime(i3d_kinetics_400=tmp_path / "i3d.pt"))
    with np.load(GOLDEN) as file:
        expected = file["logits"]
    # float32 through some twenty layers.
    assert encoder.logits(seeded.clip()) == pytest.approx(expected, abs=1e-4 * float(np.abs(expected).max()))


def test_other_ranges_are_refused(i3d, seeded):
    with pytest.raises(ValueError, match="in \\[-1, 1\\]"):
        i3d.logits(127.5 * (seeded.clip() + 1))


@pytest.mark.parametrize(("height", "width"), [(224, 224), (256, 256), (300, 500), (500, 300)])
def test_pixels_are_the_middle_square_from_minus_1_to_1(height, width):
    frame = np.zeros((height, width, 3), np.uint8)
    frame[height // 2 :] = 255
    pixels = clip_pixels(frame)
    assert pixels.shape == (224, 224, 3)
    assert pixels.dtype == np.float32
    # Weights of bilinear scaling add up to one within float32.
    assert pixels[:110] == pytest.approx(-1, abs=1e-6)
    assert pixels[114:] == pytest.approx(1, abs=1e-6)
