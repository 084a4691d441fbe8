"""VideoScore's five numbers for the frames of a video and its prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from ipvg_eval.core.measurement import Frames
from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.runtime import Runtime, weight_source
from ipvg_eval.metrics.snapshots import VERIFY, transformers
from ipvg_eval.metrics.third_party import published_module
from ipvg_eval.metrics.timeline.alignment.event_grid import FloatArray
from ipvg_eval.metrics.timeline.video_score.checkpoint import full_size, load_parts, random_parts
from ipvg_eval.metrics.timeline.video_score.query import FENCE, IMAGE, query
from ipvg_eval.metrics.timeline.video_score.spec import WEIGHTS
from ipvg_eval.metrics.timing import stage

_DTYPE: Final = torch.bfloat16
"""As in the published script (examples/run_videoscore.py lines 63-64); the runtime's does not count."""

_FRAMES_AT_ONCE: Final = 2
"""Frames the vision tower sees together, as in the published class; it changes no number but memory."""


class VideoScore:
    """The network with its processor and tokenizer.

    Equal to the published class except for frames with 49 or 58 patches on a side (686 to 699 and 812 to 825
    pixels): there transformers rounds one or two of the vision tower's positions the other way.

    Attributes:
        weights: sha256 of the snapshot by name.
    """

    def __init__(
        self,
        network: Any,
        head: torch.nn.Linear,
        *,
        processor: Any,
        tokenizer: Any,
        weights: Mapping[str, str],
    ) -> None:
        image = tokenizer.token_to_id(IMAGE)
        if image is None or image != network.config.image_token_id:
            raise WeightsMissing(
                "the tokenizer and the network disagree on the image token's id", hint=VERIFY
            )
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self.weights = weights
        self._network, self._head = network, head
        self._processor, self._tokenizer = processor, tokenizer
        self._image = image

    @classmethod
    def load(cls, runtime: Runtime, *, dtype: torch.dtype = _DTYPE) -> VideoScore:
        """From the snapshot folder, or at full size with random weights and a byte-level tokenizer.

        Raises:
            WeightsMissing: packages or files are missing.
        """
        source = weight_source(runtime, WEIGHTS)
        hashes = {WEIGHTS: source.sha256(WEIGHTS)}
        processor = transformers(".models.idefics2.image_processing_pil_idefics2").Idefics2ImageProcessorPil
        if source.random_seed is not None:
            parts = random_parts(full_size(), seed=source.random_seed, dtype=dtype, device=runtime.device)
            return cls(*parts, processor=processor(), tokenizer=_bytes_only(), weights=hashes)
        folder = source.path(WEIGHTS)
        parts = load_parts(folder, dtype=dtype, device=runtime.device)
        return cls(
            *parts, processor=_processor(processor, folder), tokenizer=_tokenizer(folder), weights=hashes
        )

    def shrink(self, frame: Frames) -> Frames:
        """A frame at the size at which the model sees it: sides of 378 to 980 pixels (Pillow, bilinear).

        Args:
            frame: (height, width, 3) uint8.

        Returns:
            (height', width', 3) uint8.
        """
        pixels = self._processor.resize(
            frame.transpose(2, 0, 1), size=self._size(), resample=self._processor.resample
        )
        return np.ascontiguousarray(pixels.transpose(1, 2, 0))

    @torch.inference_mode()
    def scores(self, frames: Sequence[Frames], prompt: str) -> FloatArray:
        """Visual quality, temporal consistency, dynamic degree, alignment with the text, factual consistency.

        Args:
            frames: shrunk frames in order of time, of one size.
            prompt: what the video was made from, without control tokens.

        Returns:
            (5,) float64; trained on 1 to 4, not bounded; NaN where the network's output is not finite.
        """
        with stage("network", WEIGHTS):
            return self._forward(frames, prompt)

    def _forward(self, frames: Sequence[Frames], prompt: str) -> FloatArray:
        pieces = [
            self._latents(frames[i : i + _FRAMES_AT_ONCE]) for i in range(0, len(frames), _FRAMES_AT_ONCE)
        ]
        latents = torch.cat(pieces)
        text = query(prompt, frames=len(frames), tokens_per_frame=len(latents) // len(frames))
        ids = torch.tensor(self._tokenizer.encode(text).ids, device=latents.device)
        embedded = self._network.get_input_embeddings()(ids)
        embedded[ids == self._image] = latents.to(embedded.dtype)
        states = self._network.text_model(inputs_embeds=embedded[None], use_cache=False).last_hidden_state
        values = self._head(states[0, -1]).double().cpu().numpy()
        return np.asarray(np.where(np.isfinite(values), values, np.nan), dtype=np.float64)

    def _latents(self, frames: Sequence[Frames]) -> torch.Tensor:
        """(frames * tokens, d): what the vision tower and the resampler make of frames."""
        seen = self._processor([list(frames)], do_resize=False, return_tensors="pt")
        device = self._network.device
        output = self._network.get_image_features(
            pixel_values=seen["pixel_values"].to(device),
            pixel_attention_mask=seen["pixel_attention_mask"].to(device),
        )
        return torch.cat(list(output.pooler_output))

    def _size(self) -> Any:
        size = self._processor.size
        return transformers(".image_utils").SizeDict(
            shortest_edge=size["shortest_edge"], longest_edge=size["longest_edge"]
        )


def _processor(cls: Any, folder: Path) -> Any:
    try:
        processor = cls.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, TypeError) as error:
        raise WeightsMissing(
            f"{folder}: preprocessor_config.json cannot be used ({error})", hint=VERIFY
        ) from error
    if processor.do_image_splitting:
        raise WeightsMissing(
            f"{folder}: preprocessor_config.json splits pictures, which VideoScore was not trained with",
            hint=VERIFY,
        )
    return processor


def _tokenizer(folder: Path) -> Any:
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise WeightsMissing(f"{path}: the snapshot has no tokenizer.json", hint=VERIFY)
    return published_module("tokenizers", package="tokenizers").Tokenizer.from_file(str(path))


def _bytes_only() -> Any:
    """A stand-in for runs with random weights: one token per UTF-8 byte, Idefics2's control tokens."""
    tokenizers = published_module("tokenizers", package="tokenizers")
    letters = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    control = {FENCE: 32000, IMAGE: 32001}
    vocabulary = {letter: number for number, letter in enumerate(letters)} | control
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.add_special_tokens(list(control))
    return tokenizer
