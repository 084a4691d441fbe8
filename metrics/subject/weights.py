"""The detectors and DINOv2: where their weights are published, with hashes and terms."""

from __future__ import annotations

from ipvg_eval.metrics.weight_file import HubFile, HubFolder, WeightFile

_SUBJECTS = ("subject_similarity", "subject_similarity_all_frames", "subject_coverage")

WEIGHTS = (
    WeightFile(
        name="dinov2_vitb14",
        used_by=(*_SUBJECTS, "subject_consistency"),
        source=HubFile(
            repository="timm/vit_base_patch14_dinov2.lvd142m",
            path="model.safetensors",
            revision="4685c99dabffe5affac90bd99dbffd25801ae58d",
        ),
        file_name="dinov2_vitb14.safetensors",
        size=346_334_872,
        sha256="55cbb5d887b336d430e649c277b85a1429e724871f9d02ac16203235886d8c7b",
        licence="Apache-2.0 (Meta)",
        note="in timm's layout",
    ),
    WeightFile(
        name="owlv2_base",
        used_by=_SUBJECTS,
        source=HubFolder(
            repository="google/owlv2-base-patch16-ensemble",
            revision="7c77fc1316a353da3109f81d80ae118dd58fd55b",
        ),
        file_name="owlv2-base-patch16-ensemble",
        size=622_000_000,
        licence="Apache-2.0 (Google)",
        note="pinned by revision, hashes recorded when first pulled",
    ),
    WeightFile(
        name="grounding_dino_tiny",
        alternative=True,
        used_by=_SUBJECTS,
        source=HubFolder(
            repository="IDEA-Research/grounding-dino-tiny",
            revision="c254d1f282bf348ab7f5a27d5cf90531eeba69be",
        ),
        file_name="grounding-dino-tiny",
        size=690_000_000,
        licence="Apache-2.0 (IDEA Research)",
        note="by option instead of owlv2_base; pinned by revision; one other project states the same sha256",
        file_hashes={"model.safetensors": "1a2412ef99bd74bcd3c2a246fa1e48581f8889a1300c9051974741314fc042f3"},
    ),
    WeightFile(
        name="grounding_dino_base",
        alternative=True,
        used_by=_SUBJECTS,
        source=HubFolder(
            repository="IDEA-Research/grounding-dino-base",
            revision="a062f8edaf7f3aa52714a8f80cb8db7de1e5e170",
        ),
        file_name="grounding-dino-base",
        size=934_000_000,
        licence="Apache-2.0 (IDEA Research)",
        note="by option instead of owlv2_base; pinned by revision; one other project states the same sha256",
        file_hashes={"model.safetensors": "5548f844c928c4b6f411fa8cbcc2bfa8dbbba437cb1d513975519f93c2a9ed21"},
    ),
)
