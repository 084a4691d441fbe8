"""The timeline view of the report, from real runs."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest
from prototypes import write_prototypes

from ipvg_eval.report.page import write_report
from ipvg_eval.report.timeline_chart import Band, Bar, Line, timeline_chart
from ipvg_eval.report.timeline_view import LONGEST_TEXT
from ipvg_eval.results import load_run
from ipvg_eval.scoring import Recipe, score

SEQUENTIAL = Path(__file__).resolve().parents[3] / "fixtures" / "sequential"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The disordered submission: swapped, late, frozen."""
    folder = tmp_path_factory.mktemp("timelines")
    return score(
        SEQUENTIAL / "submissions" / "disordered",
        testset=SEQUENTIAL / "testset",
        protocol=str(write_prototypes(folder)),
        out=folder / "run",
    )


@pytest.fixture(scope="module")
def page(run) -> str:
    return write_report(run).read_text("utf-8")


def card(page: str, sample: str) -> str:
    found = re.search(
        rf'<article class="card"[^>]*aria-label="Sample {sample}">.*?</article>', page, re.DOTALL
    )
    assert found is not None
    return found[0]


def test_every_event_has_its_frame_its_time_and_its_text(page):
    shown = card(page, "1")
    assert shown.count('class="event-picture"') == 2
    assert "0–2\N{NO-BREAK SPACE}s" in shown
    assert "A tabby cat looks up" in shown
    assert shown.count('class="timeline-chart"') == 1


def test_swapped_events_are_found_in_each_others_place(page):
    words = re.search(r'class="timeline-chart" role="img" aria-label="([^"]*)"', card(page, "1"))
    assert words is not None
    first, second = words[1].replace("\N{NO-BREAK SPACE}", " ").split("; ")
    assert first.endswith("prompted 0–2 s, found 2–4 s")
    assert second.endswith("prompted 2–4 s, found 0–2 s")


def test_a_frozen_video_shows_nothing_where_it_should_be(page):
    assert card(page, "3").count("not found") >= 2


def test_the_place_among_random_timelines_is_said(page):
    assert "p = 0.005 among timelines of random actions: fits better than 95 % of them" not in card(page, "1")
    assert "among timelines of random actions: does not stand out" in card(page, "1")
    assert "fewer than 30 rank nobody" in page


def test_a_band_is_drawn_behind_the_curves():
    line = Line(number=1, colour=1, points=((0.0, 0.2), (1.0, 0.3)))
    bar = Bar(number=1, colour=1, start=0, end=1)
    bare, drawn = (
        timeline_chart(prompted=[bar], found=[], lines=[line], duration=1, band=band)
        for band in (None, Band(points=((0.0, -0.1, 0.1), (1.0, -0.1, 0.1))))
    )
    assert (bare.count("<polygon"), drawn.count("<polygon")) == (0, 1)


def test_pictures_of_events_are_kept_in_the_run(run):
    names = sorted(path.name for path in (run.folder.path / "thumbnails" / "events").iterdir())
    assert names == ["1-1.webp", "1-2.webp", "2-1.webp", "2-2.webp", "2-3.webp", "3-1.webp", "3-2.webp"]


def test_without_what_was_found_the_prompted_events_are_still_shown(run, tmp_path):
    copy = Path(shutil.copytree(run.folder.path, tmp_path / "run"))
    shutil.rmtree(copy / "features")
    shutil.rmtree(copy / "thumbnails" / "events")
    shown = card(write_report(load_run(copy)).read_text("utf-8"), "1")
    assert "no frame" in shown
    assert "prompted 0–2\N{NO-BREAK SPACE}s;" in shown
    assert "curves: how well" not in shown


def test_the_page_of_a_portrait_run_has_no_timelines(fixtures, tmp_path):
    run = score(
        fixtures / "submissions" / "careful",
        testset=fixtures / "testset",
        recipe=Recipe(protocol="lite", metrics=["dynamic_degree_lite"]),
        limit=2,
        out=tmp_path / "run",
    )
    assert 'class="timeline"' not in write_report(run).read_text("utf-8")
    assert "timeline" not in run.samples.columns


HOSTILE = [
    '<script>alert("1")</script> &amp; {{ 7 * 7 }}',
    "\u05e9\u05dc\u05d5\u05dd \u202e and back",
    "very long " * 20_000,
    "\x1b[31m red \x00",
]


@pytest.fixture(scope="module")
def hostile_page(tmp_path_factory) -> str:
    """One sample whose actions are as unpleasant as they come, and whose last event never ends."""
    folder = tmp_path_factory.mktemp("hostile")
    testset = Path(shutil.copytree(SEQUENTIAL / "testset", folder / "testset"))
    item = json.loads((testset / "eval.json").read_text("utf-8"))[0]
    item["temporal_captions"] = [
        {"start": k, "end": 1e300 if k == 3 else k + 1, "description": text} for k, text in enumerate(HOSTILE)
    ]
    (testset / "eval.json").write_text(json.dumps([item]), "utf-8")
    (folder / "team").mkdir()
    shutil.copyfile(SEQUENTIAL / "submissions/ordered/1.mp4", folder / "team/1.mp4")
    run = score(
        folder / "team",
        testset=testset,
        recipe=Recipe(protocol="lite", metrics=["lite_boundary_match"]),
        out=folder / "run",
    )
    return write_report(run).read_text("utf-8")


def test_hostile_actions_are_only_text(hostile_page):
    shown = card(hostile_page, "1")
    assert "&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt; &amp;amp; {{ 7 * 7 }}" in shown
    assert "<script" not in shown
    assert '<p class="action" dir="auto">שלום' in shown
    assert not {"\x1b", "\x00"} & set(shown)
    assert shown.count("very long") <= 2 * LONGEST_TEXT / len("very long ")
    assert "NaN" not in shown
    assert "times without a unit are taken as seconds" in shown


def test_overlapping_events_get_lanes_of_their_own():
    def bars(*spans: tuple[float, float]) -> list[Bar]:
        return [Bar(number=n, colour=1, start=a, end=b) for n, (a, b) in enumerate(spans, start=1)]

    def height(svg: str) -> float:
        found = re.search(r'<svg [^>]*height="([0-9.]+)"', svg)
        assert found is not None
        return float(found[1])

    apart = timeline_chart(prompted=bars((0, 1), (1, 2)), found=[], lines=[], duration=2)
    crossing = timeline_chart(prompted=bars((0, 1.5), (1, 2)), found=[], lines=[], duration=2)
    assert height(crossing) > height(apart)


@pytest.mark.parametrize("value", [0.0, 1e9])
def test_a_flat_curve_is_drawn(value):
    bar = Bar(number=1, colour=1, start=0, end=1)
    line = Line(number=1, colour=1, points=((0.0, value), (1.0, value)))
    svg = timeline_chart(prompted=[bar], found=[], lines=[line], duration=5)
    assert "NaN" not in svg
    ElementTree.fromstring(svg)  # refuses an attribute that is there twice
    assert "stroke-dasharray" in svg  # the video ends after its timeline
