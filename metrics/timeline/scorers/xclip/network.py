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

    def cosines(self, clips: Sequence[Sequence[Frames]], texts: Sequence[str]) -> FloatArray:
        """Cosine of each clip with each text; see `conditioned_cosines`."""
        return self.conditioned_cosines(clips, self.texts(texts))

    @torch.inference_mode()
    def conditioned_cosines(self, clips: Sequence[Sequence[Frames]], texts: Rows) -> FloatArray:
        """Cosine of each clip with each text, as the model's own forward pass has it.

        A text's embedding is shifted by the video-specific prompt before it is compared: what is
        given depends on the text alone, what is compared does not.

        Args:
            clips: each of `frames_per_clip` crops.
            texts: embeddings as `texts` gives them; (n, d).

        Returns:
            (clips, n) float64.
        """
        network = self._network
        with stage("network", self._name):
            pixels = self._pixels(clips)
            count, frames = pixels.shape[:2]
            seen = network.vision_model(pixel_values=pixels.flatten(0, 1))
            tokens = network.visual_projection(seen.pooler_output).view(count, frames, -1)
            video = network.mit(tokens).pooler_output
            patches = network.prompts_visual_layernorm(seen.last_hidden_state[:, 1:])
            patches = patches @ network.prompts_visual_projection
            prompts = patches.view(count, frames, -1, video.shape[-1]).mean(dim=1)
            rows = torch.from_numpy(texts).to(video.device, video.dtype).expand(count, -1, -1)
            shifted = rows + network.prompts_generator(rows, prompts)
            video, shifted = (one / one.norm(dim=-1, keepdim=True) for one in (video, shifted))
            cosines = torch.einsum("bd,bkd->bk", video.double(), shifted.double())
            return np.asarray(cosines.cpu().numpy(), dtype=np.float64)

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
