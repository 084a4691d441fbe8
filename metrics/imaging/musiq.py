"""MUSIQ trained on SPAQ, the network of VBench's imaging quality.

Ke, Wang, Wang, Milanfar, Yang: MUSIQ: Multi-scale Image Quality Transformer, ICCV 2021.
Network: pyiqa 0.1.16, pyiqa/archs/musiq_arch.py. Weights: IQA-PyTorch musiq_spaq_ckpt-358bb6af.pth,
sha256 358bb6af275e28ea56821d44fb55c6cb83645db11f394d3ad65b2d149965ab50.
"""

from __future__ import annotations

import functools
import math

import numpy as np
import numpy.typing as npt
import torch

from ipvg_eval.core.measurement import Frames
from ipvg_eval.metrics.checkpoint import load_network
from ipvg_eval.metrics.imaging.resize import Mode, network_input
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.third_party import published_module
from ipvg_eval.metrics.timing import stage
from ipvg_eval.metrics.upload import upload

WEIGHTS = "musiq_spaq"
MODULE = "pyiqa.archs.musiq_arch"
PATCH = 32
PATCHES_OF_SMALL_SCALES = 7 * 7 + 12 * 12
PATCHES_PER_FORWARD = 16 * (PATCHES_OF_SMALL_SCALES + 16 * 16)
"""Upper bound on patches in one forward pass: 16 frames of 512 x 512, about 1 GiB."""


class MusiqScorer:
    """Scores frames about 0 to 100; the head is linear, so nothing keeps a score inside.

    Every module is in evaluation mode; the published loop leaves all but the outermost in training
    mode, which changes nothing: dropout rates are 0 and group norms have no running statistics.

    Attributes:
        weights: sha256 of the checkpoint by name.
        batch_size: frames per forward pass, at most. 1 on a CPU, where batches of several took a third longer
            and round differently in the last bit; the runtime's on a GPU.
    """

    def __init__(self, runtime: Runtime) -> None:
        """Load the network.

        Raises:
            WeightsMissing: pyiqa or the checkpoint is not on this machine.
        """
        # pretrained=False: the default fetches the AVA checkpoint and builds its ten-class head.
        model = functools.partial(published_module(MODULE, package="pyiqa").MUSIQ, pretrained=False)
        self._network, self.weights = load_network(model, weights=WEIGHTS, runtime=runtime)
        self._device = torch.device(runtime.device)
        self.batch_size = 1 if self._device.type == "cpu" else runtime.batch_size
        self._dtype: torch.dtype = getattr(torch, runtime.dtype)

    @torch.inference_mode()
    def prepare(self, frames: Frames, mode: Mode = "longer") -> torch.Tensor:
        """The network's input for n frames, whose bytes cross to the device and are resized there in float32.

        Args:
            frames: (n, height, width, 3) RGB uint8.
            mode: which side is brought to 512.

        Returns:
            (n, 3, height, width) float32 on the device, 0 to 1. The published loop prepares frames on the
            CPU, whose rounding may differ from a GPU's in the last bit.
        """
        pixels = upload(frames, self._device).to(torch.float32)
        return network_input(pixels.permute(0, 3, 1, 2), mode)

    @torch.inference_mode()
    def score(self, inputs: torch.Tensor) -> npt.NDArray[np.float64]:
        """Raw scores of prepared frames; (n, 3, height, width) -> (n,), about 0 to 100."""
        mixed = torch.autocast(self._device.type, dtype=self._dtype, enabled=self._dtype != torch.float32)
        with stage("network", WEIGHTS), mixed:
            scores: torch.Tensor = self._network(inputs)
            return np.asarray(scores.flatten().double().cpu().numpy(), dtype=np.float64)


def frames_per_forward(inputs: torch.Tensor, batch_size: int) -> int:
    """How many prepared frames of the size of `inputs` go through the network together.

    At most `batch_size`, and fewer where large frames (mode "None") would need much memory.
    """
    height, width = inputs.shape[-2:]
    patches = PATCHES_OF_SMALL_SCALES + math.ceil(height / PATCH) * math.ceil(width / PATCH)
    return max(1, min(batch_size, PATCHES_PER_FORWARD // patches))
