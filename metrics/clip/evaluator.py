"""CLIPScore and what it hides, from one pass over a video's frames."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from ipvg_eval.core.measurement import ClipInfo, FrameFeatures, Frames, Measurement
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.batches import Batches
from ipvg_eval.metrics.clip.encoder import ClipEncoder, ClipModel
from ipvg_eval.metrics.clip.preprocess import clip_pixels
from ipvg_eval.metrics.clip.spec import CLIP_SCORE, CLIP_SCORE_LONG, PROMPT_TOKENS, PROMPT_TRUNCATED
from ipvg_eval.metrics.clip.tokens import CONTEXT, ClipTokenizer, PromptTokens
from ipvg_eval.metrics.clip.windows import pool_windows
from ipvg_eval.metrics.evaluator import EvaluatorOptions
from ipvg_eval.metrics.frame_evaluator import FrameRows, PromptEvaluator, mean_over_frames
from ipvg_eval.metrics.rescoring import Kept, disagreement, not_reported
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.sampling import Sampling, schedule
from ipvg_eval.metrics.similarity import cosines, unit_rows

_SCORES = (CLIP_SCORE.name, CLIP_SCORE_LONG.name)
_WHAT_IS_SEEN = ("model", "sampling", "frame_count", "colour")


@dataclass(frozen=True, kw_only=True, eq=False)
class _Prompt:
    tokens: PromptTokens
    truncated: npt.NDArray[np.float32]
    whole: npt.NDArray[np.float32]


class ClipScoreOptions(EvaluatorOptions):
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

    model: ClipModel = "clip_vit_b16"
    sampling: Sampling = "linspace"
    frame_count: int = Field(default=32, ge=1)
    colour: Literal["rgb", "bgr"] = "rgb"
    scale: Literal["cosine", "logit"] = "cosine"
    whole_prompt: bool = False


class ClipScore(PromptEvaluator[npt.NDArray[np.uint8], _Prompt, ClipScoreOptions]):
    """Frames against the prompt with CLIP; measures the metrics of `ipvg_eval.metrics.clip.spec`.

    The defaults are TPIGE's rules. ConsisID's are
    `model=clip_vit_b32, sampling=floor, frame_count=16, colour=bgr, scale=logit`.
    """

    Options = ClipScoreOptions
    SPECS: ClassVar[tuple[MetricSpec, ...]] = (CLIP_SCORE, CLIP_SCORE_LONG, PROMPT_TOKENS, PROMPT_TRUNCATED)
    BUDGET: ClassVar[str] = "frame_count"

    def __init__(self, options: ClipScoreOptions, runtime: Runtime) -> None:
        super().__init__(options, runtime)
        self._encoder = ClipEncoder.load(options.model, runtime)
        self._tokenizer = ClipTokenizer()
        self._batches = Batches(self._encoder.images, runtime.batch_size, crossing=runtime.crossing)
        self._factor = self._encoder.logit_scale if options.scale == "logit" else 1.0

    @classmethod
    def specs_for(cls, options: ClipScoreOptions, /) -> tuple[MetricSpec, ...]:
        """The metrics these options ask for, with their network and range."""
        scores = (CLIP_SCORE, CLIP_SCORE_LONG) if options.whole_prompt else (CLIP_SCORE,)
        bound = 100.0 if options.scale == "logit" else 1.0
        return (
            *(replace(spec, weights=(options.model,), bounds=(-bound, bound)) for spec in scores),
            PROMPT_TOKENS,
            PROMPT_TRUNCATED,
        )

    def schedule(self, clip: ClipInfo) -> dict[int, int]:
        """How often each wanted frame counts, by index."""
        return schedule(self._options.sampling, clip.frame_count, self._options.frame_count)

    def prepare(self, frame: Frames) -> npt.NDArray[np.uint8]:
        """CLIP's pixels, in the order of channels asked for."""
        return clip_pixels(frame[..., ::-1] if self._options.colour == "bgr" else frame)

    def encode_prompt(self, prompt: str) -> _Prompt:
        """The prompt's embeddings, cut and whole."""
        tokens = self._tokenizer(prompt)
        sequences = [tokens.truncated(), *(tokens.windows() if self._options.whole_prompt else ())]
        rows = self._encoder.texts(sequences)
        truncated = unit_rows(rows[:1])[0]
        whole = pool_windows(rows[1:]) if tokens.cut_off and len(rows) > 1 else truncated
        return _Prompt(tokens=tokens, truncated=truncated.astype(np.float32), whole=whole.astype(np.float32))

    def compare(self, prompt: _Prompt, frames: FrameRows) -> list[Measurement]:
        """One measurement per spec."""
        return [self._measure(spec.name, prompt, frames) for spec in self.specs]

    def _measure(self, name: str, prompt: _Prompt, frames: FrameRows) -> Measurement:
        tokens = prompt.tokens
        if name == PROMPT_TOKENS.name:
            return Measurement(name=name, value=float(tokens.count))
        if name == PROMPT_TRUNCATED.name:
            return Measurement(name=name, value=float(tokens.cut_off > 0))
        cut = name == CLIP_SCORE.name
        text = prompt.truncated if cut else prompt.whole
        rows = unit_rows(frames.rows).astype(np.float32)
        features = FrameFeatures(indices=frames.indices, rows=rows, reference=text)
        notes = [f"prompt of {tokens.count} tokens cut to {CONTEXT}"] if cut and tokens.cut_off else []
        if self._options.colour == "bgr":
            notes.append("red and blue swapped as in the published script")
        return _score(name, features, frames.repeats, factor=self._factor, note=frames.note(*notes))

    @staticmethod
    def cannot_rescore(
        name: str, options: ClipScoreOptions, earlier: ClipScoreOptions, reported: Collection[str]
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
    def rescore(name: str, options: ClipScoreOptions, earlier: ClipScoreOptions, kept: Kept) -> Measurement:
        """A score without its scale, from the embeddings; everything else as it was.

        Raises:
            KeptMissing: the embeddings are gone.
        """
        found = kept.measurements[name]
        if found.value is None or name not in _SCORES or options.scale == earlier.scale:
            return found
        repeats = schedule(options.sampling, kept.frame_count, options.frame_count)
        return _score(name, kept.features(name), repeats, factor=1.0, note=found.note)


def _score(
    name: str, features: FrameFeatures, repeats: Mapping[int, int], *, factor: float, note: str | None
) -> Measurement:
    """A CLIPScore from embeddings of the frames and of the prompt."""
    assert features.reference is not None
    values = (cosines(features.rows, features.reference) * factor).tolist() if features.indices else []
    return mean_over_frames(name, features.indices, values, repeats, note=note, features=features)
