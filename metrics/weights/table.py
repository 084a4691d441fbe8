"""The weight files the metrics use.

Hashes are those the publishers state (hub pages, release file names, package records). Sizes are in bytes;
those of folders are rounded.
"""

from __future__ import annotations

from collections.abc import Mapping

from ipvg_eval.core.suggest import did_you_mean
from ipvg_eval.metrics.errors import ProtocolError
from ipvg_eval.metrics.weights.declaration import (
    ArchiveMember,
    Bundled,
    HubFile,
    HubFolder,
    ReleaseAsset,
    WeightFile,
)

_BUFFALO_L = "https://github.com/deepinsight/insightface/releases/download/v0.7/buffalo_l.zip"
_BUFFALO_L_SHA256 = "80ffe37d8a5940d59a7384c201a2a38d4741f2f3c51eef46ebb28218a7b0ca2f"
_BUFFALO_L_SIZE = 288_621_354
_INSIGHTFACE_TERMS = "InsightFace model packs: non-commercial research only"
_CUR = ("cur_score", "cur_score_all_frames", "subject_cur_score")
_ARC = ("arc_score", "arc_score_all_frames", "subject_arc_score", "subject_face_coverage")
_FID = ("face_fid", "face_fid_samples")
_VIDEO_SCORES = (
    "video_score_visual_quality",
    "video_score_temporal_consistency",
    "video_score_dynamic_degree",
    "video_score_text_alignment",
    "video_score_factual_consistency",
)
_AESTHETICS = ("aesthetic_score", "aesthetic_score_unit")
_SUBJECTS = ("subject_similarity", "subject_similarity_all_frames", "subject_coverage")
_FACE_METRICS = (*_CUR, *_ARC, "face_feature_distance", *_FID, "face_coverage")

_ENTRIES = (
    WeightFile(
        name="det_10g.onnx",
        used_by=_FACE_METRICS,
        source=ArchiveMember(
            url=_BUFFALO_L,
            member="det_10g.onnx",
            archive_sha256=_BUFFALO_L_SHA256,
            archive_size=_BUFFALO_L_SIZE,
        ),
        file_name="det_10g.onnx",
        size=16_923_827,
        sha256="5838f7fe053675b1c7a08b633df49e7af5495cee0493c7dcf6697200b85b5b91",
        licence=_INSIGHTFACE_TERMS,
        non_commercial=True,
        note="SCRFD-10GF detector; the same bytes are scrfd_10g_bnkps.onnx in the antelopev2 pack",
        mirrors=(HubFile(repository="public-data/insightface", path="models/buffalo_l/det_10g.onnx"),),
    ),
    WeightFile(
        name="w600k_r50.onnx",
        used_by=_ARC,
        source=ArchiveMember(
            url=_BUFFALO_L,
            member="w600k_r50.onnx",
            archive_sha256=_BUFFALO_L_SHA256,
            archive_size=_BUFFALO_L_SIZE,
        ),
        file_name="w600k_r50.onnx",
        size=174_383_860,
        sha256="4c06341c33c2ca1f86781dab0e829f88ad5b64be9fba56e56bc9ebdefc619e43",
        licence=_INSIGHTFACE_TERMS,
        non_commercial=True,
        note="ArcFace, ResNet-50 trained on WebFace600K",
        mirrors=(HubFile(repository="public-data/insightface", path="models/buffalo_l/w600k_r50.onnx"),),
    ),
    WeightFile(
        name="curricularface_r101",
        used_by=_CUR,
        source=HubFile(
            repository="BestWishYsh/ConsisID-preview",
            path="face_encoder/glint360k_curricular_face_r101_backbone.bin",
        ),
        file_name="glint360k_curricular_face_r101_backbone.bin",
        sha256="aa54ae6dc9f7ac6e262809f1a81d6108e221952bf836aee4cb677ef19246c6ec",
        licence="none stated for this file; trained on Glint360K, a data set for non-commercial research",
        non_commercial=True,
        note="about 261 MB; also in BestWishYsh/OpenS2V-Weight and Junjie96/UniPortrait",
        mirrors=(
            HubFile(
                repository="BestWishYsh/OpenS2V-Weight",
                path="glint360k_curricular_face_r101_backbone.bin",
            ),
            # Said to hold the same bytes; its hash decides.
            ReleaseAsset(
                url="https://modelscope.cn/models/damo/cv_ir101_facerecognition_cfglint/resolve/master/"
                "pytorch_model.bin"
            ),
        ),
    ),
    WeightFile(
        name="inception_v3_imagenet",
        used_by=("face_feature_distance",),
        source=ReleaseAsset(url="https://download.pytorch.org/models/inception_v3_google-0cc3c7bd.pth"),
        file_name="inception_v3_google-0cc3c7bd.pth",
        size=108_949_747,
        sha256="0cc3c7bd",
        licence="BSD-3-Clause (torchvision)",
        note="only the first 8 digits of the sha256 are published, in the file name",
    ),
    WeightFile(
        name="inception_v3_fid",
        used_by=_FID,
        source=ReleaseAsset(
            url="https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"
            "pt_inception-2015-12-05-6726825d.pth"
        ),
        file_name="pt_inception-2015-12-05-6726825d.pth",
        size=95_628_359,
        sha256="6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
        licence="Apache-2.0 (pytorch-fid, ported from TensorFlow)",
    ),
    WeightFile(
        name="amt_s",
        used_by=("motion_smoothness",),
        source=HubFile(repository="lalala125/AMT", path="amt-s.pth"),
        file_name="amt-s.pth",
        size=12_038_359,
        sha256="07e7e03405c213fe4405678db9b42d05671e48c56faf6a441b99bb0047d3cf77",
        licence="CC-BY-NC-SA-4.0 (code CC-BY-NC-4.0)",
        non_commercial=True,
    ),
    WeightFile(
        name="raft_things",
        used_by=("dynamic_degree",),
        source=ReleaseAsset(
            url="https://github.com/sczhou/ProPainter/releases/download/v0.1.0/raft-things.pth"
        ),
        file_name="raft-things.pth",
        size=21_108_000,
        sha256="fcfa4125d6418f4de95d84aec20a3c5f4e205101715a79f193243c186ac9a7e1",
        licence="BSD-3-Clause (princeton-vl/RAFT)",
        note="a copy of models/raft-things.pth in models.zip, to which princeton-vl/RAFT links",
    ),
    WeightFile(
        name="musiq_spaq",
        used_by=("imaging_quality",),
        source=ReleaseAsset(
            url="https://github.com/chaofengc/IQA-PyTorch/releases/download/v0.1-weights/"
            "musiq_spaq_ckpt-358bb6af.pth"
        ),
        file_name="musiq_spaq_ckpt-358bb6af.pth",
        size=108_610_983,
        sha256="358bb6af275e28ea56821d44fb55c6cb83645db11f394d3ad65b2d149965ab50",
        licence="PolyForm-Noncommercial-1.0.0 (pyiqa)",
        non_commercial=True,
    ),
    # open_clip 3.3 resolves pretrained="openai" to these two repositories and prefers their safetensors file.
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
    WeightFile(
        name="gme_2b",
        used_by=("gme_score",),
        source=HubFolder(
            repository="Alibaba-NLP/gme-Qwen2-VL-2B-Instruct",
            revision="9cfa6413f704a7c1cf5064d240748e10c876b286",
        ),
        file_name="gme-Qwen2-VL-2B-Instruct",
        size=8_840_000_000,
        licence="Apache-2.0",
        note="pinned by revision, hashes recorded when first pulled",
    ),
    WeightFile(
        name="gme_7b",
        alternative=True,
        used_by=("gme_score",),
        source=HubFolder(
            repository="Alibaba-NLP/gme-Qwen2-VL-7B-Instruct",
            revision="477027a6480f8630363be77751f169cc3434b673",
        ),
        file_name="gme-Qwen2-VL-7B-Instruct",
        size=33_170_000_000,
        licence="Apache-2.0",
        note="pinned by revision, hashes recorded when first pulled",
    ),
    WeightFile(
        name="mtcnn",
        used_by=("lite_identity", "face_coverage"),
        source=Bundled(
            package="facenet_pytorch",
            distribution="facenet-pytorch",
            folder="data",
            files=("onet.pt", "pnet.pt", "rnet.pt"),
        ),
        file_name="mtcnn",
        size=1_559_269 + 28_570 + 403_147,
        sha256="ef3fb82885cbc93b457bfe20c28f34c97ce3c34ad3f6ed946a98a60e7da933ad",
        licence="MIT (facenet-pytorch)",
    ),
)

WEIGHTS: Mapping[str, WeightFile] = {entry.name: entry for entry in _ENTRIES}
"""Every declared weight by name."""


def weights_of(metric: str) -> tuple[str, ...]:
    """Names of the weights that a metric needs where no option names another."""
    return tuple(w.name for w in WEIGHTS.values() if metric in w.used_by and not w.alternative)


def declared(name: str, table: Mapping[str, WeightFile] = WEIGHTS) -> WeightFile:
    """The row of a weight, by its name or its file name.

    Raises:
        ProtocolError: no such row.
    """
    if name in table:
        return table[name]
    for weight in table.values():
        if weight.file_name == name:
            return weight
    raise ProtocolError(f"no weight is called {name!r}", hint=did_you_mean(name, table))
