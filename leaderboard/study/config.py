"""study.yaml: how a study is set up. Every key has a default; all of it is fixed when the study is made."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from ipvg_eval.core.suggest import did_you_mean
from ipvg_eval.core.yaml_text import read_yaml
from ipvg_eval.leaderboard.opinions import MEAN_OF_ASPECTS
from ipvg_eval.leaderboard.stopping import StoppingRule
from ipvg_eval.leaderboard.study.errors import StudyConfigError
from ipvg_eval.leaderboard.study.kinds import KINDS, PAIR_ANSWERS, StudyKind
from ipvg_eval.leaderboard.study.questions import Question, RatingScale, Strict, check_anchors


def _adaptive(value: object) -> object:
    return ({} if value else None) if isinstance(value, bool) else value


class Overlap(Strict):
    """Comparisons that several annotators see, to measure their agreement.

    Attributes:
        share: of all comparisons.
        annotators: how many see each of them.
    """

    share: float = Field(default=0.08, ge=0, le=1)
    annotators: int = Field(default=3, ge=2, le=100)


class Checks(Strict):
    """Attention checks, and the rule by which annotators are excluded.

    Of pairs, a corrupted check fails unless the real video was preferred to its corrupted copy; a repeated
    check fails if the other team won when the sides were swapped (a draw contradicts nothing). Of ratings, a
    corrupted copy fails unless it got less than the annotator's mean of everything that counts; a video
    shown again fails if it got more than `tolerance` points more or less. Only the first question counts.
    Honest people slip now and then and contradict themselves on close pairs. An annotator is excluded
    for a kind of check if so many failed that an honest person would fail as many in less than
    `false_exclusion` of all cases (binomial distribution).

    Attributes:
        corrupted_per_hundred: pairs of a real video and its corrupted copy, per 100 comparisons of a sheet;
            at least 2 per sheet unless this is 0.
        repeats_per_hundred: comparisons shown again with the sides swapped, or videos rated again; at least 2
            likewise.
        max_share: largest share of checks among the steps of a sheet; wins over the two above.
        slip_rate: share of the corrupted checks that an honest person fails.
        contradiction_rate: share of the repeated checks that an honest person fails; of pairs one half, for
            somebody who sees no difference and never chooses draw, of ratings one fifth.
        tolerance: points by which two ratings of one video may differ.
        false_exclusion: share of honest people that either kind may exclude.
    """

    corrupted_per_hundred: float = Field(default=4.0, ge=0, le=100)
    repeats_per_hundred: float = Field(default=4.0, ge=0, le=100)
    max_share: float = Field(default=0.1, ge=0, le=0.5)
    slip_rate: float = Field(default=0.05, gt=0, lt=1)
    contradiction_rate: float = Field(default=0.5, gt=0, lt=1)
    tolerance: int = Field(default=1, ge=0, le=8)
    false_exclusion: float = Field(default=0.01, gt=0, lt=1)


class StudyConfig(Strict):
    """Settings of a study.

    Attributes:
        kind: "pair": which of two videos is better; "rating": how good one video is. It decides the
            defaults of title, instructions, questions, training and `checks.contradiction_rate`.
        title: what the annotators' page is called.
        instructions: what annotators read first; blank lines part paragraphs.
        scale: the points of a rating study.
        questions: in the order they are asked; built-in names, or name and text.
        training: steps that every sheet begins with and that do not count, so that people learn what there
            is to see.
        annotators: into how many sheets of about the same length the comparisons are dealt.
        annotators_per_pair: how many annotators see each comparison, or each video that is rated.
        overlap: comparisons that more annotators see.
        share: share of the samples that is used, drawn alike from every identity.
        checks: attention checks and the exclusion rule.
        missing: what becomes of a comparison where one team has no playable video: "leave_out", or "loss":
            the export counts it as won by the other, or rates what is missing with the lowest point. Where
            neither of two teams has one it is left out.
        crowd: whether people with an invitation can join by themselves.
        join_limit: how many may join so; None: twice `annotators`.
        sound: "drop", or "keep": one clip is heard at a time, silent ones as well.
        completion_code: one code for all who finish; None makes one per annotator.
        adaptive: when to stop, where the server chooses each next pair from the answers so far; `true` takes
            the defaults, None fixes all pairs beforehand. Its question is the first.
        seed: of every draw.
    """

    kind: Literal["pair", "rating"] = "pair"
    title: str = Field(min_length=1, max_length=120)
    instructions: str = Field(max_length=4000)
    scale: RatingScale = RatingScale()
    questions: tuple[Question, ...] = Field(min_length=1, max_length=8)
    training: int = Field(ge=0, le=20)
    annotators: int = Field(default=10, ge=1, le=5000)
    annotators_per_pair: int = Field(default=1, ge=1, le=100)
    overlap: Overlap = Overlap()
    share: float = Field(default=1.0, gt=0, le=1)
    checks: Checks = Checks()
    missing: Literal["leave_out", "loss"] = "leave_out"
    crowd: bool = False
    join_limit: int | None = Field(default=None, ge=1)
    sound: Literal["drop", "keep"] = "drop"
    completion_code: str | None = Field(default=None, max_length=64, pattern=r"^[\w-]+$")
    adaptive: Annotated[StoppingRule | None, BeforeValidator(_adaptive)] = None
    seed: int = Field(default=0, ge=0)

    @model_validator(mode="before")
    @classmethod
    def _of_its_kind(cls, values: Any) -> Any:
        """What a kind of study has where its settings say nothing."""
        name = values.get("kind", "pair") if isinstance(values, dict) else None
        if not isinstance(name, str) or name not in KINDS:
            return values
        kind = KINDS[name]
        checks = values.get("checks", {})
        if isinstance(checks, dict):
            checks = {"contradiction_rate": kind.contradiction_rate, **checks}
        usual = {
            "title": kind.title,
            "instructions": kind.instructions,
            "questions": kind.usual_questions,
            "training": kind.training,
        }
        return {**usual, **values, "checks": checks}

    @field_validator("questions", mode="before")
    @classmethod
    def _with_texts(cls, given: Any, info: ValidationInfo) -> Any:
        known = KINDS[info.data.get("kind", "pair")].questions
        if not isinstance(given, list | tuple):
            return given
        questions = []
        for value in given:
            if isinstance(value, str) and value not in known:
                hint = did_you_mean(value, known)
                raise ValueError(f"{value!r} has no built-in text. {hint} Others need name and text.")
            questions.append({"name": value, "text": known[value]} if isinstance(value, str) else value)
        return questions

    @field_validator("questions")
    @classmethod
    def _fitting(cls, questions: tuple[Question, ...], info: ValidationInfo) -> tuple[Question, ...]:
        ratings = info.data.get("kind") == "rating"
        for question in questions:
            if question.anchors and not ratings:
                raise ValueError(f"question {question.name!r} has anchors, which only ratings have")
            if question.anchors and "scale" in info.data:
                check_anchors(question.anchors, info.data["scale"].scale)
            if ratings and question.name == MEAN_OF_ASPECTS:
                raise ValueError(f"an aspect cannot be called {MEAN_OF_ASPECTS!r}, which is computed")
        names = [question.name for question in questions]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"question {name!r} is asked twice")
        return questions

    @field_validator("adaptive")
    @classmethod
    def _of_pairs(cls, rule: StoppingRule | None, info: ValidationInfo) -> StoppingRule | None:
        if rule is not None and (info.data.get("kind") == "rating" or info.data.get("training")):
            raise ValueError("only a study of pairs without training chooses the next one from the answers")
        return rule

    @property
    def shown(self) -> StudyKind:
        """How this kind of study is shown."""
        return KINDS[self.kind]

    @property
    def answers(self) -> tuple[str, ...]:
        """Every answer that a question can have, in the order of their buttons."""
        return tuple(map(str, self.scale.scale.points)) if self.kind == "rating" else PAIR_ANSWERS

    def anchors(self, question: Question) -> tuple[str, ...]:
        """What the points mean, the lowest first; none for pairs."""
        return () if self.kind == "pair" else question.anchors or self.scale.names

    @property
    def exclusion_rule(self) -> str:
        """The exclusion rule in one sentence."""
        rule = self.checks
        return (
            f"Excluded: who failed so many checks of a kind that an honest person, who fails "
            f"{rule.slip_rate:.0%} of the corrupted copies and {rule.contradiction_rate:.0%} of the "
            f"{self.shown.repeated}, would fail as many in less than {rule.false_exclusion:.1%} of all cases."
        )

    @property
    def wanted_on_overlap(self) -> int:
        """How many annotators see a comparison of the overlap."""
        return max(self.annotators_per_pair, self.overlap.annotators)


def read_study_config(path: Path | str | None = None, **overrides: Any) -> StudyConfig:
    """Read study.yaml, or the defaults.

    Args:
        path: the file; the defaults where None.
        overrides: keys that win over the file's.

    Raises:
        StudyConfigError: unreadable, not YAML, an unknown key or a bad value; names the key.
    """
    values: Any = {}
    if path is not None:
        try:
            values = read_yaml(Path(path).read_text(encoding="utf-8")) or {}
        except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
            what = " ".join(str(error).split())[:200]
            raise StudyConfigError(f"cannot be read: {what}", path=path, hint="Give a YAML file.") from error
        if not isinstance(values, dict):
            raise StudyConfigError(
                "is not a list of settings",
                path=path,
                hint="Write `title: ...`, `questions: [...]` and so on.",
            )
    try:
        return StudyConfig.model_validate({**values, **overrides})
    except ValidationError as error:
        raise _explained(error, path) from error


def _explained(error: ValidationError, path: Path | str | None) -> StudyConfigError:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        nested: dict[str, type[BaseModel]] = {
            "overlap": Overlap,
            "checks": Checks,
            "questions": Question,
            "scale": RatingScale,
            "adaptive": StoppingRule,
        }
        model = nested.get(str(first["loc"][0]), StudyConfig) if len(first["loc"]) > 1 else StudyConfig
        hint = did_you_mean(str(first["loc"][-1]), model.model_fields)
        return StudyConfigError(f"unknown key {place!r}", path=path, hint=hint)
    message = first["msg"].removeprefix("Value error, ")
    return StudyConfigError(f"{place}: {message}", path=path, hint="Mend that value and try again.")
