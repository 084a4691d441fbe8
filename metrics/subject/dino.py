"""DINOv2's image embeddings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from ipvg_eval.core.measurement import Frames
from ipvg_eval.metrics.checkpoint import load_network
from ipvg_eval.metrics.compilation import compile_blocks
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.third_party import published_module
from ipvg_eval.metrics.timing import stage
from ipvg_eval.metrics.upload import Normalisation, planar, upload

WEIGHTS = "dinov2_vitb14"
ARCHITECTURE = "vit_base_patch14_dinov2"
"""timm's name of it; the weights are timm/vit_base_patch14_dinov2.lvd142m, model.safetensors."""

PATCH = 14
SHORT_SIDE = 224
LONGEST_SIDE = 896
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

Features = npt.NDArray[np.float32]


class DinoEncoder:
    """DINOv2 ViT-B/14, ready to encode.

    Attributes:
        weights: sha256 of the weight file by name.
    """

    def __init__(self, runtime: Runtime) -> None:
        """Load the network.

        Raises:
            WeightsMissing: timm or the weights are not on this machine.
        """
        network, self.weights = load_network(_build, weights=WEIGHTS, runtime=runtime)
        self._device, self._dtype = torch.device(runtime.device), getattr(torch, runtime.dtype)
        self._network = network.to(dtype=self._dtype)
        if runtime.compiled:
            compile_blocks(self._network)
        self._normalise = Normalisation(IMAGENET_MEAN, IMAGENET_STD, self._device)

    @torch.inference_mode()
    def images(self, pixels: Sequence[npt.NDArray[np.uint8]]) -> Features:
        """Class-token embeddings after the last norm.

        The bytes cross to the device and are normalised there, in float32.

        Args:
            pixels: n pictures of one size from `dino_pixels`, (h, w, 3) uint8.

        Returns:
            (n, 768) float32.
        """
        with stage("network", WEIGHTS):
            batch = planar(self._normalise(upload(np.stack(pixels), self._device)))
            return np.asarray(self._network(batch.to(self._dtype)).float().cpu().numpy(), dtype=np.float32)


def dino_pixels(frame: Frames) -> npt.NDArray[np.uint8]:
    """The whole picture as DINOv2 sees it, neither cropped nor squeezed.

    Bicubic to a short side of 224 pixels (a long side of at most 896), both sides rounded to whole patches of
    14. ImageNet's mean and deviation follow on the network's device. Published evaluations crop or pad.

    Args:
        frame: (height, width, 3) uint8.

    Returns:
        (height', width', 3) uint8.
    """
    height, width = frame.shape[:2]
    scale = min(SHORT_SIDE / min(height, width), LONGEST_SIDE / max(height, width))
    size = (_patches(width * scale), _patches(height * scale))
    return np.asarray(Image.fromarray(frame).resize(size, Image.Resampling.BICUBIC))


def _patches(side: float) -> int:
    return max(1, round(side / PATCH)) * PATCH


def _build() -> torch.nn.Module:
    timm = published_module("timm", package="timm")
    # Position embeddings are interpolated to the size of each picture, as in DINOv2's own code.
    network: torch.nn.Module = timm.create_model(
        ARCHITECTURE, pretrained=False, num_classes=0, dynamic_img_size=True
    )
    return network
