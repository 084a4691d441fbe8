"""Score videos with the installed vbench package's imaging quality loop.

    python published_vbench.py REQUEST.json FOLDER

REQUEST names a checkpoint, videos and resize modes per video; FOLDER receives results.json and the frames of
each video as vbench decoded them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import cv2  # noqa: F401  before decord, else it cannot read PNG files
import numpy as np
import torch


def main(request: Path, folder: Path) -> None:
    import vbench.imaging_quality as published

    torch.set_num_threads(1)
    wanted = json.loads(request.read_text(encoding="utf-8"))
    model = published.MUSIQ(pretrained_model_path=wanted["checkpoint"])
    model.training = False
    results: dict[str, dict[str, Any]] = {}
    for number, video in enumerate(wanted["videos"]):
        frames = published.load_video(video).permute(0, 2, 3, 1).numpy().astype(np.uint8)
        np.save(folder / f"{number}.npy", frames)
        per_video, corpus = {}, {}
        for mode in wanted["modes"][number]:
            corpus[mode], [listed] = published.technical_quality(
                model, [video], torch.device("cpu"), imaging_quality_preprocessing_mode=mode
            )
            per_video[mode] = listed["video_results"]
        results[video] = {"frames": str(folder / f"{number}.npy"), "per_video": per_video, "corpus": corpus}
    (folder / "results.json").write_text(json.dumps(results), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
