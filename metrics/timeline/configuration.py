"""Rules of the timeline metrics, and what follows from them: weights and declarations."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.core.suggest import did_you_mean
from ipvg_eval.metrics.subject.evaluator import SubjectMetrics, SubjectOptions
from ipvg_eval.metrics.timeline import spec
from ipvg_eval.metrics.timeline.presence.checkpoint import PresenceModel, generation
from ipvg_eval.metrics.timeline.scorers.open_clip_encoder import weight_name
from ipvg_eval.metrics.timeline.scorers.xclip.checkpoint import PATCH_SIZES
from ipvg_eval.metrics.timeline.video_score.spec import VIDEO_SCORES
from ipvg_eval.metrics.timeline.video_score.spec import WEIGHTS as VIDEO_SCORE_WEIGHTS
from ipvg_eval.metrics.timeline.weights import WEIGHTS

_MODELS: Final = MappingProxyType(
    {"open_clip": "PE-Core-L-14-336", "xclip": "xclip-base-patch32", "prototypes": ""}
)
_RATES: Final = MappingProxyType({"open_clip": 4.0, "xclip": 8.0, "prototypes": 4.0})

_WITHOUT_WEIGHTS: Final = frozenset({spec.EVENTS.name, spec.EXCESS.name})
_PE_CORE_LICENCE: Final = "PE-Core weights: Apache-2.0 (Meta)"
_XCLIP_LICENCE: Final = "X-CLIP weights: MIT (Microsoft)"


class TimelineAlignmentOptions(BaseModel):
    """Rules of the timeline metrics.

    Attributes:
        version: of TIM, SEM and ATA. 2: chance is 0, and a video that shows nothing cannot win; 1: as first
        published,
            to explain older runs.
        scorer: what compares windows with texts. "open_clip": a text-image model on single frames; "xclip":
            X-CLIP on clips of eight frames; "prototypes": example pictures of every text, which need
            no weights and prove nothing about actions.
        model: open_clip's name of the model, or "xclip-base-patch32" or "xclip-base-patch16"; None
            for PE-Core-L-14-336 and xclip-base-patch32.
        examples: JSON file of the prototypes: every text with its picture files.
        presence: what SEM is made of. "clip_t": the scorer's cosine of each event's stretch and text; "vlm":
            a vision-language model's probability of yes. Never chosen by what is on the machine:
            runs would not compare.
        presence_model: the vision-language model.
        subject: rules by which the sample's subjects are found, whose metrics are then reported as well and
            whose crops CON compares; None for CON from the scorer's own frames.
        video_score: report VideoScore's five scores of the whole video as well.
        rate: frames looked at per second of video; None for 4, and for X-CLIP 8, so that a window of one
            second is one clip.
        frame_limit: frames looked at per video, at most; VideoScore looks at no more than 16 of its own, and
            subjects are looked for in no more than this either.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1, 2] = 2
    scorer: Literal["open_clip", "xclip", "prototypes"] = "open_clip"
    model: str | None = None
    examples: Path | None = None
    presence: Literal["clip_t", "vlm"] = "clip_t"
    presence_model: PresenceModel = "qwen2_vl_2b"
    subject: SubjectOptions | None = None
    video_score: bool = False
    rate: float | None = Field(default=None, gt=0, le=60)
    frame_limit: int = Field(default=240, ge=1)

    @model_validator(mode="after")
    def _known_xclip(self) -> Self:
        if self.scorer == "xclip" and self.scorer_model not in PATCH_SIZES:
            raise ValueError(
                f"there is no X-CLIP model {self.model!r}. {did_you_mean(str(self.model), PATCH_SIZES)}"
            )
        return self

    @property
    def subject_rules(self) -> SubjectOptions | None:
        """The rules for subjects within the limit of frames."""
        if self.subject is None:
            return None
        frames = min(self.subject.frame_count, self.frame_limit)
        return self.subject.model_copy(update={"frame_count": frames})

    @property
    def scorer_model(self) -> str:
        """Name of the scorer's model; empty for prototypes."""
        return _MODELS[self.scorer] if self.model is None or self.scorer == "prototypes" else self.model

    @property
    def frames_per_second(self) -> float:
        """Frames looked at per second."""
        return self.rate if self.rate is not None else _RATES[self.scorer]

    @property
    def scorer_weights(self) -> tuple[str, ...]:
        """Name of the scorer's declared weights; none for prototypes."""
        return (weight_name(self.scorer_model),) if self.scorer_model else ()


def required_weights(options: TimelineAlignmentOptions) -> tuple[str, ...]:
    """The scorer's weights, and those of the optional networks."""
    return (
        *options.scorer_weights,
        *((options.presence_model,) if options.presence == "vlm" else ()),
        *((VIDEO_SCORE_WEIGHTS,) if options.video_score else ()),
        *(SubjectMetrics.required_weights(options.subject) if options.subject else ()),
    )


def optional_weights(options: TimelineAlignmentOptions) -> tuple[str, ...]:
    """Weights of the subjects' detector that are used where they are."""
    return SubjectMetrics.optional_weights(options.subject) if options.subject else ()


def timeline_specs(options: TimelineAlignmentOptions) -> tuple[MetricSpec, ...]:
    """What is made from the timeline, as it is declared for the default networks."""
    return spec.FIRST_SPECS if options.version == 1 else spec.SPECS


def specs_for(options: TimelineAlignmentOptions) -> tuple[MetricSpec, ...]:
    """All metrics of these options; those that come from example pictures are proxies."""
    scorer: dict[str, Any] = {
        "weights": options.scorer_weights,
        "proxy": options.scorer == "prototypes",
        "licence": _scorer_licence(options),
    }
    declared = timeline_specs(options)
    first = options.version == 1
    changes = dict.fromkeys((one.name for one in declared), scorer)
    changes |= {name: {} for name in _WITHOUT_WEIGHTS}
    if options.presence == "vlm":
        judge, licence = (options.presence_model,), _judge_licence(options.presence_model)
        by_model = spec.FIRST_SEM_BY_MODEL if first else spec.SEM_BY_MODEL
        changes[spec.SEM.name] = {**by_model, "weights": judge, "licence": licence}
        if not first:
            changes[spec.ALL_PRESENT.name] = {"weights": judge, "licence": licence}
        changes[spec.ATA.name] = {
            **scorer,
            **(spec.FIRST_ATA_BY_MODEL if first else {}),
            "weights": (*options.scorer_weights, *judge),
            "licence": "; ".join(filter(None, (scorer["licence"], licence))),
        }
    subjects: tuple[MetricSpec, ...] = ()
    if options.subject is not None:
        subjects = SubjectMetrics.specs_for(options.subject)
        by_crops = {"weights": subjects[0].weights, "licence": subjects[0].licence, "proxy": False}
        changes[spec.CON.name] = {**spec.CON_BY_SUBJECTS, **by_crops}
        changes[spec.CON_MIN.name] = {**spec.CON_MIN_BY_SUBJECTS, **by_crops}
        ata = dict(changes[spec.ATA.name])
        ata["weights"] = tuple(dict.fromkeys((*ata["weights"], *subjects[0].weights)))
        changes[spec.ATA.name] = ata
    found = tuple(replace(one, **changes[one.name]) for one in declared)
    return (*found, *(VIDEO_SCORES if options.video_score else ()), *subjects)


def _judge_licence(model: PresenceModel) -> str:
    terms = next(weight.licence for weight in WEIGHTS if weight.name == model)
    return f"{generation(model).title} weights: {terms} (Alibaba)"


def _scorer_licence(options: TimelineAlignmentOptions) -> str:
    if options.scorer == "xclip":
        return _XCLIP_LICENCE
    return _PE_CORE_LICENCE if options.scorer_model.startswith("PE-Core") else ""
