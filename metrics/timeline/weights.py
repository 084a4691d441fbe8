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
        name="qwen2_5_vl_3b",
        used_by=("timeline_sem", "timeline_ata"),
        alternative=True,
        source=HubFolder(
            repository="Qwen/Qwen2.5-VL-3B-Instruct",
            revision="66285546d2b821cf421d4f5eb2576359d3770cd3",
        ),
        file_name="Qwen2.5-VL-3B-Instruct",
        size=7_520_000_000,
        licence="Qwen Research License, no commercial use",
        non_commercial=True,
        note="pinned by revision, hashes recorded when first pulled",
    ),
    WeightFile(
        name="qwen2_5_vl_7b",
        used_by=("timeline_sem", "timeline_ata"),
        alternative=True,
        source=HubFolder(
            repository="Qwen/Qwen2.5-VL-7B-Instruct",
            revision="cc594898137f460bfe9f0759e9844b3ce807cfb5",
        ),
        file_name="Qwen2.5-VL-7B-Instruct",
        size=16_600_000_000,
        licence="Apache-2.0",
        note="pinned by revision, hashes recorded when first pulled",
    ),
    WeightFile(
        name="qwen3_vl_2b",
        used_by=("timeline_sem", "timeline_ata"),
        alternative=True,
        source=HubFolder(
            repository="Qwen/Qwen3-VL-2B-Instruct",
            revision="89644892e4d85e24eaac8bacfd4f463576704203",
        ),
        file_name="Qwen3-VL-2B-Instruct",
        size=4_270_000_000,
        licence="Apache-2.0",
        note="pinned by revision, hashes recorded when first pulled",
    ),
    WeightFile(
        name="qwen3_vl_4b",
        used_by=("timeline_sem", "timeline_ata"),
        alternative=True,
        source=HubFolder(
            repository="Qwen/Qwen3-VL-4B-Instruct",
            revision="ebb281ec70b05090aa6165b016eac8ec08e71b17",
        ),
        file_name="Qwen3-VL-4B-Instruct",
        size=8_890_000_000,
        licence="Apache-2.0",
        note="pinned by revision, hashes recorded when first pulled",
    ),
    WeightFile(
        name="qwen3_vl_8b",
        used_by=("timeline_sem", "timeline_ata"),
        alternative=True,
        source=HubFolder(
            repository="Qwen/Qwen3-VL-8B-Instruct",
            revision="0c351dd01ed87e9c1b53cbc748cba10e6187ff3b",
        ),
        file_name="Qwen3-VL-8B-Instruct",
        size=17_500_000_000,
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
