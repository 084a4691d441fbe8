"""Figures are read back: what is drawn are the numbers of the runs, in the colours that they should have."""

from __future__ import annotations

import io
import sys
from dataclasses import replace
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest

from ipvg_eval import compare, load_run, plot
from ipvg_eval.core.errors import ExitCode, UsageError
from ipvg_eval.core.measurement import FrameFeatures
from ipvg_eval.core.packages import PackageMissing
from ipvg_eval.measuring import VideoMeasurements
from ipvg_eval.results.features import write_features
from ipvg_eval.results.folder import RunFolder

GOLDEN = Path(__file__).resolve().parents[2] / "golden/runs"
BLUE, RED = "#0072B2", "#D55E00"
NOTICE = "Training-free proxies."


@pytest.fixture(scope="module")
def careful():
    return load_run(GOLDEN / "careful")


@pytest.fixture(scope="module")
def careless():
    return load_run(GOLDEN / "careless")


def drawn(figure):
    """The figure's axes, once all of it could be drawn."""
    figure.savefig(io.BytesIO())
    return figure.axes


def test_distributions_have_every_value_and_the_mean(careful, careless):
    figure = plot.distributions([careful, GOLDEN / "careless"], ["lite_identity", "lite_motion"])
    axes = drawn(figure)
    assert [ax.get_xlabel() for ax in axes] == [
        "Identity (training-free) ↑",
        "Motion smoothness\n(training-free) ↑",
    ]
    assert [label.get_text() for label in axes[0].get_yticklabels()] == ["careful", "careless"]
    for ax, name in zip(axes, ("lite_identity", "lite_motion"), strict=True):
        diamonds = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "D"]
        means = [run.summary.metric(name).mean for run in (careful, careless)]
        np.testing.assert_allclose(diamonds, means, rtol=1e-12)
        for run, points in zip((careful, careless), ax.collections, strict=True):
            np.testing.assert_array_equal(points.get_offsets()[:, 0], np.sort(run.samples[name].dropna()))
    assert figure.get_supxlabel().startswith(NOTICE)


def test_a_run_without_a_value_says_so(careful):
    empty = replace(careful, samples=careful.samples.assign(lite_identity=np.nan))
    [ax] = drawn(plot.distributions({"one": careful, "other": empty}, ["lite_identity"]))
    assert [text.get_text() for text in ax.texts] == ["no value"]


def test_many_points_are_thinned_evenly(careful):
    values = np.random.default_rng(0).permutation(np.arange(4001.0))
    many = replace(careful, samples=pd.DataFrame({"lite_motion": values}))
    [ax] = drawn(plot.distributions({"many": many}, ["lite_motion"]))
    shown = ax.collections[0].get_offsets()[:, 0]
    assert len(shown) == 400
    assert set(np.diff(shown)) == {10.0, 11.0}
    assert (shown[0], shown[-1]) == (0, 4000)


def test_curves_are_means_over_steps_with_their_intervals(careful, careless):
    models = {"ours": {200: careful, 100: careless}, "theirs $x$": {100: careless}}
    ax, other = drawn(plot.curves(models, ["lite_identity", "lite_motion"]))
    good, bad = (run.summary.metric("lite_identity") for run in (careful, careless))
    ours, theirs = ax.lines
    assert (list(ours.get_xdata()), list(ours.get_ydata())) == ([100, 200], [bad.mean, good.mean])
    assert (list(theirs.get_xdata()), list(theirs.get_ydata())) == ([100], [bad.mean])
    band = ax.collections[0].get_paths()[0].vertices
    assert {(100, bad.low), (100, bad.high), (200, good.low), (200, good.high)} <= {*map(tuple, band)}
    assert other.get_title() == "Motion smoothness\n(training-free) ↑"


def test_frames_have_gaps_where_there_is_no_value():
    one = VideoMeasurements(
        video="folder/clip.mp4",
        status="scored",
        reason=None,
        values={"sight": 0.5},
        missing={},
        notes={},
        frames={"sight": {0: 0.25, 4: None, 8: 0.75}},
        columns={},
        notice="",
    )
    [ax] = drawn(plot.frames(one))
    assert list(ax.lines[0].get_xdata()) == [0, 4, 8]
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), [0.25, np.nan, 0.75])
    figure = plot.frames([one, replace(one, video="other.mp4")])
    drawn(figure)
    assert [text.get_text() for text in figure.legends[0].texts] == ["clip.mp4", "other.mp4"]


def test_a_comparison_has_a_row_per_metric_in_the_colour_of_the_better(careful, careless):
    found = compare(careful, careless)
    lower = replace(found.metrics[0], name="error", higher_is_better=False, title="Error $e$", clear=True)
    axes = drawn(plot.comparison(replace(found, metrics=(*found.metrics, lower))))
    directed = [*(one for one in found.metrics if one.higher_is_better is not None), lower]
    assert len(axes) == len(directed)
    for ax, one in zip(axes, directed, strict=True):
        point = ax.lines[-2]
        assert point.get_xdata()[0] == one.difference > 0
        assert point.get_color() == (BLUE if one.higher_is_better else RED)
        assert point.get_markerfacecolor() == (point.get_color() if one.clear else "white")
        if one.low is not None:
            assert list(ax.lines[0].get_xdata()) == [one.low, one.high]
        assert f"+{one.difference:.4f}" in ax.texts[0].get_text()
        assert f"A wins {one.wins_a}, B {one.wins_b}" in ax.texts[0].get_text()


def test_a_comparison_of_paths_is_that_of_runs(careful, careless):
    by_path = drawn(plot.comparison(GOLDEN / "careful", GOLDEN / "careless", ["lite_motion"]))
    by_run = drawn(plot.comparison(careful, careless, ["lite_motion"]))
    assert by_path[0].texts[0].get_text() == by_run[0].texts[0].get_text()


@pytest.fixture
def swapped(careful, tmp_path):
    """A sample with two events, each found in the other's place, the second only in part."""
    sample = careful.samples["sample"][0]
    text = '[{"start": 0, "end": 2, "description": "waves"}, {"start": 2, "end": 4, "description": "sits"}]'
    timelines = [text, *[None] * (len(careful.samples) - 1)]
    folder = RunFolder(tmp_path)
    folder.features(sample).parent.mkdir()
    kept = FrameFeatures(
        indices=(0, 8, 16, 24),
        rows=np.array([[0.1, 0.9], [0.2, 0.8], [0.7, 0.3], [0.6, 0.4]], np.float32),
        reference=np.array([2.0, 4.0, 0.0, 1.5], np.float32),
    )
    write_features(folder.features(sample), {"timeline_miou": kept})
    return replace(
        careful, samples=careful.samples.assign(timeline=timelines, fps=8.0), folder=folder
    ), sample


def _bars(ax):
    return [
        (path.vertices[:, 0].min(), path.vertices[:, 0].max())
        for bar in ax.collections
        for path in bar.get_paths()
    ]


def test_a_timeline_has_prompted_and_found_events(swapped):
    run, sample = swapped
    figure = plot.timeline(run, sample, ["lite_motion"])
    top, similarity, values = drawn(figure)
    assert _bars(top) == [(0, 2), (2, 4), (2, 4), (0, 1.5)]
    prompted, found = top.collections[0], top.collections[1]
    assert tuple(prompted.get_facecolor()[0][:3]) == tuple(found.get_facecolor()[0][:3])
    for line, column in zip(similarity.lines, ([0.1, 0.2, 0.7, 0.6], [0.9, 0.8, 0.3, 0.4]), strict=True):
        np.testing.assert_allclose(line.get_ydata(), column, rtol=1e-6)
    rows = run.frames[(run.frames["sample"] == sample) & (run.frames["metric"] == "lite_motion")]
    np.testing.assert_array_equal(values.lines[0].get_ydata(), rows["value"])
    assert figure.get_suptitle() == "1 waves\n2 sits"


def test_a_timeline_without_kept_similarities_is_drawn_as_prompted(swapped):
    run, sample = swapped
    run.folder.features(sample).unlink()
    [top] = drawn(plot.timeline(run, sample))
    assert _bars(top) == [(0, 2), (2, 4)]


@pytest.mark.parametrize(
    "draw",
    [
        lambda _: plot.distributions([]),
        lambda run: plot.distributions([run, run]),
        lambda run: plot.distributions([run], ["lite_motoin"]),
        lambda _: plot.curves({}),
        lambda _: plot.curves({"ours": {}}),
        lambda _: plot.frames([]),
        lambda run: plot.comparison(run),
        lambda run: plot.comparison(run, run, ["nothing"]),
        lambda run: plot.timeline(run, "nobody"),
        lambda run: plot.timeline(run, "id001/prompt1"),
    ],
)
def test_what_cannot_be_drawn_is_a_usage_error(careful, draw):
    with pytest.raises(UsageError):
        draw(careful)


def test_the_caller_s_style_is_left_alone(careful):
    before = dict(matplotlib.rcParams)
    drawn(plot.distributions([careful]))
    assert dict(matplotlib.rcParams) == before


def test_without_matplotlib_the_line_that_installs_it_is_said(monkeypatch):
    for name in [name for name in sys.modules if name.startswith(("matplotlib", "ipvg_eval.plot"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(PackageMissing) as caught:
        __import__("ipvg_eval.plot")
    assert "pip install 'ipvg-eval[plot]'" in caught.value.hint
    assert caught.value.exit_code == ExitCode.UNAVAILABLE
