"""Whose face: from kept embeddings to summary.json, the page and the board, without decoding."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ipvg_eval import write_report
from ipvg_eval.core.measurement import FrameFeatures
from ipvg_eval.leaderboard import build_leaderboard, parse_challenge, read_run
from ipvg_eval.leaderboard.site import write_site
from ipvg_eval.results import load_run
from ipvg_eval.results.aggregate import count
from ipvg_eval.results.features import write_features
from ipvg_eval.results.folder import RunFolder

_GOLDEN = Path(__file__).parents[2] / "golden" / "runs" / "careful"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Twelve people, three videos each, orthogonal faces; one video shows the next person."""
    golden = load_run(_GOLDEN)
    row = next(iter(golden.folder.journal.read().values()))
    faces = np.eye(12, 16, dtype=np.float32)
    rows = [
        row.model_copy(update={"sample": f"id{i:03d}/{k}", "identity": f"id{i:03d}", "video": f"{i}-{k}.mp4"})
        for i in range(12)
        for k in range(3)
    ]
    testset = golden.info.testset.model_copy(update={"samples": 36, "identities": 12})
    info = golden.info.model_copy(update={"counts": count(rows, samples=36), "testset": testset})
    folder = RunFolder(tmp_path_factory.mktemp("runs") / "run")
    with folder.writing(info):
        folder.write_findings([])
        for place, one in enumerate(rows):
            shown = faces[(place // 3 + (place == 0)) % 12]
            path = folder.features(one.sample)
            path.parent.mkdir(exist_ok=True)
            kept = FrameFeatures(indices=(0, 4), rows=np.stack([shown, shown]), reference=faces[place // 3])
            write_features(path, {"cur_score": kept})
        folder.write_results(info, rows)
    return load_run(folder.path)


def test_the_summary_holds_the_numbers(run):
    (found,) = run.summary.identification
    assert (found.metric, found.videos, found.identities) == ("cur_score", 36, 12)
    assert found.rank_1.value == pytest.approx(35 / 36)
    assert found.rank_1.low < found.rank_1.value
    (worst,) = found.confusions
    assert (worst.sample, worst.identity, worst.other) == ("id000/0", "id000", "id001")
    assert "| cur_score | 0.9722" in (run.folder.path / "summary.md").read_text("utf-8")


def test_the_report_shows_both_histograms_and_the_confusion(run):
    text = write_report(run).read_text("utf-8")
    assert "Whose face is it?" in text
    assert "own reference" in text
    assert "<code>id000/0</code> looks more like id001 (1.000) than like id000 (0.000)" in text


def test_the_board_repeats_the_rates_alone(run, tmp_path):
    rules = parse_challenge("metrics: [{name: face_coverage}]")
    board = build_leaderboard([read_run(run.folder.path)], rules, unofficial=True)
    (row,) = board.tracks[0].to_dict()["identification"]
    assert row["rank_1"]["value"] == pytest.approx(35 / 36)
    assert "confusions" not in row
    page = write_site(board, tmp_path / "site", public=True).read_text("utf-8")
    assert "Whose face is it?" in page
    assert "id000/0" not in page


def test_runs_without_embeddings_have_none():
    assert load_run(_GOLDEN).summary.identification == ()


@pytest.fixture(scope="module")
def lite(tmp_path_factory, fixtures):
    """The fixtures' own videos, scored by the training-free proxies."""
    import subprocess
    import sys

    out = tmp_path_factory.mktemp("lite") / "run"
    words = [sys.executable, "-m", "ipvg_eval", "score", fixtures / "submissions" / "careful"]
    words += ["--testset", fixtures / "testset", "--protocol", "lite"]
    words += ["--metrics", "lite_identity", "--out", out]
    subprocess.run([str(word) for word in words], check=True, capture_output=True)
    return load_run(out)


def measured(run):
    for row in run.folder.journal.read().values():
        for one in row.measurements:
            if one.name == "lite_identity" and one.value is not None:
                yield row.sample, one.value


def test_the_proxy_of_lite_says_that_it_is_one(lite):
    (found,) = lite.summary.identification
    assert (found.metric, found.proxy) == ("lite_identity", True)
    assert found.videos == len(list(measured(lite))) > 0
    assert found.identities == 2
    assert not found.hints
    assert not found.alike
    text = write_report(lite).read_text("utf-8")
    assert "A proxy: edges and textures of the face" in text
    assert "proxy" in (lite.folder.path / "summary.md").read_text("utf-8")


def test_a_kept_descriptor_has_the_cosines_that_were_measured(lite):
    """The mean over frames of a largest cosine is at least the largest of the mean descriptor's cosines."""
    from ipvg_eval.results.features import read_features

    for sample, value in measured(lite):
        kept = read_features(lite.folder.features(sample))["lite_identity"]
        assert kept.rows.shape[0] == 1
        assert kept.reference is not None
        best = float((kept.reference @ kept.rows[0]).max())
        assert best <= value + 1e-5
        assert best == pytest.approx(value, abs=0.1)
