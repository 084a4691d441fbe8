"""The detectors' architectures at full size, with seeded random weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

import torch

from ipvg_eval.metrics.checkpoint import with_seed
from ipvg_eval.metrics.snapshots import transformers

GroundingDinoModel = Literal["grounding_dino_tiny", "grounding_dino_base"]

OWLV2_SIDE: Final = 960
"""Pixels of the square OWLv2 looks at (preprocessor_config.json of google/owlv2-base-patch16-ensemble)."""

SWIN: Final[Mapping[GroundingDinoModel, Mapping[str, Any]]] = {
    "grounding_dino_tiny": {
        "image_size": 224,
        "embed_dim": 96,
        "depths": [2, 2, 6, 2],
        "num_heads": [3, 6, 12, 24],
        "window_size": 7,
    },
    "grounding_dino_base": {
        "image_size": 384,
        "embed_dim": 128,
        "depths": [2, 2, 18, 2],
        "num_heads": [4, 8, 16, 32],
        "window_size": 12,
    },
}
"""Backbones of the two published models, from their config.json; all else is the class's default."""


def owlv2_configuration(
    *, text: Mapping[str, Any] | None = None, vision: Mapping[str, Any] | None = None
) -> Any:
    """An Owlv2Config: base, patch 16, 960 pixels, with changes to either tower."""
    return transformers().Owlv2Config(
        text_config=dict(text or {}), vision_config={"image_size": OWLV2_SIDE, **(vision or {})}
    )


def grounding_dino_configuration(swin: Mapping[str, Any], **changes: Any) -> Any:
    """A GroundingDinoConfig with one of the backbones of `SWIN`, or a smaller one.

    Args:
        swin: the backbone's sizes.
        changes: other entries of the configuration; its defaults are the published ones.
    """
    backbone = {"model_type": "swin", "out_indices": [2, 3, 4], **swin}
    return transformers().GroundingDinoConfig(backbone_config=backbone, **changes)


def random_owlv2(config: Any, *, seed: int) -> Any:
    """An Owlv2ForObjectDetection with seeded random weights on the CPU."""

    def make() -> Any:
        model = transformers().Owlv2ForObjectDetection(config)
        # The class draws its heads so wide that every score is 0 or 1 and no box has an area.
        for head in (model.class_head, model.box_head, model.objectness_head):
            for layer in head.modules():
                if isinstance(layer, torch.nn.Linear):
                    torch.nn.init.normal_(layer.weight, std=layer.in_features**-0.5)
                    torch.nn.init.zeros_(layer.bias)
        return model

    return with_seed(seed, make)


def random_grounding_dino(config: Any, *, seed: int) -> Any:
    """A GroundingDinoForObjectDetection with seeded random weights on the CPU."""
    return with_seed(seed, lambda: transformers().GroundingDinoForObjectDetection(config))
