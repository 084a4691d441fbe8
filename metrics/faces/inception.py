"""The two Inception-v3 networks of face FID: torchvision's (published) and pytorch-fid's (standard)."""

from __future__ import annotations

from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import nn
from torchvision.models import Inception3

from ipvg_eval.core.measurement import Frames
from ipvg_eval.metrics.faces.network_weights import build
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.third_party import published_module
from ipvg_eval.metrics.timing import stage
from ipvg_eval.metrics.upload import planar, upload

IMAGENET_WEIGHTS: Final = "inception_v3_imagenet"
FID_WEIGHTS: Final = "inception_v3_fid"
WIDTH: Final = 2048

_INPUT_SIZE: Final = 299
_FID_CLASSES: Final = 1008


class ImagenetInception:
    """torchvision's Inception-v3 without classifier, as in ConsisID eval/get_facesim_fid.py @60429e4.

    Crops are resized to 299 by PIL (bilinear), cross to the device as bytes and are scaled to [0, 1] there;
    no normalisation is applied outside, but torchvision's own input transform is on, as it is whenever its
    ImageNet weights are loaded: inputs end up between about -0.19 and 0.43.
    """

    def __init__(self, runtime: Runtime) -> None:
        """Load the network.

        Raises:
            WeightsMissing: the file is missing or is not this network's state dict.
        """
        self._network = build(_imagenet_network, IMAGENET_WEIGHTS, runtime)
        self._network.fc = nn.Identity()
        self._device = torch.device(runtime.device)
        self._dtype = next(self._network.parameters()).dtype

    @torch.inference_mode()
    def features(self, crops: Frames) -> npt.NDArray[np.float32]:
        """Features of the last average pool.

        Args:
            crops: (n, side, side, 3) RGB uint8.

        Returns:
            (n, 2048) float32.
        """
        if not len(crops):
            return np.zeros((0, WIDTH), dtype=np.float32)
        size = (_INPUT_SIZE, _INPUT_SIZE)
        large = np.stack(
            [np.asarray(Image.fromarray(crop).resize(size, Image.Resampling.BILINEAR)) for crop in crops]
        )
        with stage("network", IMAGENET_WEIGHTS):
            rows = self._network(_unit_range(large, self._device).to(self._dtype))
            return cast(npt.NDArray[np.float32], rows.float().cpu().numpy())


class FidInception:
    """pytorch-fid's Inception-v3: the network of the 2015 TensorFlow graph that FID was defined with.

    Its blocks pool differently from torchvision's; inputs are resized to 299 by torch (bilinear, no
    antialias) and scaled to [-1, 1] (pytorch_fid/inception.py, 0.3.0).
    """

    def __init__(self, runtime: Runtime) -> None:
        """Load the network.

        Raises:
            WeightsMissing: pytorch-fid or the file is missing, or it is not this network's state dict.
        """
        self._network = build(_fid_network, FID_WEIGHTS, runtime)
        self._network.fc = nn.Identity()
        self._device = torch.device(runtime.device)
        self._dtype = next(self._network.parameters()).dtype

    @torch.inference_mode()
    def features(self, crops: Frames) -> npt.NDArray[np.float32]:
        """Features of the last average pool.

        Args:
            crops: (n, side, side, 3) RGB uint8.

        Returns:
            (n, 2048) float32.
        """
        if not len(crops):
            return np.zeros((0, WIDTH), dtype=np.float32)
        with stage("network", FID_WEIGHTS):
            large = nn.functional.interpolate(
                _unit_range(crops, self._device),
                size=(_INPUT_SIZE, _INPUT_SIZE),
                mode="bilinear",
                align_corners=False,
            )
            rows = self._network((2 * large - 1).to(self._dtype))
            return cast(npt.NDArray[np.float32], rows.float().cpu().numpy())


def _unit_range(pictures: Frames, device: torch.device) -> torch.Tensor:
    """Bytes cross to the device; 0 to 1 in float32 there, in planes as ToTensor lays them out."""
    return planar(upload(pictures, device)).float().div(255)


def _imagenet_network() -> nn.Module:
    network: nn.Module = Inception3(transform_input=True, init_weights=False)
    return network


def _fid_network() -> nn.Module:
    """Torchvision's network with pytorch-fid's pooling in the blocks where the two differ.

    `pytorch_fid.inception.fid_inception_v3` builds the same, but only together with a download.
    """
    ported = published_module("pytorch_fid.inception", package="pytorch-fid")
    network: nn.Module = Inception3(num_classes=_FID_CLASSES, aux_logits=False, init_weights=False)
    blocks: list[tuple[str, Any]] = list(network.named_children())
    for name, block in blocks:
        if name in {"Mixed_5b", "Mixed_5c", "Mixed_5d"}:
            replacement = ported.FIDInceptionA(_inputs(block), block.branch_pool.conv.out_channels)
        elif name in {"Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"}:
            replacement = ported.FIDInceptionC(_inputs(block), block.branch7x7_1.conv.out_channels)
        elif name == "Mixed_7b":
            replacement = ported.FIDInceptionE_1(_inputs(block))
        elif name == "Mixed_7c":
            replacement = ported.FIDInceptionE_2(_inputs(block))
        else:
            continue
        setattr(network, name, replacement)
    return network


def _inputs(block: Any) -> int:
    return int(block.branch1x1.conv.in_channels)
