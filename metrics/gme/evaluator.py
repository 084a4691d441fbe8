"""GMEScore from one pass over a video's frames."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from ipvg_eval.core.measurement import ClipInfo, FrameFeatures, Frames, FrameValues, Measurement
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.batches import Batches, Ticket
from ipvg_eval.metrics.evaluator import Pass
from ipvg_eval.metrics.gme.checkpoint import GmeModel
from ipvg_eval.metrics.gme.encoder import GmeEncoder, Padding
from ipvg_eval.metrics.gme.preprocess import Patches, frame_patches
from ipvg_eval.metrics.gme.score import Similarity, mean_similarity, similarities
from ipvg_eval.metrics.gme.spec import GME_SCORE
from ipvg_eval.metrics.gme.tokens import MAX_TOKENS, TPIGE_INSTRUCTION
from ipvg_eval.metrics.rescoring import Kept, disagreement, not_reported
from ipvg_eval.metrics.runtime import Dtype, Runtime
from ipvg_eval.metrics.sampling import Sampling, schedule
from ipvg_eval.metrics.target import Target

_PROMPTS_KEPT = 256
_WHAT_IS_SEEN = ("model", "instruction", "sampling", "frame_count", "dtype", "frames_per_batch")


@dataclass(frozen=True, kw_only=True, eq=False)
class _Prompt:
    tokens: int
    embedding: npt.NDArray[np.float32]


class GmeScore:
    """Frames against the prompt with GME.

    The defaults are TPIGE's rules. OpenS2V's are `model=gme_7b, sampling=linspace_repeat, frame_count=32,
    instruction="Find an image that matches the given text.", similarity=half_mean, padding=left`.
    """

    class Options(BaseModel):
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

        model_config = ConfigDict(frozen=True, extra="forbid")

        model: GmeModel = "gme_2b"
        instruction: str = TPIGE_INSTRUCTION
        sampling: Sampling = "linspace"
        frame_count: int = Field(default=16, ge=1)
        similarity: Similarity = "half"
        padding: Padding = "right"
        dtype: Dtype | None = None
        frames_per_batch: int = Field(default=4, ge=1)

    SPECS: ClassVar[tuple[MetricSpec, ...]] = (GME_SCORE,)
    BUDGET: ClassVar[str] = "frame_count"

    def __init__(self, options: Options, runtime: Runtime) -> None:
        self._options = options
        self._encoder = GmeEncoder.load(options.model, runtime, padding=options.padding, dtype=options.dtype)
        size = min(runtime.batch_size, options.frames_per_batch)
        self._batches = Batches(self._encoder.images, size, crossing=runtime.crossing)
        self._prompt = lru_cache(maxsize=_PROMPTS_KEPT)(self._encode_prompt)
        assert runtime.weights is not None
        self.weights: Mapping[str, str] = {options.model: runtime.weights.sha256(options.model)}
        self.specs = self.specs_for(options)

    @staticmethod
    def specs_for(options: Options) -> tuple[MetricSpec, ...]:
        """gme_score with the network these options name."""
        return (replace(GME_SCORE, weights=(options.model,)),)

    @staticmethod
    def required_weights(options: Options) -> tuple[str, ...]:
        """Names of the declared weights these options need."""
        return (options.model,)

    def frames(self, clip: ClipInfo) -> Sequence[int]:
        """Indices of the frames it wants, ascending, without repeats."""
        return tuple(self._schedule(clip))

    def start(self, target: Target, clip: ClipInfo) -> Pass:
        """Begin the measuring of one video; videos that share a prompt share its embedding."""
        prompt = target.prompt.strip()
        return _GmePass(
            prompt=self._prompt(prompt) if prompt else None,
            repeats=self._schedule(clip),
            batches=self._batches.ticket(),
            rounding=self._options.similarity,
        )

    @staticmethod
    def cannot_rescore(
        name: str, options: Options, earlier: Options, reported: Collection[str]
    ) -> str | None:
        """Only the rounding of the similarities, and the padding that changes nothing, may differ."""
        return not_reported(name, reported) or disagreement(options, earlier, _WHAT_IS_SEEN)

    @staticmethod
    def rescore(name: str, options: Options, earlier: Options, kept: Kept) -> Measurement:
        """The score under another rounding, from the embeddings.

        Raises:
            KeptMissing: the embeddings are gone.
        """
        found = kept.measurements[name]
        if found.value is None or options.similarity == earlier.similarity:
            return found
        repeats = schedule(options.sampling, kept.frame_count, options.frame_count)
        return _score(kept.features(name), repeats, options.similarity, found.note)

    def _schedule(self, clip: ClipInfo) -> dict[int, int]:
        return schedule(self._options.sampling, clip.frame_count, self._options.frame_count)

    def _encode_prompt(self, prompt: str) -> _Prompt:
        ids = self._encoder.tokenizer.text(prompt, instruction=self._options.instruction)
        return _Prompt(tokens=len(ids), embedding=self._encoder.texts([ids])[0])


class _GmePass:
    """The measuring of one video."""

    def __init__(
        self,
        *,
        prompt: _Prompt | None,
        repeats: Mapping[int, int],
        batches: Ticket[Patches],
        rounding: Similarity,
    ) -> None:
        self._prompt = prompt
        self._repeats = repeats
        self._batches = batches
        self._rounding = rounding

    def add(self, indices: Sequence[int], frames: Frames) -> None:
        """Preprocess the next frames; full batches go through the network."""
        if self._prompt is None:
            return
        for index, frame in zip(indices, frames, strict=True):
            self._batches.add(index, frame_patches(frame))

    def finish(self) -> list[Measurement]:
        """The one measurement."""
        name = GME_SCORE.name
        if self._prompt is None:
            return [Measurement(name=name, value=None, reason="the prompt is empty")]
        indices, rows = self._batches.finish()
        if not indices:
            return [Measurement(name=name, value=None, reason="no frame could be read")]
        features = FrameFeatures(indices=indices, rows=rows, reference=self._prompt.embedding)
        return [_score(features, self._repeats, self._rounding, self._note(len(indices)))]

    def _note(self, seen: int) -> str | None:
        assert self._prompt is not None
        notes = []
        if self._prompt.tokens > MAX_TOKENS:
            notes.append(f"prompt and instruction of {self._prompt.tokens} tokens cut to {MAX_TOKENS}")
        if seen < len(self._repeats):
            notes.append(f"{seen} of {len(self._repeats)} frames could be read")
        return "; ".join(notes) or None


def _score(
    features: FrameFeatures, repeats: Mapping[int, int], rounding: Similarity, note: str | None
) -> Measurement:
    """GMEScore from embeddings of at least one frame and of the prompt."""
    name = GME_SCORE.name
    assert features.reference is not None
    values = tuple(float(v) for v in similarities(features.rows, features.reference, rounding))
    if not np.isfinite(values).all():
        return Measurement(name=name, value=None, reason="the network's output is not finite")
    return Measurement(
        name=name,
        value=mean_similarity(values, [repeats[i] for i in features.indices], rounding),
        note=note,
        per_frame=FrameValues(indices=features.indices, values=values),
        features=features,
    )
