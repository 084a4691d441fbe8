"""The CLIP towers: where their weights are published, with hashes and terms."""

from __future__ import annotations

from ipvg_eval.metrics.weight_file import HubFile, WeightFile

WEIGHTS = (
    WeightFile(
        name="clip_vit_b32",
        alternative=True,
        used_by=("clip_score", "clip_score_long"),
        source=HubFile(
            repository="timm/vit_base_patch32_clip_224.openai",
            path="open_clip_model.safetensors",
            revision="a6f597a30f7b82c51704746581f9a4e41421e878",
        ),
        file_name="clip_vit_b32_openai.safetensors",
        size=605_143_284,
        sha256="e6d1bd7789aa45192b3bf90570a789b478bae1b74ebcce7eddd908e83a2b7c31",
        licence="MIT (OpenAI CLIP)",
    ),
    WeightFile(
        name="clip_vit_b16",
        used_by=("clip_score", "clip_score_long"),
        source=HubFile(
            repository="timm/vit_base_patch16_clip_224.openai",
            path="open_clip_model.safetensors",
            revision="977e3dd0ec55ab8da155f2fbeb6b5f54948b6e3d",
        ),
        file_name="clip_vit_b16_openai.safetensors",
        size=598_516_980,
        sha256="4b8699299b1e8997753c64b052ba32031449d5d853f55a039148560ee02b820f",
        licence="MIT (OpenAI CLIP)",
    ),
)
