"""Tables: what is written can be read by others, digit for digit."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from ipvg_eval.core.combination import Combination
from ipvg_eval.core.row import MeasurementRow
from ipvg_eval.core.summary import CorpusSummary, Summary
from ipvg_eval.results.aggregate import aggregate, count, summarise_combinations
from ipvg_eval.results.summary import number, to_latex, to_markdown
from ipvg_eval.results.tables import frames_table, samples_table, write_csv, write_parquet

NAMES = ["sharpness", "noise_%"]


@pytest.fixture
def rows(make_row):
    return [
        make_row("id001/p1", 0.1 + 0.2),
        make_row("id001/p2", None),
        make_row("id002/p1", 1 / 3, note="flag"),
    ]


def test_parquet_and_csv_hold_the_same_numbers(tmp_path, rows):
    table = samples_table(rows, NAMES)
    write_parquet(table, tmp_path / "samples.parquet")
    write_csv(table, tmp_path / "samples.csv")
    parquet = pd.read_parquet(tmp_path / "samples.parquet")
    csv = pd.read_csv(tmp_path / "samples.csv")
    assert parquet["sharpness"].tolist()[::2] == [0.1 + 0.2, 1 / 3] == csv["sharpness"].tolist()[::2]
    assert parquet["sharpness"].isna().tolist() == [False, True, False]
    assert csv["sharpness"].isna().tolist() == [False, True, False]
    assert list(parquet.columns) == list(csv.columns)


def test_reasons_and_notes_are_json_objects(rows):
    records = samples_table(rows, NAMES).to_pylist()
    assert json.loads(records[1]["missing"]) == {"sharpness": "no face", "noise_%": "too short"}
    assert records[1]["notes"] is None
    assert json.loads(records[2]["notes"]) == {"sharpness": "flag"}


def test_frames_carry_index_time_and_missing_values(rows):
    frames = frames_table(rows).to_pylist()
    assert frames[0] == {
        "sample": "id001/p1",
        "metric": "sharpness",
        "frame": 0,
        "time": 0.0,
        "value": 0.1 + 0.2,
    }
    assert frames[1] == {"sample": "id001/p1", "metric": "sharpness", "frame": 4, "time": 0.5, "value": None}
    assert len(frames) == 6


def test_boxes_of_faces_have_columns_where_there_are_any(rows):
    measured = MeasurementRow(
        name="face",
        value=1.0,
        frame_indices=(0, 4),
        frame_values=(1.0, 0.0),
        frame_boxes=((-0.1, 0.25, 0.5, 1.0), None),
    )
    boxed = rows[0].model_copy(update={"measurements": (*rows[0].measurements, measured)})
    frames = frames_table([boxed]).to_pylist()
    ends = [[frame[side] for side in ("left", "top", "right", "bottom")] for frame in frames]
    assert ends[-2:] == [[-0.1, 0.25, 0.5, 1.0], [None] * 4]
    assert ends[:-2] == [[None] * 4] * (len(frames) - 2)
    with pytest.raises(ValueError, match="2 frames for 1 boxes"):
        MeasurementRow(
            name="face", value=1.0, frame_indices=(0, 4), frame_values=(1.0, 0.0), frame_boxes=(None,)
        )


def test_equal_rows_give_equal_bytes(tmp_path, rows):
    for name in ("one", "two"):
        write_parquet(samples_table(rows, NAMES), tmp_path / f"{name}.parquet")
        write_csv(samples_table(rows, NAMES), tmp_path / f"{name}.csv")
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()


def test_timings_do_not_reach_the_tables(make_row):
    fast, slow = make_row("a", 0.5, seconds=0.1), make_row("a", 0.5, seconds=9.0)
    assert samples_table([fast], NAMES) == samples_table([slow], NAMES)


def test_latex_and_markdown(rows, specs):
    summary = Summary(
        team="A & B_1",
        protocol="lite 1",
        testset="f" * 64,
        notice="Proxies.",
        counts=count(rows, samples=3),
        metrics=aggregate(rows, specs),
    )
    latex = to_latex([summary])
    assert r"Team & Sharpness $\uparrow$ & Noise \& grain $\downarrow$ \\" in latex
    assert r"A \& B\_1 & 0.3167 & -- \\" in latex
    assert latex.count("{lrr}") == 1
    markdown = to_markdown(summary)
    assert "| sharpness ↑ | 0.3167 | – |" in markdown, "two identities are too few for an interval"
    assert "95 % interval, identities resampled" in markdown, "a summary that does not say it is an old one"
    assert "**Proxies.**" in markdown


def test_numbers_for_people():
    assert [number(v) for v in (None, 0.5, -14.274, 170.04)] == ["–", "0.5000", "-14.27", "170.0"]


def test_a_combination_is_a_column_and_says_what_it_misses(rows):
    total = Combination(name="total", title="Total", weights={"sharpness": 2.0})
    records = samples_table(rows, NAMES, [total]).to_pylist()
    assert records[0]["total"] == 2 * (0.1 + 0.2)
    assert records[1]["total"] is None
    assert json.loads(records[1]["missing"])["total"] == "no sharpness"


def test_sums_and_metrics_of_the_whole_submission_are_worked_out(rows, specs):
    metrics = aggregate(rows, specs)
    total = Combination(name="total", title="Total", weights={"sharpness": 2.0})
    starved = Combination(name="starved", title="Starved", weights={"sharpness": 1.0, "noise_%": 1.0})
    fid = CorpusSummary(
        name="fid",
        title="FID",
        higher_is_better=False,
        value=None,
        reason="too few faces",
        samples=7,
        references=2,
    )
    summary = Summary(
        team="alpha",
        protocol="lite 1",
        testset="f" * 64,
        notice="",
        counts=count(rows, samples=3),
        metrics=metrics,
        combined=summarise_combinations([total, starved], metrics, rows),
        corpus=(fid,),
    )
    markdown = to_markdown(summary)
    assert "| total ↑ | 0.6333 | – | 2 × 0.3167 sharpness = 0.6333 |" in markdown
    assert "| starved ↑ | – | – | no noise\\_% |" in markdown
    assert "| fid ↓ | – | 7 | 2 | too few faces |" in markdown
    head, row = (line for line in to_latex([summary]).splitlines() if " & " in line)
    assert head.endswith(r"Total $\uparrow$ & Starved $\uparrow$ & FID $\downarrow$ \\")
    assert row == r"alpha & 0.3167 & -- & 0.6333 & -- & -- \\"


def test_latex_of_several_teams_marks_the_best(rows, specs):
    """Sharpness is better up and noise down; the third team has no sharpness at all."""
    metrics = aggregate(rows, specs)
    means = {"one": (0.5, 3.0), "two": (0.25, 2.0), "three": (None, 1.0)}
    summaries = [
        Summary(
            team=team,
            protocol="lite 1",
            testset="f" * 64,
            notice="",
            counts=count(rows, samples=3),
            metrics=tuple(m.model_copy(update={"mean": v}) for m, v in zip(metrics, values, strict=True)),
        )
        for team, values in means.items()
    ]
    _, *body = (line for line in to_latex(summaries).splitlines() if " & " in line)
    assert body == [
        r"one & \textbf{0.5000} & 3.0000 \\",
        r"two & \underline{0.2500} & \underline{2.0000} \\",
        r"three & -- & \textbf{1.0000} \\",
    ]
