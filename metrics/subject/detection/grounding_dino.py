"""Grounding DINO (arXiv 2303.05499, IDEA-Research/grounding-dino-tiny and -base)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import torch

from ipvg_eval.core.measurement import Frames
from ipvg_eval.metrics.runtime import Runtime, weight_source
from ipvg_eval.metrics.snapshots import load_snapshot, transformers
from ipvg_eval.metrics.subject.boxes import Boxes
from ipvg_eval.metrics.subject.detection.checkpoint import (
    SWIN,
    GroundingDinoModel,
    grounding_dino_configuration,
    random_grounding_dino,
)
from ipvg_eval.metrics.subject.detection.detector import merged, reduced
from ipvg_eval.metrics.subject.detection.phrases import PHRASE, PhraseTokenizer, Text
from ipvg_eval.metrics.timing import stage

QUERY: Final = "{label}"
THRESHOLD: Final = 0.25
TEXT_THRESHOLD: Final = 0.25
"""Defaults of GroundingDinoProcessor.post_process_grounded_object_detection; the text is put together as that
processor does it from a list of labels."""


class GroundingDinoDetector:
    """Boxes from transformers' GroundingDinoForObjectDetection.

    Pixels go through transformers' GroundingDinoImageProcessor (short side 800, long side at most 1333,
    ImageNet's mean and deviation). A box counts where the most probable token of the whole text is above the
    threshold, as published. The published processor then writes down the tokens above the text threshold,
    whatever labels they come from; here a box has the one label with the most probable token, which must be
    above that threshold. The network stays float32 whatever the runtime's type is.
    """

    title = "Grounding DINO"

    def __init__(
        self,
        model: Any,
        tokenizer: PhraseTokenizer,
        *,
        device: str = "cpu",
        query: str = QUERY,
        threshold: float = THRESHOLD,
        text_threshold: float = TEXT_THRESHOLD,
        weights: Mapping[str, str] | None = None,
    ) -> None:
        self._device = torch.device(device)
        self._model = model.eval().requires_grad_(False).to(self._device)
        self._processor = transformers().GroundingDinoImageProcessor()
        self._tokenizer = tokenizer
        self._name = next(iter(weights or ()), self.title)
        self._query, self._threshold, self._text_threshold = query, threshold, text_threshold
        self.weights: Mapping[str, str] = weights or {}

    @classmethod
    def load(
        cls,
        name: GroundingDinoModel,
        runtime: Runtime,
        *,
        query: str = QUERY,
        threshold: float = THRESHOLD,
        text_threshold: float = TEXT_THRESHOLD,
    ) -> GroundingDinoDetector:
        """A published snapshot, or the same architecture with seeded random weights.

        With random weights the tokenizer is a stand-in.

        Raises:
            WeightsMissing: packages or files are missing.
        """
        source = weight_source(runtime, name)
        if source.random_seed is None:
            folder = source.path(name)
            tokenizer = PhraseTokenizer.load(folder)
            model = load_snapshot(
                transformers().GroundingDinoForObjectDetection,
                folder,
                dtype=torch.float32,
                device=runtime.device,
            )
        else:
            tokenizer = PhraseTokenizer.letters_only()
            model = random_grounding_dino(grounding_dino_configuration(SWIN[name]), seed=source.random_seed)
        return cls(
            model,
            tokenizer,
            device=runtime.device,
            query=query,
            threshold=threshold,
            text_threshold=text_threshold,
            weights={name: source.sha256(name)},
        )

    def reads_all(self, label: str) -> bool:
        """Whether the phrase of a label has at most 32 tokens."""
        return len(self._tokenizer.phrase(self._query.format(label=label))) <= PHRASE

    @torch.inference_mode()
    def detect(self, pictures: Sequence[Frames], labels: Sequence[str]) -> list[Boxes]:
        """What is found; see `ipvg_eval.metrics.subject.detection.detector.ObjectDetector`."""
        small = [reduced(picture) for picture in pictures]
        images = [torch.from_numpy(np.array(pixels)).permute(2, 0, 1) for pixels, _ in small]
        inputs = self._processor(images, return_tensors="pt", device=self._device)
        texts = self._tokenizer.texts([self._query.format(label=label) for label in labels])
        passes = [self._boxes(text, inputs, small) for text in texts]
        return [merged(parts) for parts in zip(*passes, strict=True)]

    def _boxes(self, text: Text, inputs: Any, small: Sequence[tuple[Frames, float]]) -> list[Boxes]:
        ids = torch.tensor([text.ids] * len(small), device=self._device)
        with stage("detect", self._name):
            output = self._model(input_ids=ids, attention_mask=torch.ones_like(ids), **inputs)
        probabilities = torch.sigmoid(output.logits).double().cpu().numpy()  # (n, queries, 256)
        centres = output.pred_boxes.double().cpu().numpy()
        return [
            self._picture(text, scores, places, picture.shape[:2], factor)
            for scores, places, (picture, factor) in zip(probabilities, centres, small, strict=True)
        ]

    def _picture(
        self, text: Text, probabilities: Any, centres: Any, size: tuple[int, ...], factor: float
    ) -> Boxes:
        if not (np.isfinite(probabilities).all() and np.isfinite(centres).all()):
            return Boxes.broken()
        scores = probabilities.max(axis=1)
        phrases = np.stack([probabilities[:, a:b].max(axis=1) for a, b in text.spans], axis=1)
        kept = (scores > self._threshold) & (phrases.max(axis=1) > self._text_threshold)
        middle, sides = centres[kept, :2], centres[kept, 2:]
        corners = np.concatenate([middle - sides / 2, middle + sides / 2], axis=1)
        return Boxes(
            corners=corners * np.array([size[1], size[0]] * 2, dtype=np.float64) * factor,
            scores=scores[kept],
            labels=np.asarray(text.labels, dtype=np.int64)[phrases[kept].argmax(axis=1)],
        )
