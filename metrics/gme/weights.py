"""The GME models: where their weights are published, with hashes and terms."""

from __future__ import annotations

from ipvg_eval.metrics.weight_file import HubFolder, WeightFile

WEIGHTS = (
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
)
