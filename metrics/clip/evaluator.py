"""CLIPScore and what it hides, from one pass over a video's frames."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from ipvg_eval.core.measurement import ClipInfo, FrameFeatures, Frames, FrameValues, Measurement
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.batches import Batches, Ticket
from ipvg_eval.metrics.clip.encoder import ClipEncoder, ClipModel
from ipvg_eval.metrics.clip.preprocess import clip_pixels
from ipvg_eval.metrics.clip.spec import CLIP_SCORE, CLIP_SCORE_LONG, PROMPT_TOKENS, PROMPT_TRUNCATED
from ipvg_eval.metrics.clip.tokens import CONTEXT, ClipTokenizer, PromptTokens
from ipvg_eval.metrics.clip.windows import pool_windows
from ipvg_eval.metrics.evaluator import Pass
from ipvg_eval.metrics.rescoring import Kept, disagreement, not_reported
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.sampling import Sampling, schedule
from ipvg_eval.metrics.similarity import cosines, scheduled_mean, unit_rows
from ipvg_eval.metrics.target import Target

_PROMPTS_KEPT = 256
_SCORES = (CLIP_SCORE.name, CLIP_SCORE_LONG.name)
_WHAT_IS_SEEN = ("model", "sampling", "frame_count", "colour")


@dataclass(frozen=True, kw_only=True, eq=False)
class _Prompt:
    tokens: PromptTokens
    truncated: npt.NDArray[np.float32]
    whole: npt.NDArray[np.float32]


class ClipScore:
    """Frames against the prompt with CLIP; measures the metrics of `ipvg_eval.metrics.clip.spec`.

    The defaults are TPIGE's rules. ConsisID's are
    `model=clip_vit_b32, sampling=floor, frame_count=16, colour=bgr, scale=logit`.
    """

    class Options(BaseModel):
        """Rules of one protocol.

        Attributes:
            model: declared weight of the network.
            sampling: how frames are chosen, see `ipvg_eval.metrics.sampling.Sampling`.
            frame_count: number of frames the sampling rule asks for.
            colour: order of the colour channels the network is fed; it was trained on rgb. "bgr" reproduces a
                published script that hands OpenCV's frames on as they are.
            scale: "cosine", or "logit" for the cosine times the model's learned scale (100 for
                the published weights).
            whole_prompt: also measure `clip_score_long`, which reads a long prompt in windows.
        """

        model_config = ConfigDict(frozen=True, extra="forbid")

        model: ClipModel = "clip_vit_b16"
        sampling: Sampling = "linspace"
        frame_count: int = Field(default=32, ge=1)
        colour: Literal["rgb", "bgr"] = "rgb"
        scale: Literal["cosine", "logit"] = "cosine"
        whole_prompt: bool = False

    SPECS: ClassVar[tuple[MetricSpec, ...]] = (CLIP_SCORE, CLIP_SCORE_LONG, PROMPT_TOKENS, PROMPT_TRUNCATED)
    BUDGET: ClassVar[str] = "frame_count"

    def __init__(self, options: Options, runtime: Runtime) -> None:
        self._options = options
        self._encoder = ClipEncoder.load(options.model, runtime)
        self._tokenizer = ClipTokenizer()
        self._batches = Batches(self._encoder.images, runtime.batch_size, crossing=runtime.crossing)
        self._factor = self._encoder.logit_scale if options.scale == "logit" else 1.0
        self._prompt = lru_cache(maxsize=_PROMPTS_KEPT)(self._encode_prompt)
        assert runtime.weights is not None
        self.weights: Mapping[str, str] = {options.model: runtime.weights.sha256(options.model)}
        self.specs = self.specs_for(options)

    @staticmethod
    def specs_for(options: Options) -> tuple[MetricSpec, ...]:
        """The metrics these options ask for, with their network and range."""
        scores = (CLIP_SCORE, CLIP_SCORE_LONG) if options.whole_prompt else (CLIP_SCORE,)
        bound = 100.0 if options.scale == "logit" else 1.0
        return (
            *(replace(spec, weights=(options.model,), bounds=(-bound, bound)) for spec in scores),
            PROMPT_TOKENS,
            PROMPT_TRUNCATED,
        )

    @staticmethod
    def required_weights(options: Options) -> tuple[str, ...]:
        """Names of the declared weights these options need."""
        return (options.model,)

    def frames(self, clip: ClipInfo) -> Sequence[int]:
        """Indices of the frames it wants, ascending, without repeats."""
        return tuple(self._schedule(clip))

    def start(self, target: Target, clip: ClipInfo) -> Pass:
        """Begin the measuring of one video; videos that share a prompt share its embedding."""
        prompt = self._prompt(target.prompt) if target.prompt.strip() else None
        return _ClipPass(
            specs=self.specs,
            prompt=prompt,
            repeats=self._schedule(clip),
            batches=self._batches.ticket(),
            bgr=self._options.colour == "bgr",
            factor=self._factor,
        )

    @staticmethod
    def cannot_rescore(
        name: str, options: Options, earlier: Options, reported: Collection[str]
    ) -> str | None:
        """The same frames and network are needed; a cosine lacks the network's scale to become a logit."""
        if name not in reported or name not in _SCORES:
            return not_reported(name, reported)
        if different := disagreement(options, earlier, _WHAT_IS_SEEN):
            return different
        if options.scale == "logit" != earlier.scale:
            return "the network's logit scale is not kept"
        return None

    @staticmethod
    def rescore(name: str, options: Options, earlier: Options, kept: Kept) -> Measurement:
        """A score without its scale, from the embeddings; everything else as it was.

        Raises:
            KeptMissing: the embeddings are gone.
        """
        found = kept.measurements[name]
        if found.value is None or name not in _SCORES or options.scale == earlier.scale:
            return found
        repeats = schedule(options.sampling, kept.frame_count, options.frame_count)
        return _score(name, kept.features(name), repeats, factor=1.0, note=found.note)

    def _schedule(self, clip: ClipInfo) -> dict[int, int]:
        return schedule(self._options.sampling, clip.frame_count, self._options.frame_count)

    def _encode_prompt(self, prompt: str) -> _Prompt:
        tokens = self._tokenizer(prompt)
        sequences = [tokens.truncated(), *(tokens.windows() if self._options.whole_prompt else ())]
        rows = self._encoder.texts(sequences)
        truncated = unit_rows(rows[:1])[0]
        whole = pool_windows(rows[1:]) if tokens.cut_off and len(rows) > 1 else truncated
        return _Prompt(tokens=tokens, truncated=truncated.astype(np.float32), whole=whole.astype(np.float32))


class _ClipPass:
    """The measuring of one video."""

    def __init__(
        self,
        *,
        specs: tuple[MetricSpec, ...],
        prompt: _Prompt | None,
        repeats: Mapping[int, int],
        batches: Ticket[npt.NDArray[np.uint8]],
        bgr: bool,
        factor: float,
    ) -> None:
        self._specs = specs
        self._prompt = prompt
        self._repeats = repeats
        self._batches = batches
        self._bgr = bgr
        self._factor = factor

    def add(self, indices: Sequence[int], frames: Frames) -> None:
        """Preprocess the next frames; full batches go through the network."""
        if self._prompt is None:
            return
        for index, frame in zip(indices, frames, strict=True):
            self._batches.add(index, clip_pixels(frame[..., ::-1] if self._bgr else frame))

    def finish(self) -> list[Measurement]:
        """One measurement per spec."""
        indices, rows = self._batches.finish()
        return [self._measure(spec.name, indices, rows) for spec in self._specs]

    def _measure(self, name: str, indices: tuple[int, ...], rows: npt.NDArray[np.float32]) -> Measurement:
        if self._prompt is None:
            return Measurement(name=name, value=None, reason="the prompt is empty")
        tokens = self._prompt.tokens
        if name == PROMPT_TOKENS.name:
            return Measurement(name=name, value=float(tokens.count))
        if name == PROMPT_TRUNCATED.name:
            return Measurement(name=name, value=float(tokens.cut_off > 0))
        if not indices:
            return Measurement(name=name, value=None, reason="no frame could be read")
        text = self._prompt.truncated if name == CLIP_SCORE.name else self._prompt.whole
        features = FrameFeatures(indices=indices, rows=unit_rows(rows).astype(np.float32), reference=text)
        note = self._note(name, len(indices))
        return _score(name, features, self._repeats, factor=self._factor, note=note)

    def _note(self, name: str, seen: int) -> str | None:
        assert self._prompt is not None
        tokens, notes = self._prompt.tokens, []
        if name == CLIP_SCORE.name and tokens.cut_off:
            notes.append(f"prompt of {tokens.count} tokens cut to {CONTEXT}")
        if self._bgr:
            notes.append("red and blue swapped as in the published script")
        if seen < len(self._repeats):
            notes.append(f"{seen} of {len(self._repeats)} frames could be read")
        return "; ".join(notes) or None


def _score(
    name: str, features: FrameFeatures, repeats: Mapping[int, int], *, factor: float, note: str | None
) -> Measurement:
    """A CLIPScore from embeddings of at least one frame and of the prompt."""
    assert features.reference is not None
    values = tuple(float(v) for v in cosines(features.rows, features.reference) * factor)
    if not np.isfinite(values).all():
        return Measurement(name=name, value=None, reason="the network's output is not finite")
    return Measurement(
        name=name,
        value=scheduled_mean(features.indices, values, repeats),
        note=note,
        per_frame=FrameValues(indices=features.indices, values=values),
        features=features,
    )
