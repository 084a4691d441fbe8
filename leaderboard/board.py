"""A leaderboard: everything that a page about a challenge says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ipvg_eval.core.audit_record import AuditRecord
from ipvg_eval.core.jsonable import jsonable
from ipvg_eval.core.printable import json_text
from ipvg_eval.core.summary import Identification
from ipvg_eval.leaderboard.challenge import Challenge, TrackRule
from ipvg_eval.leaderboard.decided import Decided
from ipvg_eval.leaderboard.final import FinalRanking
from ipvg_eval.leaderboard.metric import Metric
from ipvg_eval.leaderboard.mos import MeanOpinions
from ipvg_eval.leaderboard.phase1 import Phase1
from ipvg_eval.leaderboard.rank_breakdown import RankBreakdown
from ipvg_eval.leaderboard.ratings import PairwiseRatings
from ipvg_eval.leaderboard.scores import Scores
from ipvg_eval.leaderboard.submissions import Submissions

_IDENTIFICATION = {
    "metric",
    "proxy",
    "videos",
    "identities",
    "rank_1",
    "rank_5",
    "auc",
    "d_prime",
    "threshold",
    "matched",
}
"""What a board repeats: nothing about single videos or people."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TrackBoard:
    """One track.

    Attributes:
        rule: its name, title, metrics and number of finalists.
        submissions: its runs and which of them count.
        baselines: teams that are shown but not ranked.
        scores: objective scores with intervals, baselines among them.
        differences: paired differences between neighbours of phase 1 and between all finalists, on the
            ranking metrics (see `paired_differences`).
        phase1: the ranking by objective metrics.
        ratings: question -> what the votes on it say, the deciding question first; empty without votes.
        opinions: mean opinion scores; None without a sheet.
        final: the final ranking.
        decided: how sure it is.
        worked: team -> its sums, for every ranked team.
        samples: one row per team and sample: team, sample, identity, status, reason, one column per metric.
        audits: team -> what an audit of its run found; without the teams that were not audited.
        facts: what all counting runs share: protocol, test set, weights, decoder, device.
        sources: what was read: name -> sha256 of votes and opinion sheets.
        notices: what a reader must know before trusting anything here.
    """

    rule: TrackRule
    submissions: Submissions
    baselines: tuple[str, ...]
    scores: Scores
    differences: pd.DataFrame
    phase1: Phase1
    ratings: Mapping[str, PairwiseRatings]
    opinions: MeanOpinions | None
    final: FinalRanking
    decided: Decided
    worked: Mapping[str, RankBreakdown]
    samples: pd.DataFrame
    audits: Mapping[str, AuditRecord]
    facts: Mapping[str, str]
    sources: Mapping[str, str]
    notices: tuple[str, ...]

    @property
    def name(self) -> str:
        """The track's name in the runs."""
        return self.rule.name

    @property
    def title(self) -> str:
        """The track's name for people."""
        return self.rule.title

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Ranking metrics first, then those that are only shown."""
        return self.scores.metrics

    @property
    def identification(self) -> dict[str, tuple[Identification, ...]]:
        """Team -> its videos against everybody, where its run kept embeddings."""
        return {run.team: run.identification for run in self.submissions.counting if run.identification}

    @property
    def rank_rule(self) -> str:
        """What phase 1 ranked by, in words."""
        phase1 = self.phase1
        parts = []
        for metric in phase1.metrics:
            least = [f"{name} of at least {value:g}" for name, value in metric.requires.items()]
            weight = f"{metric.weight:g} × " if metric.weight != 1 else ""
            condition = f" (videos with {' and '.join(least)})" if least else ""
            parts.append(f"{weight}{metric.name} {metric.arrow}{condition}")
        ties = {
            "shared": "equal sums share the rank",
            "first_metric": f"between equal sums the rank on {phase1.metrics[0].name} decides",
            "mean_normalised": "between equal sums the mean normalised value decides",
        }
        return (
            f"Phase 1 adds up the ranks on {', '.join(parts)}; {ties[phase1.tie_rule]}; a score counts from "
            f"{100 * self.scores.coverage:g} % of the samples on; the first {phase1.finalists} go on."
        )

    def to_dict(self, *, samples: bool = False) -> dict[str, Any]:
        """Plain dictionaries and lists; missing numbers are None.

        Args:
            samples: whether to include the values of every sample.
        """
        scores = self.scores
        content = {
            "track": self.name,
            "title": self.title,
            "finalists": self.rule.finalists,
            "facts": self.facts,
            "audits": self.audits,
            "sources": self.sources,
            "notices": self.notices,
            "metrics": self.metrics,
            "baselines": self.baselines,
            "counting": self.submissions.rule,
            "submissions": self.submissions.table,
            "coverage": scores.coverage,
            "identities": len(scores.resampling.identities),
            "scores": scores.table,
            "differences": self.differences,
            "rank_rule": self.rank_rule,
            "phase1": self.phase1,
            "ratings": self.ratings,
            "opinions": self.opinions,
            "final": self.final,
            "decided": self.decided,
            "identification": [
                {"team": team, **one.model_dump(include=_IDENTIFICATION)}
                for team, found in self.identification.items()
                for one in found
            ],
            "worked": self.worked,
        }
        if samples:
            content["samples"] = self.samples
        return {key: jsonable(value) for key, value in content.items()}


@dataclass(frozen=True, kw_only=True, eq=False)
class Leaderboard:
    """All tracks of a challenge.

    Attributes:
        challenge: the rules.
        tracks: in the challenge's order.
        unofficial: whether unofficial or random-weight runs were let in.
        notices: what a reader must know before trusting anything here.
    """

    challenge: Challenge
    tracks: tuple[TrackBoard, ...]
    unofficial: bool
    notices: tuple[str, ...]

    def track(self, name: str) -> TrackBoard:
        """One track.

        Raises:
            KeyError: there is no such track.
        """
        for track in self.tracks:
            if track.name == name:
                return track
        raise KeyError(name)

    def to_dict(self, *, samples: bool = False) -> dict[str, Any]:
        """Plain dictionaries and lists; missing numbers are None.

        Args:
            samples: whether to include the values of every sample.
        """
        return {
            "challenge": jsonable(self.challenge),
            "unofficial": self.unofficial,
            "notices": list(self.notices),
            "tracks": [track.to_dict(samples=samples) for track in self.tracks],
        }

    def to_json(self, *, samples: bool = False) -> str:
        """JSON text of `to_dict`."""
        return json_text(self.to_dict(samples=samples), indent=1)
