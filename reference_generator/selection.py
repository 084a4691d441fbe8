"""Per sample the best of several candidates: the mixture of experts of TPIGE."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ipvg_eval.reference_generator.errors import OutputInUse, SettingsError
from ipvg_eval.reference_generator.record import records_folder, write_json


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One scored submission.

    Attributes:
        name: the team or system.
        scores: score of each sample, None where there is none.
        videos: path of each sample's video in its submission; samples without a video are left out.
        open: opens one of these paths.
    """

    name: str
    scores: Mapping[str, float | None]
    videos: Mapping[str, str]
    open: Callable[[str], AbstractContextManager[BinaryIO]]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What was chosen for one sample.

    Attributes:
        sample: sample id.
        video: its path in the new submission.
        winner: name of the chosen candidate, None if nobody has a video.
        scores: every candidate's score.
        note: what a reader must know, or None.
    """

    sample: str
    video: str
    winner: str | None
    scores: dict[str, float | None]
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class Selection:
    """All choices.

    Attributes:
        by: the metric.
        choices: one per sample, in the samples' order.
        wins: how often each candidate won, in the candidates' order.
        mean: mean score of the winners over the samples where the winner has one, None if there is none.
        means: mean score of each candidate over the samples where it has one.
    """

    by: str
    choices: tuple[Choice, ...]
    wins: dict[str, int]
    mean: float | None
    means: dict[str, float | None]

    @property
    def missing(self) -> tuple[str, ...]:
        """Samples that nobody has a video for."""
        return tuple(choice.sample for choice in self.choices if choice.winner is None)


def choose(
    candidates: Sequence[Candidate], videos: Mapping[str, str], *, by: str, higher_is_better: bool
) -> Selection:
    """Choose a candidate for every sample.

    The best score wins; of equal ones the earlier candidate. Where nobody has a score, the first candidate
    that has a video serves, with a note.

    Args:
        candidates: in order of preference.
        videos: path in the new submission of every sample, in the samples' order.
        by: name of the metric.
        higher_is_better: its direction.

    Raises:
        SettingsError: there is no candidate, or two have the same name.
    """
    names = [candidate.name for candidate in candidates]
    if not names or len(set(names)) < len(names):
        raise SettingsError(
            "the candidates need different names: " + ", ".join(names),
            hint="Score the submissions with different --team names.",
        )
    choices = tuple(
        _choose_one(sample, video, candidates, higher_is_better) for sample, video in videos.items()
    )
    winners = [choice.winner for choice in choices]
    won = [choice.scores[choice.winner] for choice in choices if choice.winner is not None]
    return Selection(
        by=by,
        choices=choices,
        wins={name: winners.count(name) for name in names},
        mean=_mean(won),
        means={c.name: _mean([c.scores.get(sample) for sample in videos]) for c in candidates},
    )


def _choose_one(sample: str, video: str, candidates: Sequence[Candidate], higher_is_better: bool) -> Choice:
    scores = {candidate.name: candidate.scores.get(sample) for candidate in candidates}
    able = [candidate for candidate in candidates if sample in candidate.videos]
    scored = [(value, c.name) for c in able if (value := scores[c.name]) is not None]
    if scored:
        best = (max if higher_is_better else min)(scored, key=lambda pair: pair[0])
        return Choice(sample=sample, video=video, winner=best[1], scores=scores)
    if able:
        note = "nobody has a score; the first candidate with a video serves"
        return Choice(sample=sample, video=video, winner=able[0].name, scores=scores, note=note)
    return Choice(sample=sample, video=video, winner=None, scores=scores, note="nobody has a video")


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def write_selection(selection: Selection, candidates: Sequence[Candidate], out: Path) -> None:
    """Copy the chosen videos into a new submission, and the choices into a record beside it.

    Args:
        selection: the choices.
        candidates: as given to `choose`.
        out: the new submission's folder, empty or not there.

    Raises:
        OutputInUse: the folder holds something.
    """
    if out.exists() and any(out.iterdir()):
        raise OutputInUse("the folder is not empty", path=out, hint="Choose another folder with --out.")
    by_name = {candidate.name: candidate for candidate in candidates}
    for choice in selection.choices:
        if choice.winner is None:
            continue
        candidate, target = by_name[choice.winner], out / choice.video
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.part")
        with candidate.open(candidate.videos[choice.sample]) as source, temporary.open("wb") as file:
            shutil.copyfileobj(source, file)
        temporary.replace(target)
    record = {
        "by": selection.by,
        "wins": selection.wins,
        "mean": selection.mean,
        "means": selection.means,
        "choices": {
            choice.sample: {"winner": choice.winner, "scores": choice.scores, "note": choice.note}
            for choice in selection.choices
        },
    }
    write_json(records_folder(out) / "selection.json", record)
