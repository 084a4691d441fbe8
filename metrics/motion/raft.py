"""RAFT trained on FlyingThings3D, the optical flow network of VBench's dynamic degree.

Teed, Deng: RAFT: Recurrent All-Pairs Field Transforms for Optical Flow, ECCV 2020.
Network: vbench 0.1.5, vbench/third_party/RAFT/core/raft.py. Weights: princeton-vl/RAFT models.zip,
models/raft-things.pth (21,108,000 bytes, sha256
fcfa4125d6418f4de95d84aec20a3c5f4e205101715a79f193243c186ac9a7e1); torchvision lists a port of them as
raft_large C_T_V1.
"""

from __future__ import annotations

import argparse
import functools
import warnings

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from ipvg_eval.core.measurement import Frames
from ipvg_eval.metrics.checkpoint import load_network
from ipvg_eval.metrics.motion.interpolation import centred_padding
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.third_party import published_module
from ipvg_eval.metrics.timing import stage
from ipvg_eval.metrics.upload import Uploads

WEIGHTS = "raft_things"
MODULE = "vbench.third_party.RAFT.core.raft"
ITERATIONS = 20


class RaftFlow:
    """Optical flow from one frame to another, always in float32.

    Attributes:
        weights: sha256 of the checkpoint by name.
    """

    def __init__(self, runtime: Runtime) -> None:
        """Load the network.

        Raises:
            WeightsMissing: vbench or the checkpoint is not on this machine.
        """
        settings = argparse.Namespace(small=False, mixed_precision=False, alternate_corr=False)
        model = functools.partial(published_module(MODULE, package="vbench").RAFT, settings)
        self._network, self.weights = load_network(model, weights=WEIGHTS, runtime=runtime)
        self._uploads = Uploads(torch.device(runtime.device))

    @torch.inference_mode()
    def flow(self, first: Frames, second: Frames) -> npt.NDArray[np.float32]:
        """Flow of every pixel after 20 iterations.

        A frame's bytes cross to the device once if it comes second and then first.

        Args:
            first: (height, width, 3) RGB uint8, not to be changed afterwards.
            second: likewise, of the same shape.

        Returns:
            (2, height, width) float32: pixels to the right and down, of the frame padded to multiples of 8.
        """
        with stage("network", WEIGHTS), warnings.catch_warnings():
            inputs = [_padded(frame) for frame in self._uploads(first, second)]
            # Two calls in vbench/third_party/RAFT/core that torch has since renamed or wants an argument for.
            warnings.filterwarnings("ignore", r".*torch\.cuda\.amp\.autocast", FutureWarning)
            warnings.filterwarnings("ignore", r"torch\.meshgrid", UserWarning)
            _, flow = self._network(*inputs, iters=ITERATIONS, test_mode=True)
            return np.asarray(flow[0].cpu().numpy(), dtype=np.float32)


def _padded(frame: torch.Tensor) -> torch.Tensor:
    pad = centred_padding(frame.shape[0], frame.shape[1], 8)
    pixels = frame.permute(2, 0, 1)[None].float()
    return F.pad(pixels, (pad.left, pad.right, pad.top, pad.bottom), mode="replicate")
