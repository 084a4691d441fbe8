"""Make golden.npz with the published GME wrapper on the transformers release it was written for.

Run by hand in a throwaway environment:

    python -m venv old && old/bin/pip install torch transformers==4.51.3 'numpy<2.3' pillow requests tqdm
    git clone https://github.com/PKU-YuanGroup/OpenS2V-Nexus
    git -C OpenS2V-Nexus checkout b452831
    old/bin/python make.py OpenS2V-Nexus/eval

The wrapper is imported from that checkout. It embeds the prompts and pictures of `small_snapshot`
in float32 on the CPU.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import small_snapshot
import torch
import transformers
from PIL import Image

INSTRUCTIONS = {
    "tpige": "Find frames that match the given text description.",
    "opens2v": "Find an image that matches the given text.",
}


def main(evaluation_folder: str) -> None:
    """Embed everything and write golden.npz beside this file."""
    sys.path.insert(0, evaluation_folder)
    from utils.gme.gme_model import GmeQwen2VL

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        snapshot = small_snapshot.write(Path(folder))
        wrapper = GmeQwen2VL(str(snapshot), device="cpu", attn_model="sdpa")
    wrapper.base.float()
    prompts, frames = (
        list(small_snapshot.PROMPTS),
        [Image.fromarray(small_snapshot.frame(*size)) for size in small_snapshot.SIZES],
    )
    arrays: dict[str, np.ndarray] = {}
    for side in ("right", "left"):
        wrapper.processor.tokenizer.padding_side = side
        for name, instruction in INSTRUCTIONS.items():
            texts = wrapper.get_text_embeddings(texts=prompts, instruction=instruction)
            arrays[f"texts_{name}_{side}"] = texts.numpy()
        images = wrapper.get_image_embeddings(images=frames, is_query=False)
        arrays[f"images_{side}"] = images.numpy()
    long = wrapper.get_text_embeddings(texts=[prompts[0] * 50], instruction=INSTRUCTIONS["tpige"])
    arrays["over_long"] = long.numpy()
    arrays["made_with"] = np.array(f"transformers {transformers.__version__}, torch {torch.__version__}")
    np.savez(Path(__file__).with_name("golden.npz"), **arrays)


if __name__ == "__main__":
    main(sys.argv[1])
