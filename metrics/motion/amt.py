"""AMT-S, the frame interpolation network of VBench's motion smoothness.

Li, Zhu, Han, Hou, Guo, Cheng: AMT: All-Pairs Multi-Field Transforms for Efficient Frame
Interpolation, CVPR 2023. Network: vbench 0.1.5, vbench/third_party/amt/networks/AMT-S.py.
Weights: lalala125/AMT amt-s.pth, sha256 07e7e03405c213fe4405678db9b42d05671e48c56faf6a441b99bb0047d3cf77.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from ipvg_eval.core.measurement import Frames
from ipvg_eval.metrics.checkpoint import load_network
from ipvg_eval.metrics.motion.interpolation import centred_padding, network_divisor
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.third_party import published_module
from ipvg_eval.metrics.timing import stage
from ipvg_eval.metrics.upload import Uploads, planar

WEIGHTS = "amt_s"
MODULE = "vbench.third_party.amt.networks.AMT-S"


class AmtInterpolator:
    """Predicts the frame half-way between two frames.

    A prediction in float32 on a CPU is bit-equal to the published code's only for one pair per
    call: convolutions over several pairs round differently (up to 3e-6 before truncation). On a GPU, cuDNN's
    TF32 convolutions are on unless switched off, as they are there.

    Attributes:
        weights: sha256 of the checkpoint by name.
    """

    def __init__(self, runtime: Runtime) -> None:
        """Load the network.

        Raises:
            WeightsMissing: vbench or the checkpoint is not on this machine.
        """
        model = published_module(MODULE, package="vbench").Model
        self._network, self.weights = load_network(model, weights=WEIGHTS, runtime=runtime, key="state_dict")
        self._device = torch.device(runtime.device)
        self._dtype: torch.dtype = getattr(torch, runtime.dtype)
        self._uploads = Uploads(self._device)
        # A divisor on the device: dividing by a Python number there multiplies by a rounded reciprocal.
        self._white = torch.tensor(255.0, device=self._device)

    @torch.inference_mode()
    def middle(
        self, first: Sequence[Frames], second: Sequence[Frames], *, scale: float
    ) -> tuple[Frames, npt.NDArray[np.bool_]]:
        """Middle frames of n pairs. A frame's bytes cross to the device once if it comes last and then first.

        Args:
            first: n frames, (height, width, 3) RGB uint8, not to be changed afterwards.
            second: likewise, of the same shape.
            scale: by how much the network shrinks its input, in (0, 1].

        Returns:
            (n, height, width, 3) uint8, truncated and not rounded, and per pair whether the network
            returned numbers; a frame without them means nothing.
        """
        count, (height, width, _) = len(first), first[0].shape
        pad = centred_padding(height, width, network_divisor(scale))
        sides = (pad.left, pad.right, pad.top, pad.bottom)
        with stage("network", WEIGHTS):
            pairs = [self._uploads(*pair) for pair in zip(first, second, strict=True)]
            stacks = [planar(torch.stack(frames)) / self._white for frames in zip(*pairs, strict=True)]
            inputs = [F.pad(stack, sides, mode="replicate") for stack in stacks]
            half = torch.full((count, 1, 1, 1), 0.5, device=self._device)
            with torch.autocast(self._device.type, dtype=self._dtype, enabled=self._dtype != torch.float32):
                padded = self._network(*inputs, half, scale_factor=scale, eval=True)["imgt_pred"]
            middle = padded[..., pad.top : pad.top + height, pad.left : pad.left + width].float()
            finite = torch.isfinite(middle).flatten(1).all(dim=1)
            grey = (middle.nan_to_num() * 255.0).clamp(0, 255).to(torch.uint8)
            return cast(Frames, grey.permute(0, 2, 3, 1).contiguous().cpu().numpy()), finite.cpu().numpy()
