"""The interpolation and flow networks: where their weights are published, with hashes and terms."""

from __future__ import annotations

from ipvg_eval.metrics.weight_file import HubFile, ReleaseAsset, WeightFile

WEIGHTS = (
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
)
