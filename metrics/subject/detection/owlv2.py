"""OWLv2, the default detector (arXiv 2306.09683, google/owlv2-base-patch16-ensemble)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import torch

from ipvg_eval.core.measurement import Frames
from ipvg_eval.metrics.clip.tokens import ClipTokenizer
from ipvg_eval.metrics.runtime import Runtime, weight_source
from ipvg_eval.metrics.snapshots import load_snapshot, transformers
from ipvg_eval.metrics.subject.boxes import Boxes
from ipvg_eval.metrics.subject.detection.checkpoint import owlv2_configuration, random_owlv2
from ipvg_eval.metrics.subject.detection.detector import reduced
from ipvg_eval.metrics.timing import stage

WEIGHTS: Final = "owlv2_base"
QUERY: Final = "a photo of a {label}"
"""The model card's wording."""
THRESHOLD: Final = 0.1
"""Default of Owlv2Processor.post_process_grounded_object_detection and of the zero-shot pipeline."""

CONTEXT: Final = 16
"""Tokens the text tower reads, start and end included; shorter queries are filled with token 0, as the
published tokenizer does."""


class Owlv2Detector:
    """Boxes from transformers' Owlv2ForObjectDetection.

    Pixels go through transformers' Owlv2ImageProcessor (zeros below and to the right up to a square, 960
    pixels, CLIP's mean and deviation) and boxes through its post_process_object_detection: every box
    belongs to its most probable label. The network stays float32 whatever the runtime's type is: boxes
    need more digits than half precision has.
    """

    title = "OWLv2"

    def __init__(
        self,
        model: Any,
        *,
        device: str = "cpu",
        query: str = QUERY,
        threshold: float = THRESHOLD,
        weights: Mapping[str, str] | None = None,
    ) -> None:
        side = model.config.vision_config.image_size
        self._device = torch.device(device)
        self._model = model.eval().requires_grad_(False).to(self._device)
        self._processor = transformers().Owlv2ImageProcessor(size={"height": side, "width": side})
        self._tokens = ClipTokenizer()
        self._query, self._threshold = query, threshold
        self.weights: Mapping[str, str] = weights or {}

    @classmethod
    def load(cls, runtime: Runtime, *, query: str = QUERY, threshold: float = THRESHOLD) -> Owlv2Detector:
        """The published snapshot, or the same architecture with seeded random weights.

        Raises:
            WeightsMissing: packages or files are missing.
        """
        source = weight_source(runtime, WEIGHTS)
        if source.random_seed is None:
            model = load_snapshot(
                transformers().Owlv2ForObjectDetection,
                source.path(WEIGHTS),
                dtype=torch.float32,
                device=runtime.device,
            )
        else:
            model = random_owlv2(owlv2_configuration(), seed=source.random_seed)
        weights = {WEIGHTS: source.sha256(WEIGHTS)}
        return cls(model, device=runtime.device, query=query, threshold=threshold, weights=weights)

    def reads_all(self, label: str) -> bool:
        """Whether the query of a label fits 16 tokens."""
        return self._tokens(self._query.format(label=label)).count <= CONTEXT

    def token_ids(self, label: str) -> list[int]:
        """The 16 token ids of a label's query; the end token stays where the text is cut."""
        tokens = self._tokens(self._query.format(label=label))
        ids = [tokens.start, *tokens.content[: CONTEXT - 2], tokens.end]
        return ids + [0] * (CONTEXT - len(ids))

    @torch.inference_mode()
    def detect(self, pictures: Sequence[Frames], labels: Sequence[str]) -> list[Boxes]:
        """What is found; see `ipvg_eval.metrics.subject.detection.detector.ObjectDetector`."""
        small = [reduced(picture) for picture in pictures]
        # uint8 pixels cross to the device and are prepared there.
        images = [torch.from_numpy(np.array(pixels)).permute(2, 0, 1) for pixels, _ in small]
        pixels = self._processor(images, return_tensors="pt", device=self._device).pixel_values
        queries = torch.tensor([self.token_ids(label) for label in labels], device=self._device)
        queries = queries.repeat(len(images), 1)
        with stage("detect", WEIGHTS):
            output = self._model(input_ids=queries, pixel_values=pixels, attention_mask=(queries > 0).long())
        found = self._processor.post_process_object_detection(
            output, threshold=self._threshold, target_sizes=[image.shape[1:] for image in images]
        )
        finite = output.pred_boxes.isfinite().all(dim=(1, 2)) & output.logits.isfinite().all(dim=(1, 2))
        return [
            Boxes(
                corners=result["boxes"].double().cpu().numpy() * factor,
                scores=result["scores"].double().cpu().numpy(),
                labels=result["labels"].cpu().numpy().astype(np.int64),
            )
            if usable
            else Boxes.broken()  # no comparison with a threshold keeps what is not a number
            for result, usable, (_, factor) in zip(found, finite.tolist(), small, strict=True)
        ]
