"""X-CLIP on clips of frames: cosines with texts, and an embedding per frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from ipvg_eval.core.measurement import Frames
from ipvg_eval.metrics.clip.preprocess import resized_size
from ipvg_eval.metrics.clip.tokens import CONTEXT, ClipTokenizer
from ipvg_eval.metrics.compilation import compile_blocks
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.timeline.alignment.event_grid import FloatArray
from ipvg_eval.metrics.timeline.scorers.xclip.checkpoint import PixelRules, load
from ipvg_eval.metrics.timing import stage
from ipvg_eval.metrics.upload import upload

Rows = npt.NDArray[np.float32]


class XClip:
    """One X-CLIP model.

    Attributes:
        frames_per_clip: how many frames its clips have.
    """

    def __init__(self, network: Any, rules: PixelRules, *, name: str = "xclip") -> None:
        self._name = name
        self._network = network
        self._tokenizer = ClipTokenizer()
        self._mean, self._std = (
            torch.tensor(values, device=network.device).view(3, 1, 1) for values in (rules.mean, rules.std)
        )
        self._side = int(network.config.vision_config.image_size)
        self.frames_per_clip = int(network.config.vision_config.num_frames)

    @classmethod
    def load(cls, model: str, weights: str, runtime: Runtime) -> XClip:
        """By name; see `ipvg_eval.metrics.timeline.scorers.xclip.checkpoint.load`."""
        network, rules = load(model, weights, runtime)
        if runtime.compiled:
            compile_blocks(network)
        return cls(network, rules, name=weights)

    def crop(self, frame: Frames) -> Frames:
        """The pixels that the network sees: shortest side to 224 (Pillow, bilinear), centre crop.

        Source: transformers VideoMAEImageProcessor, which X-CLIP's snapshots name.

        Args:
            frame: (height, width, 3) uint8.

        Returns:
            (224, 224, 3) uint8.
        """
        size = resized_size(frame.shape[1], frame.shape[0], self._side)
        pixels = np.asarray(Image.fromarray(frame).resize(size, Image.Resampling.BILINEAR))
        left, top = (size[0] - self._side) // 2, (size[1] - self._side) // 2
        return np.ascontiguousarray(pixels[top : top + self._side, left : left + self._side])

    def cut_off(self, text: str) -> bool:
        """Whether the text has more than 77 tokens, its start and end token included."""
        return self._tokenizer(text).cut_off > 0

    @torch.inference_mode()
    def cosines(self, clips: Sequence[Sequence[Frames]], texts: Sequence[str]) -> FloatArray:
        """Cosine of each clip with each text, as the model's own forward pass has it.

        The text's embedding is shifted by the video-specific prompt before it is compared.

        Args:
            clips: each of `frames_per_clip` crops.
            texts: any number.

        Returns:
            (clips, texts) float64.
        """
        with stage("network", self._name):
            output = self._network(input_ids=self._ids(texts), pixel_values=self._pixels(clips))
            video, text = output.video_embeds.double(), output.text_embeds.double()
            return np.asarray(torch.einsum("bd,bkd->bk", video, text).cpu().numpy(), dtype=np.float64)

    @torch.inference_mode()
    def texts(self, texts: Sequence[str]) -> Rows:
        """Embeddings of texts that no video conditions; (n, d) float32, not normalised."""
        with stage("network", self._name):
            return _rows(self._network.get_text_features(input_ids=self._ids(texts)).pooler_output)

    @torch.inference_mode()
    def frames(self, crops: Sequence[Frames]) -> Rows:
        """An embedding of each frame of one clip: its projected class token, before the frames are merged.

        Args:
            crops: at most `frames_per_clip`; the last one is repeated where there are fewer.

        Returns:
            (crops, d) float32, not normalised.
        """
        clip = [*crops, *[crops[-1]] * (self.frames_per_clip - len(crops))]
        with stage("network", self._name):
            tokens = self._network.vision_model(pixel_values=self._pixels([clip])[0]).pooler_output
            return _rows(self._network.visual_projection(tokens))[: len(crops)]

    def _ids(self, texts: Sequence[str]) -> torch.Tensor:
        """Token ids, (n, longest). Rows end in zeros, which nothing reads: attention looks back only."""
        rows = [self._tokenizer(text).truncated() for text in texts]
        longest = max(len(row) for row in rows)
        assert longest <= CONTEXT
        padded = [[*row, *[0] * (longest - len(row))] for row in rows]
        return torch.tensor(padded, device=self._network.device)

    def _pixels(self, clips: Sequence[Sequence[Frames]]) -> torch.Tensor:
        """(clips, frames, 3, side, side) normalised, in the network's floating-point type."""
        stacked = upload(np.stack([np.stack(clip) for clip in clips]), self._network.device)
        scaled = stacked.permute(0, 1, 4, 2, 3).float() / 255.0
        return ((scaled - self._mean) / self._std).to(self._network.dtype)


def _rows(tensor: torch.Tensor) -> Rows:
    return np.asarray(tensor.float().cpu().numpy(), dtype=np.float32)
