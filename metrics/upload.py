"""The way of pixels to a network: as bytes to its device, as numbers only there."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

Pixels = npt.NDArray[np.uint8]


def upload(pixels: Pixels, device: torch.device) -> torch.Tensor:
    """Pixels on a device, as they are.

    One byte per value crosses to a GPU, from pinned memory, and the caller does not wait for it: whatever
    is done with the tensor afterwards runs behind the copy, and the pinned memory is kept until it is done.

    Args:
        pixels: uint8 of any shape; the caller may change it as soon as this returns.
        device: where to.

    Returns:
        uint8 of the same shape, contiguous. On the CPU it may share the array's memory.
    """
    there = torch.from_numpy(np.require(pixels, requirements=["C", "W"]))
    if device.type != "cuda":
        return there.to(device)
    return there.pin_memory().to(device, non_blocking=True)


class Uploads:
    """Uploads single frames to one device, and remembers the one before.

    Networks that look at pairs of frames see every frame twice; it crosses once.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._last: tuple[Pixels, torch.Tensor] | None = None

    def __call__(self, first: Pixels, second: Pixels) -> tuple[torch.Tensor, torch.Tensor]:
        """Both frames, of which the first may have been the second of the call before.

        Args:
            first: uint8, not changed since it was uploaded.
            second: uint8, not to be changed while this object lives.
        """
        known = self._last
        there = known[1] if known is not None and known[0] is first else upload(first, self._device)
        self._last = second, upload(second, self._device)
        return there, self._last[1]


class Normalisation:
    """(pixel / 255 - mean) / deviation per channel, in float32, on the pixels' device.

    Equal to the last bit to the same in numpy and torchvision on a CPU. The divisors are tensors: a GPU
    multiplies by a rounded reciprocal where it is told to divide by a number.
    """

    def __init__(self, mean: tuple[float, ...], deviation: tuple[float, ...], device: torch.device) -> None:
        self._white = torch.tensor(255.0, device=device)
        self._mean = torch.tensor(mean, dtype=torch.float32, device=device)
        self._deviation = torch.tensor(deviation, dtype=torch.float32, device=device)

    def __call__(self, pixels: torch.Tensor) -> torch.Tensor:
        """(..., channels) uint8 to (..., channels) float32."""
        return pixels.float().div_(self._white).sub_(self._mean).div_(self._deviation)


def planar(pictures: torch.Tensor) -> torch.Tensor:
    """(n, height, width, channels) to (n, channels, height, width), contiguous.

    Kernels for interleaved channels round differently from those for planes.
    """
    return pictures.permute(0, 3, 1, 2).contiguous()
