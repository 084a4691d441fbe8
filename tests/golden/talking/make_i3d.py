"""Make i3d.npz with VideoGPT's published I3D on seeded weights.

Run by hand in a throwaway environment with torch:

    git clone https://github.com/JunyaoHu/common_metrics_on_video_quality published
    git -C published checkout 5f75173
    python tests/golden/talking/make_i3d.py published/fvd/videogpt/pytorch_i3d.py
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import seeded
import torch


def main(file: str) -> None:
    """Write i3d.npz beside this file."""
    torch.set_num_threads(1)
    spec = importlib.util.spec_from_file_location("pytorch_i3d", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    network = module.InceptionI3d(400, in_channels=3).eval()
    with torch.no_grad():
        seeded.fill(network.state_dict())
        logits = network(torch.from_numpy(seeded.clip()).permute(3, 0, 1, 2)[None])
    np.savez(
        Path(__file__).with_name("i3d.npz"),
        logits=logits[0].numpy(),
        made_with=np.array(f"torch {torch.__version__}"),
    )


if __name__ == "__main__":
    main(sys.argv[1])
