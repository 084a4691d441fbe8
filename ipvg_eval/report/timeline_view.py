"""A sample's timeline beside what was found in its video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from ipvg_eval.core.measurement import FrameFeatures
from ipvg_eval.core.page import Album, Picture
from ipvg_eval.core.timeline import Event, parse_timeline
from ipvg_eval.metrics.timeline.alignment.distractor_contrast import SUCCESS_P
from ipvg_eval.metrics.timeline.alignment.temporal_grounding import grounded_intervals
from ipvg_eval.metrics.timeline.spec import MIOU, P
from ipvg_eval.report.samples import Sample
from ipvg_eval.report.timeline_chart import Band, Bar, Line, timeline_chart
from ipvg_eval.results.features import read_features
from ipvg_eval.results.folder import EVENT_PICTURES
from ipvg_eval.results.reading import Run

FEWEST_TIMELINES = 30
"""Samples below which means of the timeline metrics rank nobody."""

COLOURS = 6
"""Events beyond these take the first one's colour again."""

LONGEST_TEXT = 300
"""Characters of an action that are shown; the page holds every action twice."""


@dataclass(frozen=True, kw_only=True)
class EventView:
    """One event.

    Attributes:
        number: from 1.
        colour: which of the page's event colours it has, from 1.
        when: prompted time in words.
        text: the action, its end left out where it is very long.
        found: the time it was found at in words; None where nothing looked for it.
        picture: the frame in the middle of the prompted time.
    """

    number: int
    colour: int
    when: str
    text: str
    found: str | None
    picture: Picture | None


@dataclass(frozen=True, kw_only=True)
class TimelineView:
    """The timeline of one sample.

    Attributes:
        events: by start.
        more: events that are not shown.
        chart: prompted bars, found bars and similarity curves over time.
        words: the same for those who cannot see it.
        with_curves: whether a text-video scorer looked at it.
        with_band: whether the similarity of other actions is drawn behind the curves.
        place: p, the place of the timeline among random ones, in words; None where it was not measured.
    """

    events: tuple[EventView, ...]
    more: int
    chart: Markup
    words: str
    with_curves: bool
    with_band: bool
    place: str | None


class Timelines:
    """The timelines of a run's samples."""

    def __init__(self, run: Run, album: Album) -> None:
        self._run = run
        self._album = album

    def of(self, sample: Sample) -> TimelineView | None:
        """A sample's timeline; None where it has none or its video was not looked at.

        Raises:
            RunError: the file of what was found is damaged.
        """
        events = parse_timeline(sample.timeline).events if sample.timeline is not None else ()
        if not events or sample.duration is None:
            return None
        features = read_features(self._run.folder.features(sample.sample))
        kept, unasked = features.get(MIOU.name), features.get(P.name)
        if kept is not None and kept.rows.shape[1] != len(events):
            kept = None
        found = grounded_intervals(kept) if kept is not None else None
        shown = events[:EVENT_PICTURES]
        views = tuple(self._event(sample, n, event, found) for n, event in enumerate(shown, start=1))
        chart = timeline_chart(
            prompted=[_bar(n, event.start, event.end) for n, event in enumerate(shown, start=1)],
            found=[_bar(n, *span) for n, span in enumerate((found or [])[:EVENT_PICTURES], start=1) if span],
            lines=self._lines(sample, kept, len(shown)) if kept is not None else [],
            duration=sample.duration,
            band=(band := self._band(sample, unasked) if unasked is not None else None),
        )
        place = sample.values.get(P.name)
        return TimelineView(
            events=views,
            more=len(events) - len(shown),
            chart=chart,
            words="; ".join(_words(view) for view in views),
            with_curves=kept is not None,
            with_band=kept is not None and band is not None,
            place=None if place is None else _place(place),
        )

    def _event(
        self, sample: Sample, number: int, event: Event, found: Sequence[tuple[float, float] | None] | None
    ) -> EventView:
        span = found[number - 1] if found is not None else None
        return EventView(
            number=number,
            colour=_colour(number),
            when=_span(event.start, event.end),
            text=_shown(event.description),
            found=None if found is None else _span(*span) if span else "not found",
            picture=self._album.picture(self._run.folder.event_picture(sample.sample, number)),
        )

    def _lines(self, sample: Sample, kept: FrameFeatures, count: int) -> list[Line]:
        times = self._times(sample, kept.indices)
        columns = kept.rows.astype(float).T[:count]
        return [
            Line(
                number=number,
                colour=_colour(number),
                points=tuple((t, float(v)) for t, v in zip(times, column, strict=True) if np.isfinite(v)),
            )
            for number, column in enumerate(columns, start=1)
        ]

    def _band(self, sample: Sample, unasked: FrameFeatures) -> Band | None:
        """Where 90 % of the actions nobody asked for lie; None where there are none."""
        if not unasked.rows.size:
            return None
        low, high = np.quantile(unasked.rows.astype(float), (0.05, 0.95), axis=1)
        times = self._times(sample, unasked.indices)
        rows = zip(times, low, high, strict=True)
        return Band(points=tuple((t, float(a), float(b)) for t, a, b in rows if np.isfinite([a, b]).all()))

    def _times(self, sample: Sample, indices: Sequence[int]) -> list[float]:
        """Presentation times of frames in seconds; from the frame rate where the tables do not have them."""
        frames = self._run.frames
        rows = frames[(frames["sample"] == sample.sample) & frames["time"].notna()]
        known = dict(zip(rows["frame"].tolist(), rows["time"].tolist(), strict=True))
        return [known.get(index, index / (sample.fps or 1.0)) for index in indices]


def _place(p: float) -> str:
    verdict = "fits better than 95 % of them" if p <= SUCCESS_P else "does not stand out"
    return f"p = {p:.3g} among timelines of random actions: {verdict}"


def _colour(number: int) -> int:
    return (number - 1) % COLOURS + 1


def _bar(number: int, start: float, end: float) -> Bar:
    return Bar(number=number, colour=_colour(number), start=start, end=end)


def _shown(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"


def _span(start: float, end: float) -> str:
    return f"{round(start, 2):g}\N{EN DASH}{round(end, 2):g}\N{NO-BREAK SPACE}s"


def _words(view: EventView) -> str:
    found = f", {view.found}" if view.found is not None else ""
    if view.found is not None and view.found[0].isdigit():
        found = f", found {view.found}"
    return f"event {view.number}, {view.text}: prompted {view.when}{found}"
