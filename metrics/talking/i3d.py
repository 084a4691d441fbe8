"""Inflated 3-D Inception (Carreira and Zisserman 2017), whose 400 logits FVD compares.

Layers and names are those of VideoGPT's pytorch_i3d.py as in JunyaoHu/common_metrics_on_video_quality
@5f75173, so that its state dict, converted from the TensorFlow original, loads. Padding is "same" as there.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from ipvg_eval.core.measurement import Frames
from ipvg_eval.metrics.faces.network_weights import build
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.timing import stage

WEIGHTS: Final = "i3d_kinetics_400"
SIDE: Final = 224
WIDTH: Final = 400

Triple = tuple[int, int, int]


class I3dEncoder:
    """The network on its device; clips go through one by one."""

    def __init__(self, runtime: Runtime) -> None:
        """Load the network.

        Raises:
            WeightsMissing: the file is missing or is not this network's state dict.
        """
        self._network = build(I3d, WEIGHTS, runtime)
        self._device = torch.device(runtime.device)
        self._dtype = next(self._network.parameters()).dtype

    @torch.inference_mode()
    def logits(self, clip: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Logits of one clip, mean over time.

        Args:
            clip: (n, 224, 224, 3) in [-1, 1], red, green, blue, n at least 10.

        Returns:
            (400,) float32.

        Raises:
            ValueError: the values leave [-1, 1].
        """
        if clip.min() < -1.001 or clip.max() > 1.001:
            raise ValueError(f"pictures in [-1, 1] are wanted, not [{clip.min():.3g}, {clip.max():.3g}]")
        with stage("network", WEIGHTS):
            pixels = torch.from_numpy(clip).to(self._device, self._dtype).permute(3, 0, 1, 2)[None]
            row: npt.NDArray[np.float32] = self._network(pixels)[0].float().cpu().numpy()
            return row


def clip_pixels(frame: Frames) -> npt.NDArray[np.float32]:
    """One frame as the network takes it: shorter side to 224, bilinear without antialias, then the middle.

    Args:
        frame: (height, width, 3) RGB uint8.

    Returns:
        (224, 224, 3) float32 in [-1, 1].
    """
    height, width = frame.shape[:2]
    scale = SIDE / min(height, width)
    size = (SIDE, math.ceil(width * scale)) if height < width else (math.ceil(height * scale), SIDE)
    pixels = torch.from_numpy(np.ascontiguousarray(frame)).permute(2, 0, 1)[None].float() / 255
    scaled = nn.functional.interpolate(pixels, size=size, mode="bilinear", align_corners=False)[0]
    top, left = (size[0] - SIDE) // 2, (size[1] - SIDE) // 2
    cut = scaled[:, top : top + SIDE, left : left + SIDE].permute(1, 2, 0)
    result: npt.NDArray[np.float32] = (2 * cut - 1).contiguous().numpy()
    return result


class I3d(nn.Module):
    """Clips (n, 3, t, 224, 224) to logits (n, 400)."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv3d_1a_7x7 = _Unit(3, 64, (7, 7, 7), (2, 2, 2))
        self.MaxPool3d_2a_3x3 = _SamePool((1, 3, 3), (1, 2, 2))
        self.Conv3d_2b_1x1 = _Unit(64, 64, (1, 1, 1))
        self.Conv3d_2c_3x3 = _Unit(64, 192, (3, 3, 3))
        self.MaxPool3d_3a_3x3 = _SamePool((1, 3, 3), (1, 2, 2))
        self.Mixed_3b = _Mixed(192, (64, 96, 128, 16, 32, 32))
        self.Mixed_3c = _Mixed(256, (128, 128, 192, 32, 96, 64))
        self.MaxPool3d_4a_3x3 = _SamePool((3, 3, 3), (2, 2, 2))
        self.Mixed_4b = _Mixed(480, (192, 96, 208, 16, 48, 64))
        self.Mixed_4c = _Mixed(512, (160, 112, 224, 24, 64, 64))
        self.Mixed_4d = _Mixed(512, (128, 128, 256, 24, 64, 64))
        self.Mixed_4e = _Mixed(512, (112, 144, 288, 32, 64, 64))
        self.Mixed_4f = _Mixed(528, (256, 160, 320, 32, 128, 128))
        self.MaxPool3d_5a_2x2 = _SamePool((2, 2, 2), (2, 2, 2))
        self.Mixed_5b = _Mixed(832, (256, 160, 320, 32, 128, 128))
        self.Mixed_5c = _Mixed(832, (384, 192, 384, 48, 128, 128))
        self.avg_pool = nn.AvgPool3d((2, 7, 7), stride=1)
        self.logits = _Unit(1024, WIDTH, (1, 1, 1), classifier=True)

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Logits, mean over what time is left."""
        features = clips
        for layer in self.children():
            features = layer(features)
        means: torch.Tensor = features.squeeze(4).squeeze(3).mean(dim=2)
        return means


class _Unit(nn.Module):
    """Convolution, normalisation and ReLU; the classifier has a bias instead."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: Triple,
        stride: Triple = (1, 1, 1),
        *,
        classifier: bool = False,
    ) -> None:
        super().__init__()
        self.conv3d = nn.Conv3d(inputs, outputs, kernel, stride, bias=classifier)
        if not classifier:
            self.bn = nn.BatchNorm3d(outputs, eps=1e-5)
        self._classifier = classifier
        self._kernel, self._stride = kernel, stride

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv3d(_padded(x, self._kernel, self._stride))
        return x if self._classifier else torch.relu(self.bn(x))


class _SamePool(nn.Module):
    """Largest value, zeros around the picture."""

    def __init__(self, kernel: Triple, stride: Triple) -> None:
        super().__init__()
        self._kernel, self._stride = kernel, stride
        self._pool = nn.MaxPool3d(kernel, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pooled: torch.Tensor = self._pool(_padded(x, self._kernel, self._stride))
        return pooled


class _Mixed(nn.Module):
    """Four branches side by side."""

    def __init__(self, inputs: int, outputs: tuple[int, int, int, int, int, int]) -> None:
        super().__init__()
        self.b0 = _Unit(inputs, outputs[0], (1, 1, 1))
        self.b1a = _Unit(inputs, outputs[1], (1, 1, 1))
        self.b1b = _Unit(outputs[1], outputs[2], (3, 3, 3))
        self.b2a = _Unit(inputs, outputs[3], (1, 1, 1))
        self.b2b = _Unit(outputs[3], outputs[4], (3, 3, 3))
        self.b3a = _SamePool((3, 3, 3), (1, 1, 1))
        self.b3b = _Unit(inputs, outputs[5], (1, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        branches = [self.b0(x), self.b1b(self.b1a(x)), self.b2b(self.b2a(x)), self.b3b(self.b3a(x))]
        return torch.cat(branches, dim=1)


def _padded(x: torch.Tensor, kernel: Triple, stride: Triple) -> torch.Tensor:
    """With zeros, so that ceil(size / stride) places come out; where the number is odd, more behind."""
    sides: list[int] = []
    for size, reach, step in zip(x.shape[2:], kernel, stride, strict=True):
        missing = max(reach - (size % step or step), 0)
        sides = [missing // 2, missing - missing // 2, *sides]
    return nn.functional.pad(x, sides)
