"""SyncNet: where lips and sound of one moment have near embeddings (Chung and Zisserman 2016).

Layers and names are those of joonson/syncnet_python SyncNetModel.py @6efbb1c, so that its state dict loads.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from ipvg_eval.core.measurement import Frames
from ipvg_eval.metrics.checkpoint import load_network
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.timing import stage

WEIGHTS: Final = "syncnet_v2"
SIDE: Final = 224
WINDOW: Final = 5
"""Frames of one embedding."""

SOUND_ROWS: Final = 20
"""Rows of MFCC of one embedding; a frame has four."""

WIDTH: Final = 1024

_LIP_CHUNK = (
    16  # windows at a time; a window's place in its chunk is fixed, so that no bit depends on batches
)
_SOUND_CHUNK = 64


class SyncNet(nn.Module):
    """Both branches."""

    def __init__(self) -> None:
        super().__init__()
        self.netcnnaud = nn.Sequential(
            *_block2d(1, 64, 3, padding=1),
            nn.MaxPool2d(1, 1),
            *_block2d(64, 192, 3, padding=1),
            nn.MaxPool2d(3, (1, 2)),
            *_block2d(192, 384, 3, padding=1),
            *_block2d(384, 256, 3, padding=1),
            *_block2d(256, 256, 3, padding=1),
            nn.MaxPool2d(3, 2),
            *_block2d(256, 512, (5, 4)),
        )
        self.netcnnlip = nn.Sequential(
            *_block3d(3, 96, (WINDOW, 7, 7), stride=(1, 2, 2)),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
            *_block3d(96, 256, (1, 5, 5), stride=(1, 2, 2), padding=(0, 1, 1)),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2), padding=(0, 1, 1)),
            *_block3d(256, 256, (1, 3, 3), padding=(0, 1, 1)),
            *_block3d(256, 256, (1, 3, 3), padding=(0, 1, 1)),
            *_block3d(256, 256, (1, 3, 3), padding=(0, 1, 1)),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
            *_block3d(256, 512, (1, 6, 6)),
        )
        self.netfcaud = _head()
        self.netfclip = _head()

    def lips(self, crops: torch.Tensor) -> torch.Tensor:
        """Embeddings of every window of a stack.

        Only the first convolution reaches over time, and it does not pad: what a window gives does not depend
        on its neighbours, and the stack is five times cheaper than its windows.

        Args:
            crops: (3, n + 4, 224, 224), blue, green, red, 0 to 255.

        Returns:
            (n, 1024).
        """
        features = self.netcnnlip(crops[None])  # (1, 512, n, 1, 1)
        embedded: torch.Tensor = self.netfclip(features[0, :, :, 0, 0].T)
        return embedded

    def sounds(self, rows: torch.Tensor) -> torch.Tensor:
        """(n, 1, 13, 20) to (n, 1024)."""
        embedded: torch.Tensor = self.netfcaud(self.netcnnaud(rows).flatten(1))
        return embedded


class SyncEncoder:
    """The network on its device.

    Attributes:
        weights: sha256 by weight name.
    """

    def __init__(self, runtime: Runtime) -> None:
        """Load the network.

        Raises:
            WeightsMissing: the file is missing or is not this network's state dict.
        """
        self._network, self.weights = load_network(SyncNet, weights=WEIGHTS, runtime=runtime)
        self._device = torch.device(runtime.device)

    @torch.inference_mode()
    def lips(self, crops: Frames) -> npt.NDArray[np.float32]:
        """Embeddings of the windows that begin in a stretch of a track.

        Args:
            crops: (n + 4, 224, 224, 3) RGB uint8, n at least 1.

        Returns:
            (n, 1024) float32.
        """
        with stage("network", WEIGHTS):
            pixels = torch.from_numpy(np.ascontiguousarray(crops[..., ::-1])).to(self._device)
            rows = self._network.lips(pixels.permute(3, 0, 1, 2).float())
            return _array(rows)

    @torch.inference_mode()
    def sounds(self, cepstra: npt.NDArray[np.float64], windows: int) -> npt.NDArray[np.float32]:
        """Embeddings of the sound of the first `windows` windows of a track.

        Args:
            cepstra: (4 (windows - 1) + 20 or more, 13).
            windows: how many.

        Returns:
            (windows, 1024) float32.
        """
        parts = []
        with stage("network", WEIGHTS):
            for first in range(0, windows, _SOUND_CHUNK):
                chosen = range(first, min(windows, first + _SOUND_CHUNK))
                rows = np.stack([cepstra[4 * i : 4 * i + SOUND_ROWS].T for i in chosen])[:, None]
                parts.append(_array(self._network.sounds(torch.from_numpy(rows).float().to(self._device))))
        return np.concatenate(parts)


class LipStream:
    """The windows of one track, as its crops come."""

    def __init__(self, encoder: SyncEncoder, least: int = WINDOW) -> None:
        """No crop has come.

        Args:
            encoder: the network.
            least: crops without which the track does not count: the network waits for them.
        """
        self._encoder = encoder
        self._missing = least
        self._crops: list[Frames] = []
        self._rows: list[npt.NDArray[np.float32]] = []

    def add(self, crop: Frames) -> None:
        """Take the next crop, (224, 224, 3)."""
        self._crops.append(crop)
        self._missing -= 1
        while self._missing <= 0 and len(self._crops) >= _LIP_CHUNK + WINDOW - 1:
            self._run(_LIP_CHUNK)

    def finish(self) -> npt.NDArray[np.float32]:
        """(number of crops - 4, 1024), or (0, 1024)."""
        while len(self._crops) >= WINDOW:
            self._run(min(_LIP_CHUNK, len(self._crops) - WINDOW + 1))
        return np.concatenate(self._rows) if self._rows else np.zeros((0, WIDTH), np.float32)

    def _run(self, windows: int) -> None:
        self._rows.append(self._encoder.lips(np.stack(self._crops[: windows + WINDOW - 1])))
        del self._crops[:windows]


def _array(rows: torch.Tensor) -> npt.NDArray[np.float32]:
    values: npt.NDArray[np.float32] = rows.float().cpu().numpy()
    return values


def _block2d(inputs: int, outputs: int, kernel: Any, *, padding: int = 0) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(inputs, outputs, kernel, padding=padding)
    return convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)


def _block3d(
    inputs: int, outputs: int, kernel: Any, *, stride: Any = 1, padding: Any = 0
) -> tuple[nn.Module, ...]:
    convolution = nn.Conv3d(inputs, outputs, kernel, stride=stride, padding=padding)
    return convolution, nn.BatchNorm3d(outputs), nn.ReLU(inplace=True)


def _head() -> nn.Sequential:
    return nn.Sequential(nn.Linear(512, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Linear(512, WIDTH))
