"""The text-video networks and judges: where their weights are published, with hashes and terms."""

from __future__ import annotations

from ipvg_eval.metrics.weight_file import HubFile, HubFolder, WeightFile

_VIDEO_SCORES = (
    "video_score_visual_quality",
    "video_score_temporal_consistency",
    "video_score_dynamic_degree",
    "video_score_text_alignment",
    "video_score_factual_consistency",
)

WEIGHTS = (
    WeightFile(
        name="pe_core_l_14_336",
        used_by=("timeline_ata",),
        source=HubFile(
            repository="timm/PE-Core-L-14-336",
            path="open_clip_model.safetensors",
            revision="8eff41b3f687e50a323662c2dda5eb3588c6dd35",
        ),
        file_name="pe_core_l_14_336.safetensors",
        sha256="b1fff7093c32a01d98a2d82098f9adf788b30f0efee639916520b3e4302f786b",
        licence="Apache-2.0 (Meta)",
        note="in open_clip's layout; one other project states the same sha256",
        mirrors=(HubFile(repository="chaofengc/IQA-PyTorch-Weights", path="musiq_spaq_ckpt-358bb6af.pth"),),
    ),
    WeightFile(
        name="xclip_base_patch32",
        used_by=("timeline_ata",),
        source=HubFolder(
            repository="microsoft/xclip-base-patch32",
            revision="a2e27a78a2b5d802e894b8a1ef14f3a8ce490963",
        ),
        file_name="xclip-base-patch32",
        size=790_000_000,
        licence="MIT (Microsoft)",
        note="pinned by revision, hashes recorded when first pulled",
    ),
    WeightFile(
        name="xclip_base_patch16",
        used_by=("timeline_ata",),
        source=HubFolder(
            repository="microsoft/xclip-base-patch16",
            revision="d6184e3fd8780d04c85d0f1eabe5f94bf44d98f6",
        ),
        file_name="xclip-base-patch16",
        size=783_000_000,
        licence="MIT (Microsoft)",
        note="pinned by revision, hashes recorded when first pulled",
    ),
    WeightFile(
        name="qwen2_vl_2b",
        used_by=("timeline_sem", "timeline_ata"),
        source=HubFolder(
            repository="Qwen/Qwen2-VL-2B-Instruct",
            revision="895c3a49bc3fa70a340399125c650a463535e71c",
        ),
        file_name="Qwen2-VL-2B-Instruct",
        size=4_430_000_000,
        licence="Apache-2.0",
        note="pinned by revision, hashes recorded when first pulled",
    ),
    WeightFile(
        name="qwen2_vl_7b",
        used_by=("timeline_sem", "timeline_ata"),
        source=HubFolder(
            repository="Qwen/Qwen2-VL-7B-Instruct",
            revision="eed13092ef92e448dd6875b2a00151bd3f7db0ac",
        ),
        file_name="Qwen2-VL-7B-Instruct",
        size=16_600_000_000,
        licence="Apache-2.0",
        note="pinned by revision, hashes recorded when first pulled",
    ),
    WeightFile(
        name="video_score",
        used_by=_VIDEO_SCORES,
        source=HubFolder(
            repository="TIGER-Lab/VideoScore",
            revision="4314c95b49799e50556ffa3afb001f8363d1e040",
        ),
        file_name="VideoScore",
        size=16_550_000_000,
        licence="Apache-2.0",
        note="pinned by a revision that no other project states; hashes recorded when first pulled",
    ),
)
