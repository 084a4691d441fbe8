"""The aesthetic predictor: where their weights are published, with hashes and terms."""

from __future__ import annotations

from ipvg_eval.metrics.weight_file import HubFile, WeightFile

_AESTHETICS = ("aesthetic_score", "aesthetic_score_unit")

WEIGHTS = (
    WeightFile(
        name="clip_vit_l14",
        used_by=_AESTHETICS,
        source=HubFile(
            repository="timm/vit_large_patch14_clip_224.openai",
            path="open_clip_model.safetensors",
            revision="18d0535469bb561bf468d76c1d73aa35156c922b",
        ),
        file_name="clip_vit_l14_openai.safetensors",
        sha256="9ce2e8a8ebfff3793d7d375ad6d3c35cb9aebf3de7ace0fc7308accab7cd207e",
        licence="MIT (OpenAI CLIP)",
        note="about 1.71 GB",
    ),
    WeightFile(
        name="aesthetic_head",
        used_by=_AESTHETICS,
        source=HubFile(repository="trl-lib/ddpo-aesthetic-predictor", path="aesthetic-model.pth"),
        file_name="aesthetic-model.pth",
        size=3_714_759,
        sha256="21dd590f3ccdc646f0d53120778b296013b096a035a2718c9cb0d511bff0f1e0",
        licence="Apache-2.0 (improved-aesthetic-predictor)",
        note="its sac+logos+ava1-l14-linearMSE.pth; OpenS2V's script takes a file of this name from "
        "BestWishYsh/OpenS2V-Weight, whose hash is not published",
        mirrors=(HubFile(repository="BestWishYsh/OpenS2V-Weight", path="aesthetic-model.pth"),),
    ),
)
