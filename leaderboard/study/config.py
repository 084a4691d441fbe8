"""study.yaml: how a study is set up. Every key has a default; all of it is fixed when the study is made."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from ipvg_eval.core.suggest import did_you_mean
from ipvg_eval.core.yaml_text import read_yaml
from ipvg_eval.leaderboard.stopping import StoppingRule
from ipvg_eval.leaderboard.study.errors import StudyConfigError

KNOWN_QUESTIONS = {
    "overall": "Which video is better overall?",
    "identity": "In which video does the person look more like the reference picture?",
    "quality": "Which video looks better: sharper, steadier, fewer flaws?",
    "text": "Which video follows the description better?",
    "timeline": "Which video shows the right events at the right times?",
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Question(_Strict):
    """A question about a pair of videos.

    Attributes:
        name: its name in the votes.
        text: what the annotator reads.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    text: str = Field(min_length=1, max_length=300)


def _question(value: object) -> object:
    if isinstance(value, str):
        if value not in KNOWN_QUESTIONS:
            hint = did_you_mean(value, KNOWN_QUESTIONS)
            raise ValueError(f"{value!r} has no built-in text. {hint} Others need name and text.")
        return {"name": value, "text": KNOWN_QUESTIONS[value]}
    return value


def _adaptive(value: object) -> object:
    return ({} if value else None) if isinstance(value, bool) else value


class Overlap(_Strict):
    """Comparisons that several annotators see, to measure their agreement.

    Attributes:
        share: of all comparisons.
        annotators: how many see each of them.
    """

    share: float = Field(default=0.08, ge=0, le=1)
    annotators: int = Field(default=3, ge=2, le=100)


class Checks(_Strict):
    """Attention checks, and the rule by which annotators are excluded.

    A corrupted check fails unless the real video was preferred to its corrupted copy; a repeated check fails
    if the other team won when the sides were swapped (a draw contradicts nothing). Only the first question
    counts. Honest people slip now and then and contradict themselves on close pairs. An annotator is excluded
    for a kind of check if so many failed that an honest person would fail as many in less than
    `false_exclusion` of all cases (binomial distribution).

    Attributes:
        corrupted_per_hundred: pairs of a real video and its corrupted copy, per 100 comparisons of a sheet;
            at least 2 per sheet unless this is 0.
        repeats_per_hundred: comparisons shown again with the sides swapped; at least 2 likewise.
        max_share: largest share of checks among the steps of a sheet; wins over the two above.
        slip_rate: share of the corrupted checks that an honest person fails.
        contradiction_rate: share of the repeated checks that an honest person fails; one half for somebody
            who sees no difference and never chooses draw.
        false_exclusion: share of honest people that either kind may exclude.
    """

    corrupted_per_hundred: float = Field(default=4.0, ge=0, le=100)
    repeats_per_hundred: float = Field(default=4.0, ge=0, le=100)
    max_share: float = Field(default=0.1, ge=0, le=0.5)
    slip_rate: float = Field(default=0.05, gt=0, lt=1)
    contradiction_rate: float = Field(default=0.5, gt=0, lt=1)
    false_exclusion: float = Field(default=0.01, gt=0, lt=1)

    @property
    def rule(self) -> str:
        """The exclusion rule in one sentence."""
        return (
            f"Excluded: who failed so many checks of a kind that an honest person, who fails "
            f"{self.slip_rate:.0%} of the corrupted copies and {self.contradiction_rate:.0%} of the pairs "
            f"shown again with the sides swapped, would fail as many in less than "
            f"{self.false_exclusion:.1%} of all cases."
        )


class StudyConfig(_Strict):
    """Settings of a study.

    Attributes:
        title: what the annotators' page is called.
        instructions: what annotators read first; blank lines part paragraphs.
        questions: in the order they are asked; built-in names, or name and text.
        annotators: into how many sheets of about the same length the comparisons are dealt.
        annotators_per_pair: how many annotators see each comparison.
        overlap: comparisons that more annotators see.
        share: share of the samples that is used, drawn alike from every identity.
        checks: attention checks and the exclusion rule.
        missing: what becomes of a comparison where one team has no playable video: "leave_out", or "loss":
            the export counts it as won by the other. Where neither has one it is left out.
        crowd: whether people with an invitation can join by themselves.
        join_limit: how many may join so; None: twice `annotators`.
        sound: "drop", or "keep": one clip is heard at a time, silent ones as well.
        completion_code: one code for all who finish; None makes one per annotator.
        adaptive: when to stop, where the server chooses each next pair from the answers so far; `true` takes
            the defaults, None fixes all pairs beforehand. Its question is the first.
        seed: of every draw.
    """

    title: str = Field(default="Compare videos", min_length=1, max_length=120)
    instructions: str = Field(
        default=(
            "You will see a reference picture, a description and two videos that were made from them. "
            "Watch both videos to the end, then say which is better.\n\n"
            "If you truly see no difference, choose draw. You can undo your last answer. "
            "You can close the page at any time and come back by the same link."
        ),
        max_length=4000,
    )
    questions: tuple[Annotated[Question, BeforeValidator(_question)], ...] = Field(
        default=(Question(name="overall", text=KNOWN_QUESTIONS["overall"]),), min_length=1, max_length=8
    )
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

    @field_validator("questions")
    @classmethod
    def _once(cls, questions: tuple[Question, ...]) -> tuple[Question, ...]:
        names = [question.name for question in questions]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"question {name!r} is asked twice")
        return questions

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
        nested: dict[str, type[BaseModel]] = {"overlap": Overlap, "checks": Checks, "questions": Question}
        nested["adaptive"] = StoppingRule
        model = nested.get(str(first["loc"][0]), StudyConfig) if len(first["loc"]) > 1 else StudyConfig
        hint = did_you_mean(str(first["loc"][-1]), model.model_fields)
        return StudyConfigError(f"unknown key {place!r}", path=path, hint=hint)
    message = first["msg"].removeprefix("Value error, ")
    return StudyConfigError(f"{place}: {message}", path=path, hint="Mend that value and try again.")
