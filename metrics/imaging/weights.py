"""The quality network: where their weights are published, with hashes and terms."""

from __future__ import annotations

from ipvg_eval.metrics.weight_file import ReleaseAsset, WeightFile

WEIGHTS = (
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
)
