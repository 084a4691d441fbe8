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


def written(path, metric, kept):
    """A run of twelve people, three videos each, with the embeddings that `kept` gives the nth video."""
    golden = load_run(_GOLDEN)
    row = next(iter(golden.folder.journal.read().values()))
    rows = [
        row.model_copy(update={"sample": f"id{i:03d}/{k}", "identity": f"id{i:03d}", "video": f"{i}-{k}.mp4"})
        for i in range(12)
        for k in range(3)
    ]
    testset = golden.info.testset.model_copy(update={"samples": 36, "identities": 12})
    info = golden.info.model_copy(update={"counts": count(rows, samples=36), "testset": testset})
    folder = RunFolder(path)
    with folder.writing(info):
        folder.write_findings([])
        for place, one in enumerate(rows):
            features = folder.features(one.sample)
            features.parent.mkdir(exist_ok=True)
            write_features(features, {metric: kept(place)})
        folder.write_results(info, rows)
    return load_run(folder.path)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Orthogonal faces; one video shows the next person."""
    faces = np.eye(12, 16, dtype=np.float32)

    def kept(place):
        shown = faces[(place // 3 + (place == 0)) % 12]
        return FrameFeatures(indices=(0, 4), rows=np.stack([shown, shown]), reference=faces[place // 3])

    return written(tmp_path_factory.mktemp("runs") / "run", "cur_score", kept)


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
def lite(tmp_path_factory):
    """Descriptors: one row a video, the reference beside its mirror image."""
    faces = np.eye(12, 32, dtype=np.float32)
    mirrored = np.eye(12, 32, k=12, dtype=np.float32)

    def kept(place):
        own = np.stack([faces[place // 3], mirrored[place // 3]])
        # Every second video shows its person turned the other way, all of them less than wholly.
        return FrameFeatures(indices=(), rows=0.5 * own[[place % 2]], reference=own)

    return written(tmp_path_factory.mktemp("runs") / "lite", "lite_identity", kept)


def test_the_proxy_of_lite_says_that_it_is_one(lite):
    (found,) = lite.summary.identification
    assert (found.metric, found.proxy, found.videos, found.identities) == ("lite_identity", True, 36, 12)
    assert found.rank_1.value == found.auc.value == 1
    assert found.hints == found.alike == ()
    assert "A proxy: edges and textures of the face" in write_report(lite).read_text("utf-8")
    assert "| lite_identity (proxy) | 1.0000" in (lite.folder.path / "summary.md").read_text("utf-8")


def test_nothing_is_concluded_from_a_proxy():
    """Descriptors that are all alike say nothing about weights or duplicates, as recognisers' would."""
    from ipvg_eval.metrics.faces.identification import identify

    alike = np.tile(np.eye(1, 4), (6, 1)) + 0.01 * np.eye(6, 4)
    names = [f"id{place}" for place in range(6)]
    for proxy in (False, True):
        found = identify(
            [row[None] for row in alike], names, list(alike), names, metric="x", samples=names, proxy=proxy
        )
        assert found is not None
        assert bool(found.hints) is not proxy
