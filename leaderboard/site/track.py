"""One track as the templates read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ipvg_eval.core.file_names import file_name
from ipvg_eval.core.intervals import METHOD
from ipvg_eval.core.jsonable import jsonable
from ipvg_eval.core.page import decimals
from ipvg_eval.leaderboard.board import TrackBoard
from ipvg_eval.leaderboard.metric import Metric
from ipvg_eval.leaderboard.site.hidden import FEWEST_VALUES, folder_names, source_names, without_folders
from ipvg_eval.leaderboard.site.judged import Judged
from ipvg_eval.leaderboard.site.scale import Scale, rank_scale, value_scale

_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
Record = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A metric and how its numbers are written."""

    metric: Metric
    decimals: int

    @property
    def name(self) -> str:
        """Its name in the runs."""
        return self.metric.name

    @property
    def title(self) -> str:
        """Its name for people."""
        return self.metric.title

    @property
    def higher_is_better(self) -> bool | None:
        """Its direction."""
        return self.metric.higher_is_better


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How every team's samples are spread on one metric.

    Attributes:
        shown: the metric.
        rows: per team with a value: team, p5, p25, p50, p75, p95, mean and count.
        scale: the axis.
    """

    shown: Shown
    rows: tuple[Record, ...]
    scale: Scale


@dataclass(frozen=True, kw_only=True)
class Track:
    """One track of a site; records have None where a number is missing.

    Attributes:
        board: what is shown.
        public: whether hidden data stays out.
    """

    board: TrackBoard
    public: bool

    @cached_property
    def id(self) -> str:
        """The track in addresses and file names."""
        return file_name(self.board.name)

    def page(self, team: str) -> str:
        """The file of a team's page, inside the site."""
        return f"teams/{self.id}_{file_name(team)}.html"

    @cached_property
    def metrics(self) -> tuple[Shown, ...]:
        """Every metric: those that rank first."""
        spread = self.board.scores.table.groupby("metric")[["mean", "low", "high"]]
        low, high = spread.min().min(axis=1), spread.max().max(axis=1)
        return tuple(
            Shown(metric=metric, decimals=decimals(float(low[metric.name]), float(high[metric.name])))
            for metric in self.board.metrics
        )

    @property
    def ranked(self) -> tuple[Shown, ...]:
        """The metrics that rank."""
        return tuple(shown for shown in self.metrics if shown.metric.weight > 0)

    @cached_property
    def scores(self) -> Mapping[tuple[str, str], Record]:
        """(team, metric) -> its row of the scores."""
        return {(row["team"], row["metric"]): row for row in jsonable(self.board.scores.table)}

    @cached_property
    def ranks(self) -> Mapping[tuple[str, str], float]:
        """(team, metric) -> rank in phase 1."""
        frame = self.board.phase1.ranks
        table = frame.to_numpy(dtype=np.float64)
        return {
            (str(team), str(metric)): float(table[row, column])
            for row, team in enumerate(frame.index)
            for column, metric in enumerate(frame.columns)
        }

    @cached_property
    def phase1(self) -> list[Record]:
        """The rows of phase 1, best first, each with `tied`: whether another team has its rank."""
        return _with_ties(jsonable(self.board.phase1.table))

    @cached_property
    def final(self) -> list[Record]:
        """The rows of the final ranking, as `phase1`."""
        return _with_ties(jsonable(self.board.final.table))

    def findings(self, team: str) -> int | None:
        """How much an audit found about a team; None where its run was not audited."""
        audit = self.board.audits.get(team)
        return None if audit is None else len(audit.findings)

    @cached_property
    def judged(self) -> tuple[Judged, ...]:
        """What people said, one entry per question, the deciding one first."""
        return tuple(Judged(ratings) for ratings in self.board.ratings.values())

    @cached_property
    def spreads(self) -> tuple[Spread, ...]:
        """The spread of every metric that has a value per sample, enough of them on a public page."""
        per_sample = (shown for shown in self.metrics if shown.name in self.board.scores.values)
        return tuple(spread for shown in per_sample if (spread := self._spread(shown)).rows)

    @property
    def teams(self) -> tuple[str, ...]:
        """Ranked teams in final order, then the baselines."""
        return (*(row["team"] for row in self.final), *self.board.baselines)

    @property
    def rank_scale(self) -> Scale:
        """The axis of ranks in phase 1."""
        return rank_scale(len(self.phase1))

    @cached_property
    def submissions(self) -> list[Record]:
        """Every run, without the organiser's folders."""
        names = folder_names(self.board)
        rows = []
        for row in jsonable(self.board.submissions.table):
            text = {key: without_folders(row[key], names) for key in ("run", "note")}
            rows.append({**row, **text})
        return rows

    @property
    def notices(self) -> tuple[str, ...]:
        """What a reader must know first."""
        names = folder_names(self.board)
        return tuple(without_folders(notice, names) for notice in self.board.notices)

    @property
    def interval_words(self) -> str:
        """What the intervals of the scores are."""
        rule = self.board.scores.resampling.rule
        return f"{100 * rule.level:g} % interval, {METHOD}"

    @cached_property
    def differences(self) -> list[Record]:
        """Paired differences, each with the metric it is on as `shown`."""
        shown = {one.name: one for one in self.metrics}
        return [{**row, "shown": shown[row["metric"]]} for row in jsonable(self.board.differences)]

    @cached_property
    def chances(self) -> list[Record]:
        """How likely each team is first; nothing where it is not known."""
        rows: list[Record] = jsonable(self.board.decided.table)
        return rows if all(row["first"] is not None for row in rows) else []

    @property
    def opinions(self) -> list[Record]:
        """Mean opinion scores."""
        rows: list[Record] = jsonable(self.board.opinions.table) if self.board.opinions else []
        return rows

    @property
    def sources(self) -> dict[str, str]:
        """Vote files and their hashes."""
        return source_names(self.board.sources)

    @cached_property
    def versions(self) -> list[tuple[str, str]]:
        """What measured the runs: package -> version, with the teams where they differ."""
        found: dict[str, dict[str, list[str]]] = {}
        for run in self.board.submissions.counting:
            tool = run.info.provenance
            of_run = {"ipvg-eval": " ".join(filter(None, (tool.version, tool.commit))), "Python": tool.python}
            for name, version in {**of_run, **tool.packages}.items():
                found.setdefault(name, {}).setdefault(version or "not recorded", []).append(run.team)
        return [
            (
                name,
                next(iter(of)) if len(of) == 1 else "; ".join(f"{v} ({', '.join(t)})" for v, t in of.items()),
            )
            for name, of in found.items()
        ]

    @property
    def protocol_text(self) -> str:
        """The protocol as it was used; comparable runs share it."""
        return self.board.submissions.counting[0].info.protocol.text

    def _spread(self, shown: Shown) -> Spread:
        values = self.board.scores.values[shown.name]
        rows = []
        for team in self.teams:
            known = values[team].dropna().to_numpy()
            if len(known) >= (FEWEST_VALUES if self.public else 1):
                points = np.quantile(known, _QUANTILES).tolist()
                names = ("p5", "p25", "p50", "p75", "p95")
                row = dict(zip(names, points, strict=True))
                rows.append({"team": team, **row, "mean": float(known.mean()), "count": len(known)})
        scale = value_scale(row[key] for row in rows for key in ("p5", "p95", "mean"))
        return Spread(shown=shown, rows=tuple(rows), scale=scale)


def _with_ties(rows: list[Record]) -> list[Record]:
    ranks = [row["rank"] for row in rows]
    return [{**row, "tied": ranks.count(row["rank"]) > 1} for row in rows]
