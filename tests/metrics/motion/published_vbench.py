"""Score videos with the installed vbench package, by its own classes.

    python published_vbench.py motion_smoothness|dynamic_degree REQUEST.json FOLDER

REQUEST names a checkpoint and jobs {"video": path}, for motion smoothness with "memory_gib": number or null;
FOLDER receives results.json and, per job, the frames as vbench decoded them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import cv2  # noqa: F401  before decord, else it cannot read PNG files
import numpy as np
import torch


def motion_smoothness(checkpoint: str, jobs: list[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    import vbench.motion_smoothness as published

    config = Path(published.__file__).parent / "third_party" / "amt" / "cfgs" / "AMT-S.yaml"
    results = []
    for number, job in enumerate(jobs):
        motion = published.MotionSmoothness(str(config), checkpoint, torch.device("cpu"))
        if job["memory_gib"] is not None:
            # What its initialization() sets for the string "cuda" on a GPU with this much memory.
            motion.anchor_resolution = 1024 * 512
            motion.anchor_memory = 1500 * 1024**2
            motion.anchor_memory_bias = 2500 * 1024**2
            motion.vram_avail = int(job["memory_gib"] * 1024**3)
        read = motion.fp.get_frames_from_img_folder if Path(job["video"]).is_dir() else motion.fp.get_frames
        results.append({"score": float(motion.motion_score(job["video"]))})
        np.save(folder / f"{number}.npy", np.stack(read(job["video"])))
        results[-1]["frames"] = str(folder / f"{number}.npy")
    return results


def dynamic_degree(checkpoint: str, jobs: list[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    import vbench.dynamic_degree as published
    from easydict import EasyDict

    options = EasyDict(model=checkpoint, small=False, mixed_precision=False, alternate_corr=False)
    dynamic = published.DynamicDegree(options, torch.device("cpu"))
    seen: list[float] = []
    check = dynamic.check_move

    def listen(scores: list[float]) -> bool:
        seen.extend(scores)
        return bool(check(scores))

    dynamic.check_move = listen
    results = []
    for number, job in enumerate(jobs):
        seen.clear()
        moving = dynamic.infer(job["video"])
        every = dynamic.extract_frame
        dynamic.extract_frame = lambda frames, _interval=1: frames
        frames = torch.cat(dynamic.get_frames(job["video"])).permute(0, 2, 3, 1).numpy().astype(np.uint8)
        dynamic.extract_frame = every
        np.save(folder / f"{number}.npy", frames)
        results.append(
            {
                "moving": moving,
                "flows": list(seen),
                "frames": str(folder / f"{number}.npy"),
                "threshold": dynamic.params["thres"],
                "needed": dynamic.params["count_num"],
            }
        )
    return results


if __name__ == "__main__":
    torch.set_num_threads(1)
    dimension, request, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    wanted = json.loads(request.read_text(encoding="utf-8"))
    score = {"motion_smoothness": motion_smoothness, "dynamic_degree": dynamic_degree}[dimension]
    results = score(wanted["checkpoint"], wanted["jobs"], folder)
    (folder / "results.json").write_text(json.dumps(results), encoding="utf-8")
