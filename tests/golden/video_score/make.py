"""Make golden.npz with VideoScore's published script and class on a transformers release of their time.

Run by hand in a throwaway environment:

    python -m venv old && old/bin/pip install torch transformers==4.44.2 'numpy<2.3' pillow safetensors
    git clone https://github.com/TIGER-AI-Lab/Mantis && git -C Mantis checkout f3a3192
    git clone https://github.com/TIGER-AI-Lab/VideoScore && git -C VideoScore checkout 8e44973
    old/bin/python make.py Mantis/mantis/models/idefics2/modeling_idefics2.py \\
        VideoScore/examples/run_videoscore.py

The class is imported from the first file, the prompt is read from the second. The inputs are put
together as the second file does it (lines 76-93), in float32 on the CPU.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import sys
import tempfile
from pathlib import Path

import numpy as np
import small_snapshot
import torch
import transformers
from PIL import Image


def main(model_file: str, script: str) -> None:
    """Score the videos of `small_snapshot` and write golden.npz beside this file."""
    torch.set_num_threads(1)
    spec = importlib.util.spec_from_file_location("mantis_idefics2", model_file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    prompt = published_prompt(Path(script))
    with tempfile.TemporaryDirectory() as name:
        folder = small_snapshot.write(Path(name))
        tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(folder)
        images = transformers.Idefics2ImageProcessor.from_pretrained(folder)
        processor = transformers.Idefics2Processor(images, tokenizer, image_seq_len=small_snapshot.LATENTS)
        model, report = module.Idefics2ForSequenceClassification.from_pretrained(
            folder, torch_dtype=torch.float32, output_loading_info=True
        )
    assert not any(report[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys")), report
    arrays = {}
    for number, text in enumerate(small_snapshot.PROMPTS):
        frames = [Image.fromarray(frame) for frame in small_snapshot.frames(number)]
        question = prompt.format(text_prompt=text) + "<image> " * len(frames)
        inputs = processor(text=question, images=frames, return_tensors="pt")
        with torch.no_grad():
            arrays[f"scores_{number}"] = model.eval()(**inputs).logits[0].numpy()
        arrays[f"ids_{number}"] = inputs["input_ids"][0].numpy()
    arrays["prompt_sha256"] = np.array(hashlib.sha256(prompt.encode()).hexdigest())
    arrays["made_with"] = np.array(f"transformers {transformers.__version__}, torch {torch.__version__}")
    np.savez(Path(__file__).with_name("golden.npz"), **arrays)


def published_prompt(script: Path) -> str:
    """The string REGRESSION_QUERY_PROMPT of the published script, which is not run."""
    for node in ast.parse(script.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "REGRESSION_QUERY_PROMPT":
            return ast.literal_eval(node.value)
    raise SystemExit(f"{script}: no prompt")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
