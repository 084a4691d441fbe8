"""Networks of talking heads: where their weights are published, with hashes and terms."""

from __future__ import annotations

from ipvg_eval.metrics.weight_file import Bundled, HubFile, ReleaseAsset, WeightFile

_SYNC = ("sync_c", "sync_d", "sync_offset", "sync_c_at_zero")

WEIGHTS = (
    WeightFile(
        name="syncnet_v2",
        used_by=_SYNC,
        source=HubFile(repository="ByteDance/LatentSync-1.6", path="auxiliary/syncnet_v2.model"),
        file_name="syncnet_v2.model",
        size=54_573_114,
        sha256="961e8696f888fce4f3f3a6c3d5b3267cf5b343100b238e79b2659bff2c605442",
        licence="none stated for this file by the Visual Geometry Group (Oxford), who published it",
        non_commercial=True,
        note="SyncNet of Chung and Zisserman 2016; a state dict, loaded as tensors only",
    ),
    WeightFile(
        name="dlib_68_landmarks",
        used_by=("akd", "f_lmd", "m_lmd", "f_lmd_aligned", "landmark_coverage"),
        source=Bundled(
            package="face_recognition_models",
            distribution="face-recognition-models",
            folder="models",
            files=("shape_predictor_68_face_landmarks.dat",),
        ),
        file_name="dlib_68_landmarks",
        size=99_693_937,
        sha256="178fd15a372b84a066fdbe98de5d67b4b7bde1e424c735068d7044071cc20fb8",
        licence="CC0 (face-recognition-models); trained on iBUG 300-W, whose terms exclude commercial use",
        non_commercial=True,
    ),
    WeightFile(
        name="i3d_kinetics_400",
        used_by=("fvd", "fvd_floor", "fvd_samples"),
        source=ReleaseAsset(
            url="https://huggingface.co/spaces/LanguageBind/Open-Sora-Plan-v1.0.0/resolve/"
            "810fa8c4bdb3a4c8eec9bd57375c29bde6fb46de/opensora/eval/fvd/videogpt/i3d_pretrained_400.pt"
        ),
        file_name="i3d_pretrained_400.pt",
        licence="none stated; converted from DeepMind's I3D (Apache-2.0), trained on Kinetics-400",
        note="about 50 MB; pinned by the commit in its address, as no sha256 is published",
    ),
)
