"""CurricularFace's IR-101, the network behind CurScore.

Huang et al., "CurricularFace: Adaptive Curriculum Learning Loss for Deep Face Recognition" (CVPR 2020,
arXiv 2004.00288): an improved residual network of 49 basic blocks, as in ArcFace (arXiv 1801.07698, section
3.2). Parameter names follow the published state dict glint360k_curricular_face_r101_backbone.bin
(ConsisID util/on_going_module/curricularface/model_irse.py @60429e4), so that it loads as it is.
"""

from __future__ import annotations

from typing import Final, cast

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from ipvg_eval.core.measurement import Frames
from ipvg_eval.metrics.faces.network_weights import build
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.timing import stage
from ipvg_eval.metrics.upload import upload

WEIGHTS: Final = "curricularface_r101"
INPUT_SIZE: Final = 112
WIDTH: Final = 512

_STAGES: Final = ((64, 3), (128, 13), (256, 30), (512, 3))  # channels, blocks
_FINAL_SIDE: Final = INPUT_SIZE // 2 ** len(_STAGES)


class _Block(nn.Module):
    """Basic IR block: normalise, convolve, normalise, PReLU, convolve (strided), normalise; plus shortcut."""

    def __init__(self, channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self._stride = stride
        self.res_layer = nn.Sequential(
            nn.BatchNorm2d(channels),
            nn.Conv2d(channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.PReLU(out_channels),
            nn.Conv2d(out_channels, out_channels, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
        )
        self.shortcut_layer: nn.Sequential | None = None
        if channels != out_channels:
            self.shortcut_layer = nn.Sequential(
                nn.Conv2d(channels, out_channels, 1, stride=stride, bias=False),
                nn.BatchNorm2d(out_channels),
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.shortcut_layer is not None:
            shortcut = self.shortcut_layer(x)
        else:
            shortcut = x[:, :, :: self._stride, :: self._stride]
        return cast(torch.Tensor, self.res_layer(x) + shortcut)


class IR101(nn.Module):
    """The backbone: (n, 3, 112, 112) in [-1, 1], RGB, to (n, 512), not normalised.

    65,150,912 parameters.
    """

    def __init__(self) -> None:
        super().__init__()
        channels = _STAGES[0][0]
        self.input_layer = nn.Sequential(
            nn.Conv2d(3, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels), nn.PReLU(channels)
        )
        blocks = []
        for out_channels, count in _STAGES:
            for number in range(count):
                blocks.append(_Block(channels, out_channels, stride=2 if number == 0 else 1))
                channels = out_channels
        self.body = nn.Sequential(*blocks)
        self.output_layer = nn.Sequential(
            nn.BatchNorm2d(channels),
            nn.Dropout(0.4),
            nn.Flatten(),
            nn.Linear(channels * _FINAL_SIDE**2, WIDTH),
            nn.BatchNorm1d(WIDTH, affine=False),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, 3, 112, 112) to (n, 512)."""
        return cast(torch.Tensor, self.output_layer(self.body(self.input_layer(x))))


class CurricularFace:
    """Embeds aligned faces."""

    def __init__(self, runtime: Runtime) -> None:
        """Load the network.

        Raises:
            WeightsMissing: the file is missing or is not this network's state dict.
        """
        self._network = build(IR101, WEIGHTS, runtime, damped=("res_layer.5.weight",))
        self._device = torch.device(runtime.device)
        self._dtype = next(self._network.parameters()).dtype

    @torch.inference_mode()
    def embed(self, crops: Frames) -> npt.NDArray[np.float32]:
        """Unit embeddings of aligned faces.

        Crops of another size than 112 are resized without antialiasing (bilinear), as published; the bytes
        of that cross to the device and are normalised there, in float32.

        Args:
            crops: (n, side, side, 3) RGB uint8.

        Returns:
            (n, 512) float32, rows of length 1.
        """
        if not len(crops):
            return np.zeros((0, WIDTH), dtype=np.float32)
        size = (INPUT_SIZE, INPUT_SIZE)
        small = np.stack([cv2.resize(crop, size, interpolation=cv2.INTER_LINEAR) for crop in crops])
        with stage("network", WEIGHTS):
            pixels = upload(small, self._device).permute(0, 3, 1, 2).float()
            rows = self._network(pixels.div_(255).sub_(0.5).div_(0.5).to(self._dtype)).float()
            return cast(npt.NDArray[np.float32], nn.functional.normalize(rows).cpu().numpy())
