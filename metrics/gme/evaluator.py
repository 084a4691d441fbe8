"""GMEScore from one pass over a video's frames."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import Field

from ipvg_eval.core.measurement import ClipInfo, FrameFeatures, Frames, Measurement
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.batches import Batches
from ipvg_eval.metrics.evaluator import EvaluatorOptions
from ipvg_eval.metrics.frame_evaluator import FrameRows, PromptEvaluator, mean_over_frames
from ipvg_eval.metrics.gme.checkpoint import GmeModel
from ipvg_eval.metrics.gme.encoder import GmeEncoder, Padding
from ipvg_eval.metrics.gme.preprocess import Patches, frame_patches
from ipvg_eval.metrics.gme.score import Similarity, mean_similarity, similarities
from ipvg_eval.metrics.gme.spec import GME_SCORE
from ipvg_eval.metrics.gme.tokens import MAX_TOKENS, TPIGE_INSTRUCTION
from ipvg_eval.metrics.rescoring import Kept, disagreement, not_reported
from ipvg_eval.metrics.runtime import Dtype, Runtime
from ipvg_eval.metrics.sampling import Sampling, schedule

_WHAT_IS_SEEN = ("model", "instruction", "sampling", "frame_count", "dtype", "frames_per_batch")


@dataclass(frozen=True, kw_only=True, eq=False)
class _Prompt:
    tokens: int
    embedding: npt.NDArray[np.float32]


class GmeScoreOptions(EvaluatorOptions):
    """Rules of one protocol.

    Attributes:
        model: declared snapshot of the network.
        instruction: the system turn before the prompt; frames always have GME's own.
        sampling: how frames are chosen, see `ipvg_eval.metrics.sampling.Sampling`.
        frame_count: number of frames the sampling rule asks for.
        similarity: rounding of the similarities, see `ipvg_eval.metrics.gme.score.Similarity`.
        padding: side on which short rows of a batch are filled. A video's frames are all of one
            length and a prompt is embedded alone, so that it changes nothing here.
        dtype: floating-point type of the network; None for the runtime's. Published scores used float16.
        frames_per_batch: frames per forward pass at most; the runtime's batch size if that is smaller.
    """

    model: GmeModel = "gme_2b"
    instruction: str = TPIGE_INSTRUCTION
    sampling: Sampling = "linspace"
    frame_count: int = Field(default=16, ge=1)
    similarity: Similarity = "half"
    padding: Padding = "right"
    dtype: Dtype | None = None
    frames_per_batch: int = Field(default=4, ge=1)


class GmeScore(PromptEvaluator[Patches, _Prompt, GmeScoreOptions]):
    """Frames against the prompt with GME.

    The defaults are TPIGE's rules. OpenS2V's are `model=gme_7b, sampling=linspace_repeat, frame_count=32,
    instruction="Find an image that matches the given text.", similarity=half_mean, padding=left`.
    """

    Options = GmeScoreOptions
    SPECS: ClassVar[tuple[MetricSpec, ...]] = (GME_SCORE,)
    BUDGET: ClassVar[str] = "frame_count"

    def __init__(self, options: GmeScoreOptions, runtime: Runtime) -> None:
        super().__init__(options, runtime)
        self._encoder = GmeEncoder.load(options.model, runtime, padding=options.padding, dtype=options.dtype)
        size = min(runtime.batch_size, options.frames_per_batch)
        self._batches = Batches(self._encoder.images, size, crossing=runtime.crossing)

    @classmethod
    def specs_for(cls, options: GmeScoreOptions, /) -> tuple[MetricSpec, ...]:
        """gme_score with the network these options name."""
        return (replace(GME_SCORE, weights=(options.model,)),)

    def schedule(self, clip: ClipInfo) -> dict[int, int]:
        """How often each wanted frame counts, by index."""
        return schedule(self._options.sampling, clip.frame_count, self._options.frame_count)

    def prepare(self, frame: Frames) -> Patches:
        """The frame's patches."""
        return frame_patches(frame)

    def encode_prompt(self, prompt: str) -> _Prompt:
        """The prompt's embedding under the instruction."""
        ids = self._encoder.tokenizer.text(prompt.strip(), instruction=self._options.instruction)
        return _Prompt(tokens=len(ids), embedding=self._encoder.texts([ids])[0])

    def compare(self, prompt: _Prompt, frames: FrameRows) -> list[Measurement]:
        """The one measurement."""
        features = FrameFeatures(indices=frames.indices, rows=frames.rows, reference=prompt.embedding)
        cut = f"prompt and instruction of {prompt.tokens} tokens cut to {MAX_TOKENS}"
        note = frames.note(*([cut] if prompt.tokens > MAX_TOKENS else []))
        return [_score(features, frames.repeats, self._options.similarity, note)]

    @staticmethod
    def cannot_rescore(
        name: str, options: GmeScoreOptions, earlier: GmeScoreOptions, reported: Collection[str]
    ) -> str | None:
        """Only the rounding of the similarities, and the padding that changes nothing, may differ."""
        return not_reported(name, reported) or disagreement(options, earlier, _WHAT_IS_SEEN)

    @staticmethod
    def rescore(name: str, options: GmeScoreOptions, earlier: GmeScoreOptions, kept: Kept) -> Measurement:
        """The score under another rounding, from the embeddings.

        Raises:
            KeptMissing: the embeddings are gone.
        """
        found = kept.measurements[name]
        if found.value is None or options.similarity == earlier.similarity:
            return found
        repeats = schedule(options.sampling, kept.frame_count, options.frame_count)
        return _score(kept.features(name), repeats, options.similarity, found.note)


def _score(
    features: FrameFeatures, repeats: Mapping[int, int], rounding: Similarity, note: str | None
) -> Measurement:
    """GMEScore from embeddings of the frames and of the prompt."""
    assert features.reference is not None
    indices = features.indices
    values = similarities(features.rows, features.reference, rounding).tolist() if indices else []
    return mean_over_frames(
        GME_SCORE.name,
        indices,
        values,
        repeats,
        note=note,
        features=features,
        mean=lambda seen, each, counts: mean_similarity(each, [counts[i] for i in seen], rounding),
    )
