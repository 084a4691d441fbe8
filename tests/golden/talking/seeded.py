"""The same weights, crops and sound for the published network and for ours."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

FRAMES = 32
"""Frames of the stack; the published script makes 27 windows of it."""


def fill(state: Mapping[str, torch.Tensor]) -> None:
    """Fill a state dict in place, by the names of its tensors."""
    for name in sorted(state):
        rng = np.random.default_rng([ord(letter) for letter in name])
        tensor = state[name]
        if not tensor.is_floating_point():
            continue
        if tensor.ndim > 1:
            values = rng.normal(0, np.sqrt(2 / np.prod(tensor.shape[1:])), tensor.shape)
        elif name.endswith(("running_var", "weight")):
            values = rng.uniform(0.8, 1.2, tensor.shape)
        else:
            values = rng.normal(0, 0.1, tensor.shape)
        tensor.copy_(torch.from_numpy(np.asarray(values, np.float32)))


def crops() -> np.ndarray:
    """Coloured waves that move: (FRAMES, 224, 224, 3) uint8, red, green, blue."""
    rows, columns = np.mgrid[:224, :224]
    frames = []
    for number in range(FRAMES):
        waves = [
            np.sin((rows * (channel + 1) + columns * 2) / 17 + number * 0.7 * (channel + 1))
            for channel in range(3)
        ]
        frames.append(np.stack(waves, axis=-1))
    return np.rint(127.5 + 120 * np.stack(frames)).astype(np.uint8)


def sound() -> np.ndarray:
    """A sweep with noise: int16 at 16 kHz, as long as the frames at 25 per second."""
    time = np.arange(FRAMES * 640) / 16000
    noise = np.random.default_rng(0).normal(0, 300, len(time))
    return np.rint(6000 * np.sin(2 * np.pi * (150 + 900 * time) * time) + noise).astype(np.int16)


def clip() -> np.ndarray:
    """16 frames for I3D, (16, 224, 224, 3) float32 in [-1, 1]."""
    return np.asarray(crops()[:16], np.float32) / 127.5 - 1
