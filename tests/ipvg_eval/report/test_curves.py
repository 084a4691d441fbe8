"""Curves: gaps stay gaps, lone values stay visible, times are seconds."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pandas as pd

from ipvg_eval.report import charts
from ipvg_eval.report.curves import Curves
from ipvg_eval.report.samples import read_samples
from ipvg_eval.results import Run

SVG = "{http://www.w3.org/2000/svg}"


def curves(chart: str) -> list[str]:
    """The path data of every curve, in drawing order."""
    return [e.get("d", "") for e in ElementTree.fromstring(chart).iter(f"{SVG}path")]


def dots(chart: str) -> int:
    return sum(1 for _ in ElementTree.fromstring(chart).iter(f"{SVG}circle"))


def draw(values: list[float | None]) -> str:
    times = [k / 8 for k in range(len(values))]
    return charts.curve(times, values, domain=(0.0, 1.0), end=times[-1])


def test_a_line_stops_where_a_frame_has_no_value() -> None:
    whole, broken = [0.5] * 9, [0.5] * 3 + [None] * 2 + [0.5] * 4
    assert [path.count("M") for path in curves(draw(whole))] == [1]
    assert [path.count("M") for path in curves(draw(broken))] == [2]


def test_frames_without_a_value_are_marked() -> None:
    chart = ElementTree.fromstring(draw([0.5, None, None, 0.5, 0.5]))
    red = [e for e in chart.iter() if e.get("fill") == "var(--bad)" or e.get("stroke") == "var(--bad)"]
    assert len(red) == 2


def test_a_value_between_two_gaps_is_visible_even_where_points_are_not_drawn() -> None:
    values: list[float | None] = [0.5] * 60
    values[20] = values[22] = None
    assert dots(draw([0.5] * 60)) == 0
    assert dots(draw(values)) == 1


def test_a_curve_uses_the_page_s_colours_only() -> None:
    assert not re.search(r'(?:fill|stroke)="(?!none|var\(--)[^"]+"', draw([0.1, None, 0.3]))


def test_points_are_frames_seconds_and_values(make_run: Callable[..., Run]) -> None:
    run = make_run(pictures=False)
    sample = next(s for s in read_samples(run) if s.sample == "id001/prompt3")
    curve = {c.spec.name: c for c in Curves(run).of(sample)}["lite_identity"]
    points = json.loads(curve.points)
    assert [(frame, time) for frame, time, _ in points] == [(k, round(k / 16.0, 3)) for k in range(0, 81, 5)]
    assert [k for k, (_, _, value) in enumerate(points) if value is None] == [6, 7, 8, 9]
    assert "17 frames over 5.00 s" in curve.words
    assert "4 frames without a value" in curve.words


def test_a_frame_without_a_known_time_lies_between_its_neighbours(make_run: Callable[..., Run]) -> None:
    run = make_run(pictures=False)
    frames = pd.DataFrame(
        {
            "sample": "id001/prompt1",
            "metric": "face_coverage",
            "frame": [0, 10, 20, 30, 40],
            "time": [np.nan, 1.0, np.nan, 3.0, np.nan],
            "value": [1.0, np.nan, 0.5, 0.5, 0.5],
        }
    )
    sample = read_samples(run)[0]
    assert sample.fps == 16.0
    (curve,) = Curves(replace(run, frames=frames)).of(sample)
    times = [time for _, time, _ in json.loads(curve.points)]
    assert times == [0.375, 1.0, 2.0, 3.0, 3.625]


def test_a_sample_without_frames_has_no_curves(make_run: Callable[..., Run]) -> None:
    run = make_run(pictures=False)
    missing = next(s for s in read_samples(run) if s.sample == "id001/prompt4")
    assert Curves(run).of(missing) == ()
