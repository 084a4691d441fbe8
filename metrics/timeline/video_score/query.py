"""What VideoScore is asked. The model was trained on this very text, so every character of it counts.

Source: REGRESSION_QUERY_PROMPT, TIGER-AI-Lab/VideoScore examples/run_videoscore.py lines 25-47 @8e44973,
MIT licence, Copyright (c) 2024 TIGER Lab.
"""

from __future__ import annotations

from typing import Final

IMAGE: Final = "<image>"
FENCE: Final = "<fake_token_around_image>"

_BEFORE: Final = """
Suppose you are an expert in judging and evaluating the quality of AI-generated videos,
please watch the following frames of a given video and see the text prompt for generating the video,
then give scores from 5 different dimensions:
(1) visual quality: the quality of the video in terms of clearness, resolution, brightness, and color
(2) temporal consistency, both the consistency of objects or humans and the smoothness of motion or movements
(3) dynamic degree, the degree of dynamic changes
(4) text-to-video alignment, the alignment between the text prompt and the video content
(5) factual consistency, the consistency of the video content with the common-sense and factual knowledge

for each dimension, output a float number from 1.0 to 4.0,
the higher the number is, the better the video performs in that sub-score,\N{SPACE}
the lowest 1.0 means Bad, the highest 4.0 means Perfect/Real (the video is like a real video)
Here is an output example:
visual quality: 3.2
temporal consistency: 2.7
dynamic degree: 4.0
text-to-video alignment: 2.3
factual consistency: 1.8

For this video, the text prompt is \""""

_AFTER: Final = """\",
all the frames of video are as follows:
"""


def query(prompt: str, *, frames: int, tokens_per_frame: int) -> str:
    """The whole text, each frame as its image tokens between two fences.

    A frame is `<image> ` with a space behind it (line 80 of the source); what becomes of `<image>` is
    transformers' Idefics2Processor without image splitting.

    Args:
        prompt: what the video was made from.
        frames: number of frames.
        tokens_per_frame: tokens into which the network resamples a frame.
    """
    return f"{_BEFORE}{prompt}{_AFTER}" + f"{FENCE}{IMAGE * tokens_per_frame}{FENCE} " * frames


def holds_control_tokens(prompt: str) -> bool:
    """Whether a prompt has text that the tokenizer would take for a frame."""
    return IMAGE in prompt or FENCE in prompt
