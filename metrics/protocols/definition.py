"""Protocol files: named, versioned YAML that says which metrics run with which rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ipvg_eval.core.combination import Combination
from ipvg_eval.core.run import EvaluatorEntry
from ipvg_eval.core.suggest import did_you_mean
from ipvg_eval.core.yaml_text import read_yaml
from ipvg_eval.metrics.errors import ProtocolError

_SHIPPED = resources.files("ipvg_eval.metrics") / "protocols"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Protocol(_Strict):
    """A protocol as its file says it.

    Attributes:
        name: short name.
        version: raised whenever a number for the same input may change.
        title: one line for people.
        description: what it is for.
        official: False for runs that must not enter a leaderboard (proxies, demonstrations).
        notice: sentence that every output of a run repeats, empty for none.
        evaluators: what is measured, in the order of the columns.
        combined: weighted sums of the metrics.
        corpus: names of metrics of the whole submission.
        audit: thresholds of an audit by name; what is left out has its default. They change no number.
        frames_needed: share of the frames that are looked at which must decode, else the video has no values;
            where None, a damaged video has values of what can be decoded of it. Frames that time did not
            suffice for always leave the video without.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    version: int = Field(ge=1)
    title: str
    description: str = ""
    official: bool = True
    notice: str = ""
    evaluators: tuple[EvaluatorEntry, ...] = Field(min_length=1)
    combined: tuple[Combination, ...] = ()
    corpus: tuple[str, ...] = ()
    audit: dict[str, float] = Field(default_factory=dict)
    frames_needed: float | None = Field(default=None, gt=0, le=1)


def shipped_protocols() -> tuple[str, ...]:
    """Names of the protocols that come with the package."""
    return tuple(sorted(Path(item.name).stem for item in _SHIPPED.iterdir() if item.name.endswith(".yaml")))


def read_definition(name: str) -> Protocol:
    """A protocol's file, parsed but not checked against its evaluators; imports no network.

    Raises:
        ProtocolError: no such protocol or file, bad YAML, or an unknown key.
    """
    return parse_definition(read_text(name), name)


def read_text(name: str) -> str:
    """The text of a protocol's file.

    Raises:
        ProtocolError: no such protocol or file.
    """
    if name in shipped_protocols():
        return (_SHIPPED / f"{name}.yaml").read_text("utf-8")
    path = Path(name)
    if path.suffix not in {".yaml", ".yml"} and not path.exists():
        raise ProtocolError(
            f"there is no protocol {name!r}",
            hint=did_you_mean(name, shipped_protocols()) + " A file must end in .yaml.",
        )
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProtocolError(
            f"{path}: this protocol file cannot be read ({error})",
            hint="Check the path; `ipvg-eval protocols list` shows the ones that are shipped.",
        ) from error


def parse_definition(text: str, where: str) -> Protocol:
    """Parse a protocol's YAML text without looking at its evaluators.

    Raises:
        ProtocolError: bad YAML or an unknown key; the message begins with `where`.
    """
    try:
        content = read_yaml(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # dates that are none, endless nesting
        raise ProtocolError(
            f"{where}: not valid YAML: {error}", hint="Mend the file at that line."
        ) from error
    if not isinstance(content, Mapping):
        raise ProtocolError(
            f"{where}: a protocol is a mapping of keys to values",
            hint="Start from `ipvg-eval protocols show lite`.",
        )
    try:
        return Protocol.model_validate(content)
    except ValidationError as error:
        known = (*Protocol.model_fields, *EvaluatorEntry.model_fields)
        raise validation_error(where, "", error, known=known) from error


def validation_error(where: str, what: str, error: ValidationError, *, known: Iterable[str]) -> ProtocolError:
    """What pydantic found, as one sentence with the place and the nearest known key."""
    # A misspelt key also leaves the right one missing; the misspelling is what helps the reader.
    problems = error.errors(include_url=False)
    first = next((problem for problem in problems if problem["type"] == "extra_forbidden"), problems[0])
    place = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        unknown = str(first["loc"][-1])
        return ProtocolError(f"{where}: {what}unknown key {place!r}", hint=did_you_mean(unknown, known))
    return ProtocolError(
        f"{where}: {what}{place}: {first['msg']}",
        hint="`ipvg-eval protocols show NAME` prints a valid file.",
    )
