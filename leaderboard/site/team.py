"""One team's page as the templates read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from markupsafe import Markup

from ipvg_eval.core.jsonable import jsonable
from ipvg_eval.core.page import Album, Extremes, Picture, extremes, histogram
from ipvg_eval.leaderboard.rank_breakdown import RankBreakdown
from ipvg_eval.leaderboard.runs import ScoredRun
from ipvg_eval.leaderboard.site.judged import Judged
from ipvg_eval.leaderboard.site.media import Media
from ipvg_eval.leaderboard.site.track import Record, Shown, Track

_EACH = 3
_PICTURES_LIMIT = 2_000_000


@dataclass(frozen=True, kw_only=True)
class SampleCard:
    """One sample that stands out.

    Attributes:
        number: of the card on its page.
        identity: of the sample.
        status: how far it came.
        reason: why something is missing, empty if nothing is.
        scores: metric -> value, None where missing.
        strip: frames of the video.
        reference: the reference picture.
    """

    number: int
    identity: str
    status: str
    reason: str
    scores: Mapping[str, float | None]
    strip: Picture | None
    reference: Picture | None


class TeamView:
    """One team of a track."""

    def __init__(self, track: Track, team: str, media: Media | None) -> None:
        """Gather what the page shows.

        Args:
            track: the team's track.
            team: the team or baseline.
            media: where pictures lie; a page without them where None.
        """
        self.track = track
        self.team = team
        self._media = media
        self._album = Album(limit=_PICTURES_LIMIT)

    @property
    def final(self) -> Record | None:
        """Its row of the final ranking; None for a baseline."""
        return next((row for row in self.track.final if row["team"] == self.team), None)

    @property
    def phase1(self) -> Record | None:
        """Its row of phase 1; None for a baseline."""
        return next((row for row in self.track.phase1 if row["team"] == self.team), None)

    @property
    def submissions(self) -> list[Record]:
        """Its runs."""
        return [row for row in self.track.submissions if row["team"] == self.team]

    @property
    def run(self) -> Record:
        """Its run that counts."""
        return next(row for row in self.submissions if row["counting"])

    @property
    def audit(self) -> list[tuple[str, int, list[str]]] | None:
        """Kind, number and sentences of what an audit found; None where its run was not audited."""
        record = self.track.board.audits.get(self.team)
        if record is None:
            return None
        kinds: dict[str, list[str]] = {}
        for finding in record.findings:
            kinds.setdefault(finding.kind, []).append(finding.message)
        return [(kind.replace("-", " "), len(found), found) for kind, found in kinds.items()]

    @property
    def worked(self) -> RankBreakdown | None:
        """Its worked sums; None for a baseline."""
        return self.track.board.worked.get(self.team)

    @property
    def terms(self) -> list[Record]:
        """The terms of its rank sum, in the order of the ranking metrics."""
        terms: list[Record] = jsonable(self.worked.terms) if self.worked else []
        return terms

    @property
    def judged(self) -> list[tuple[Judged, Record]]:
        """Every question with the team's row; without those on which nobody voted on it."""
        found = [(judged, judged.row(self.team)) for judged in self.track.judged]
        return [(judged, row) for judged, row in found if row is not None and row["comparisons"]]

    @cached_property
    def histograms(self) -> list[tuple[Shown, Markup, str]]:
        """Metric, drawing and words; all teams share the axis of a metric."""
        drawn = []
        for spread in self.track.spreads:
            frame = self.track.board.scores.values[spread.shown.name]
            known = frame[self.team].dropna().tolist()
            row = next((row for row in spread.rows if row["team"] == self.team), None)
            if row is None:
                continue
            low, high = float(np.nanmin(frame.to_numpy())), float(np.nanmax(frame.to_numpy()))
            chart = histogram(known, row["mean"], domain=(low, high), marks=not self.track.public)
            places = spread.shown.decimals
            words = (
                f"{spread.shown.title}: {len(known)} values, median {row['p50']:.{places}f}, "
                f"mean {row['mean']:.{places}f}, "
                f"90 % of them from {row['p5']:.{places}f} to {row['p95']:.{places}f}"
            )
            drawn.append((spread.shown, chart, words))
        return drawn

    @cached_property
    def ends(self) -> list[Extremes]:
        """The best and worst samples of every metric; none on a public page."""
        if self.track.public:
            return []
        ends = [
            extremes(
                self._values(shown.name),
                metric=shown.name,
                higher_is_better=shown.higher_is_better,
                each=_EACH,
            )
            for shown in self.track.metrics
            if shown.name in self.track.board.scores.values
        ]
        return [end for end in ends if end.first]

    @cached_property
    def cards(self) -> dict[str, SampleCard]:
        """Every sample among the best and worst, in order of first appearance."""
        names = dict.fromkeys(name for end in self.ends for name in (*end.first, *end.last))
        rows = self._run.samples.set_index("sample").loc[list(names)].to_dict("index")
        return {
            str(name): self._card(number, str(name), jsonable(row))
            for number, (name, row) in enumerate(rows.items())
        }

    @property
    def ranking(self) -> list[dict[str, Any]]:
        """The ends as the page's script reads them, samples by the number of their card."""
        directions = {shown.name: shown.higher_is_better for shown in self.track.metrics}
        return [
            {
                "metric": end.metric,
                "known": directions[end.metric] is not None,
                "first": [self.cards[name].number for name in end.first],
                "last": [self.cards[name].number for name in end.last],
            }
            for end in self.ends
        ]

    @property
    def titles(self) -> dict[str, Shown]:
        """The metrics by name."""
        return {shown.name: shown for shown in self.track.metrics}

    @property
    def left_out(self) -> int:
        """How many pictures the page has no room for."""
        return self._album.left_out

    @property
    def _run(self) -> ScoredRun:
        return next(run for run in self.track.board.submissions.counting if run.team == self.team)

    def _values(self, metric: str) -> dict[str, float | None]:
        samples = self._run.samples
        values: list[float | None] = jsonable(samples[metric].tolist())
        return dict(zip(samples["sample"], values, strict=True))

    def _card(self, number: int, sample: str, row: Record) -> SampleCard:
        identity = str(row["identity"])
        picture = self._album.picture
        path = self._run.path
        return SampleCard(
            number=number,
            identity=identity,
            status=str(row["status"]),
            reason=row["reason"] if isinstance(row["reason"], str) else "",
            scores={shown.name: row[shown.name] for shown in self.track.metrics if shown.name in row},
            strip=picture(self._media.thumbnail(path, sample)) if self._media else None,
            reference=picture(self._media.reference(path, identity)) if self._media else None,
        )
