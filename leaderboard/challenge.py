"""challenge.yaml: the rules by which scored runs and votes become a ranking.

Every key has a default, so that no file is needed. The defaults are the published rules of 2025: ranks
summed over the metrics, three finalists, study points decide among them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from ipvg_eval.core.names import TeamName
from ipvg_eval.core.resampling import BootstrapRule
from ipvg_eval.core.suggest import did_you_mean
from ipvg_eval.core.yaml_text import read_yaml
from ipvg_eval.leaderboard.errors import ChallengeError

TieRule = Literal["shared", "first_metric", "mean_normalised"]
Ranking = Literal["competition", "average"]
Counting = Literal["latest", "first"]
Direction = Literal["higher", "lower"]
Weighting = Literal["comparison", "vote", "pair"]


def _as_written(value: object) -> object:
    """YAML reads 2026-05-16 as a date; the page prints what the organiser wrote."""
    return value if isinstance(value, Mapping | list) else str(value)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MetricRule(_Strict):
    """One metric that enters phase 1.

    Attributes:
        name: the metric's name in the runs.
        weight: how much its rank counts.
        direction: which way is better; needed only where the run's metric has none (a diagnostic), and an
            error where it contradicts the run.
        requires: metric -> smallest value a sample must have there for its value here to count, such as
            `{face_coverage: 0.5}`, so that hiding the face does not pay.
        optional: a team without a score ranks last here and stays eligible, as for a speed that teams may
            state or not.
    """

    name: str
    weight: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    direction: Direction | None = None
    requires: dict[str, float] = Field(default_factory=dict)
    optional: bool = False


class TrackRule(_Strict):
    """One track.

    Attributes:
        name: the track's name in the runs' test sets.
        title: its name for people; the name where left out.
        metrics: its metrics; the challenge's where left out.
        finalists: how many teams go on; the challenge's number where left out.
    """

    name: str
    title: str = ""
    metrics: tuple[MetricRule, ...] | None = None
    finalists: int | None = Field(default=None, ge=1)


class FinalRule(_Strict):
    """How phase 1 and the people's judgement make the final rank.

    Attributes:
        method: "lexicographic": finalists by the study, then the rest by phase 1, as in 2025.
            "weighted_sum": finalists by objective_weight times the mean normalised metric value plus
            subjective_weight times the normalised judgement, then the rest by phase 1.
        objective_weight: weight of the metrics in a weighted sum.
        subjective_weight: weight of the judgement in a weighted sum.
        subjective: "study": the share of points a finalist won; "mos": its mean opinion score.
    """

    method: Literal["lexicographic", "weighted_sum"] = "lexicographic"
    objective_weight: float = Field(default=0.5, ge=0, allow_inf_nan=False)
    subjective_weight: float = Field(default=0.5, ge=0, allow_inf_nan=False)
    subjective: Literal["study", "mos"] = "study"

    @model_validator(mode="after")
    def _some_weight(self) -> FinalRule:
        if self.objective_weight + self.subjective_weight <= 0:
            raise ValueError("objective_weight and subjective_weight are both 0")
        return self


class StudyRule(_Strict):
    """How votes are counted.

    Attributes:
        question: the question whose points decide.
        weighting: "comparison": several votes on one sample and pair share that comparison's one point;
            "vote": every vote is a comparison of its own; "pair": as "comparison", and every two teams share
            as many points as every other two, however often they were compared: for adaptive studies.
        ridge: precision of the normal prior on Bradley-Terry log-strengths where no finite maximum exists.
        few: a pair of teams with fewer comparisons than this is marked as having too few.
    """

    question: str = "overall"
    weighting: Weighting = "comparison"
    ridge: float = Field(default=0.01, gt=0, allow_inf_nan=False)
    few: int = Field(default=30, ge=1)


class EloRule(_Strict):
    """Elo's settings.

    Attributes:
        k: how many points one game can move.
        initial: where every team starts; Bradley-Terry ratings are anchored there too.
        permutations: how many orders of the votes are rated.
        seed: of the orders.
    """

    k: float = Field(default=4.0, gt=0, allow_inf_nan=False)
    initial: float = Field(default=1000.0, allow_inf_nan=False)
    permutations: int = Field(default=200, ge=1, le=10_000)
    seed: int = Field(default=0, ge=0)


class Challenge(_Strict):
    """The rules of a challenge.

    Attributes:
        title: its name.
        dates: what happens when, in the page's order.
        tracks: its tracks in the page's order; the runs' own where empty.
        metrics: what phase 1 ranks by; every metric of the runs that has a direction where empty.
        ranking: how equal values are ranked within a metric: "competition" gives both the better rank
            (1, 2, 2, 4), "average" the mean of the ranks they span (1, 2.5, 2.5, 4).
        tie_rule: what decides between equal rank sums: nothing ("shared"), the first metric, or the
            weighted mean of the min-max normalised values.
        finalists: how many teams go on; more if the last place is shared.
        coverage: smallest share of samples with a value for a metric to count; below it the score is missing.
        baselines: teams that are shown but not ranked.
        counting: which of a team's runs on a track counts.
        final: how the final rank is made.
        study: how votes are counted.
        elo: settings of Elo.
        bootstrap: settings of the intervals.
        public_key: file of the key by whose owner runs must be signed, where they are ranked strictly.
    """

    title: str = "Leaderboard"
    dates: dict[str, Annotated[str, BeforeValidator(_as_written)]] = Field(default_factory=dict)
    tracks: tuple[TrackRule, ...] = ()
    metrics: tuple[MetricRule, ...] = ()
    ranking: Ranking = "competition"
    tie_rule: TieRule = "shared"
    finalists: int = Field(default=3, ge=1)
    coverage: float = Field(default=0.95, ge=0, le=1)
    baselines: tuple[TeamName, ...] = ()
    counting: Counting = "latest"
    final: FinalRule = Field(default_factory=FinalRule)
    study: StudyRule = Field(default_factory=StudyRule)
    elo: EloRule = Field(default_factory=EloRule)
    bootstrap: BootstrapRule = Field(default_factory=BootstrapRule)
    public_key: str | None = None

    @model_validator(mode="after")
    def _names_once(self) -> Challenge:
        _once("track", [track.name for track in self.tracks])
        _once("metric", [metric.name for metric in self.metrics])
        for track in self.tracks:
            _once(f"metric of track {track.name!r}", [metric.name for metric in track.metrics or ()])
        _once("baseline", self.baselines)
        return self

    def track(self, name: str) -> TrackRule:
        """The rules of one track, the challenge's filled in.

        Raises:
            ChallengeError: tracks are listed and this is not one of them.
        """
        found = {track.name: track for track in self.tracks}
        if self.tracks and name not in found:
            raise ChallengeError(
                f"a run is on track {name!r}, which the challenge does not list",
                hint=did_you_mean(name, found),
            )
        rule = found.get(name, TrackRule(name=name))
        return TrackRule(
            name=name,
            title=rule.title or name,
            metrics=self.metrics if rule.metrics is None else rule.metrics,
            finalists=rule.finalists or self.finalists,
        )


def read_challenge(path: Path | str) -> Challenge:
    """Read a challenge.yaml.

    Raises:
        ChallengeError: unreadable, not YAML, an unknown key (with the nearest known one) or a bad value.
    """
    try:
        text = Path(path).read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise ChallengeError(
            f"this file cannot be read ({why})", path=path, hint="Check the path."
        ) from error
    return parse_challenge(text, where=str(path))


def parse_challenge(text: str, *, where: str = "challenge") -> Challenge:
    """Parse the text of a challenge.yaml.

    Raises:
        ChallengeError: as `read_challenge`; messages begin with `where`.
    """
    try:
        content = read_yaml(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # dates that are none, endless nesting
        raise ChallengeError(f"not valid YAML: {error}", path=where, hint="Mend the file there.") from error
    content = {} if content is None else content
    if not isinstance(content, Mapping):
        raise ChallengeError(
            "a challenge is a mapping of keys to values", path=where, hint="Begin with a line `title: ...`."
        )
    try:
        return Challenge.model_validate(content)
    except ValidationError as error:
        raise _explained(error, where) from error


def _explained(error: ValidationError, where: str) -> ChallengeError:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        known = _model_at(first["loc"][:-1]).model_fields
        return ChallengeError(
            f"unknown key {place!r}", path=where, hint=did_you_mean(str(first["loc"][-1]), known)
        )
    message = first["msg"].removeprefix("Value error, ")
    return ChallengeError(
        f"{place}: {message}" if place else message, path=where, hint="Mend that value and try again."
    )


def _model_at(location: Sequence[int | str]) -> type[BaseModel]:
    """The model whose keys are spelled at a place in the file."""
    model: type[BaseModel] = Challenge
    for part in location:
        if isinstance(part, str) and part in model.model_fields:
            model = _model_in(model.model_fields[part].annotation) or model
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for part in get_args(annotation) if (model := _model_in(part))), None)


def _once(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"{what} {name!r} is listed twice")
        seen.add(name)
