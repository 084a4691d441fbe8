"""Detectors, recognisers and Inception networks: where weights are published, with hashes and terms."""

from __future__ import annotations

from ipvg_eval.metrics.weight_file import ArchiveMember, Bundled, HubFile, ReleaseAsset, WeightFile

_BUFFALO_L = "https://github.com/deepinsight/insightface/releases/download/v0.7/buffalo_l.zip"
_BUFFALO_L_SHA256 = "80ffe37d8a5940d59a7384c201a2a38d4741f2f3c51eef46ebb28218a7b0ca2f"
_BUFFALO_L_SIZE = 288_621_354
_INSIGHTFACE_TERMS = "InsightFace model packs: non-commercial research only"
_CUR = ("cur_score", "cur_score_all_frames", "subject_cur_score")
_ARC = ("arc_score", "arc_score_all_frames", "subject_arc_score", "subject_face_coverage")
_FID = ("face_fid", "face_fid_samples")
_FRAME_FID = ("fid", "fid_samples")
_FACE_METRICS = (*_CUR, *_ARC, "face_feature_distance", *_FID, "face_coverage")

WEIGHTS = (
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
        used_by=(*_FID, *_FRAME_FID),
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
        name="mtcnn",
        used_by=(
            *("lite_identity", "face_coverage", "lite_lip_sync", "lite_lip_lag", "mouth_motion"),
            "lite_landmark_distance",
        ),
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
