"""Which of a team's runs counts, and whether the counting runs may stand in one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from ipvg_eval.core.comparability import differing_facts
from ipvg_eval.leaderboard.challenge import Counting
from ipvg_eval.leaderboard.errors import RunsError
from ipvg_eval.leaderboard.runs import ScoredRun


@dataclass(frozen=True, kw_only=True)
class Submissions:
    """The runs of one track.

    Attributes:
        rule: which of a team's runs counts.
        counting: one run per team, by team name.
        table: one row per run, by team and time: team, run (folder), finished (ISO 8601, UTC), samples,
            scored, missing, undecodable, crashed, counting (bool) and note: why a run does not count.
    """

    rule: Counting
    counting: tuple[ScoredRun, ...]
    table: pd.DataFrame

    @property
    def teams(self) -> tuple[str, ...]:
        """Every team, by name."""
        return tuple(run.team for run in self.counting)

    @property
    def identities(self) -> dict[str, str]:
        """Sample -> identity, for every sample of the track."""
        samples = self.counting[0].samples
        return dict(zip(samples["sample"], samples["identity"], strict=True))


def choose_submissions(runs: Sequence[ScoredRun], rule: Counting = "latest") -> Submissions:
    """Pick one run per team of a track, by the time at which the runs were finished.

    Raises:
        RunsError: two runs of a team were finished at the same time.
    """
    counting = []
    rows = []
    for team in sorted({run.team for run in runs}):
        own = sorted((run for run in runs if run.team == team), key=_finished)
        chosen = own[-1] if rule == "latest" else own[0]
        for run in own:
            if run is not chosen and _finished(run) == _finished(chosen):
                raise RunsError(
                    f"two runs of team {team!r} were finished at the same time: {run.path} and {chosen.path}",
                    hint="Give only the one that counts.",
                )
            rows.append(_row(run, chosen))
        counting.append(chosen)
    return Submissions(rule=rule, counting=tuple(counting), table=pd.DataFrame(rows))


def check_comparable(runs: Sequence[ScoredRun]) -> None:
    """Refuse runs whose numbers do not compare.

    Raises:
        RunsError: says which fact differs, and which runs have which value.
    """
    named = {f"{run.team} ({run.path})": run.info for run in runs}
    different = differing_facts(named)
    if different:
        lines = []
        for fact, groups in different.items():
            lines.append(f"  {fact} differs:")
            lines += [f"    {value}: {', '.join(names)}" for value, names in groups.items()]
        raise RunsError(
            "these runs do not compare:\n" + "\n".join(lines),
            hint="Score every team under the same protocol, test set, weights and kind of device.",
        )
    first = runs[0].samples.set_index("sample")["identity"]
    for run in runs[1:]:
        if not run.samples.set_index("sample")["identity"].sort_index().equals(first.sort_index()):
            raise RunsError(
                f"its samples are not those of {runs[0].path}, though both name the same test set",
                path=run.path / "samples.parquet",
                hint="One of the two tables is damaged: score that run again.",
            )


def _finished(run: ScoredRun) -> pd.Timestamp:
    assert run.info.finished is not None, "unfinished runs are refused on reading"
    return pd.Timestamp(run.info.finished).tz_convert("UTC")


def _row(run: ScoredRun, chosen: ScoredRun) -> dict[str, object]:
    counts = run.info.counts
    return {
        "team": run.team,
        "run": str(run.path),
        "finished": _finished(run).isoformat(),
        "samples": counts.samples,
        "scored": counts.scored,
        "missing": counts.missing,
        "undecodable": counts.undecodable,
        "crashed": counts.crashed,
        "counting": run is chosen,
        "note": "" if run is chosen else f"superseded by {chosen.path}",
    }
