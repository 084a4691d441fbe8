"""X-CLIP's network and pixel rules: published snapshots, and full size with random weights."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import torch

from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.runtime import Runtime, weight_source
from ipvg_eval.metrics.snapshots import VERIFY, load_snapshot, random_network, transformers

PATCH_SIZES: Final = MappingProxyType({"xclip-base-patch32": 32, "xclip-base-patch16": 16})
"""Side of a patch in pixels, by model; both read clips of 8 frames of 224 x 224 pixels."""

_IMAGENET_MEAN: Final = (0.485, 0.456, 0.406)
_IMAGENET_STD: Final = (0.229, 0.224, 0.225)


@dataclass(frozen=True, kw_only=True)
class PixelRules:
    """How pixels are normalised.

    Attributes:
        mean: per channel, of values from 0 to 1.
        std: deviation per channel.
    """

    mean: tuple[float, ...] = _IMAGENET_MEAN
    std: tuple[float, ...] = _IMAGENET_STD


def load(model: str, weights: str, runtime: Runtime) -> tuple[Any, PixelRules]:
    """An XCLIPModel and its pixel rules.

    Args:
        model: one of `PATCH_SIZES`.
        weights: name of its declared snapshot.
        runtime: device, dtype and weight source.

    Raises:
        WeightsMissing: packages or files are missing.
    """
    package = transformers()
    source = weight_source(runtime, weights)
    dtype: torch.dtype = getattr(torch, runtime.dtype)
    if source.random_seed is not None:
        config = package.XCLIPConfig(vision_config={"patch_size": PATCH_SIZES[model]})
        network = random_network(
            package.XCLIPModel, config, seed=source.random_seed, dtype=dtype, device=runtime.device
        )
        return network, PixelRules()
    folder = source.path(weights)
    network = load_snapshot(package.XCLIPModel, folder, dtype=dtype, device=runtime.device)
    return network, _pixel_rules(folder)


def _pixel_rules(folder: Path) -> PixelRules:
    path = folder / "preprocessor_config.json"
    try:
        content = json.loads(path.read_text("utf-8"))
        return PixelRules(mean=tuple(content["image_mean"]), std=tuple(content["image_std"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsMissing(f"{path}: this file cannot be used ({error!r})", hint=VERIFY) from error
