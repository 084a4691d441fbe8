"""The published metrics on the same rails: full-size networks with random weights, real videos.

GME is left out: at full size it takes gigabytes and minutes. Its own tests run the same code on a small
network.
"""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from ipvg_eval import Recipe, score
from ipvg_eval.metrics.timing import Stopwatch
from ipvg_eval.results.features import read_features
from ipvg_eval.results.profile import make_profile

METRICS = [
    "cur_score",
    "arc_score",
    "face_feature_distance",
    "face_coverage",
    "face_fid_samples",
    "clip_score",
    "clip_score_long",
    "motion_smoothness",
    "imaging_quality",
]


@pytest.fixture(scope="module")
def stopwatch():
    """Runs while the clip is scored."""
    return Stopwatch()


@pytest.fixture(scope="module")
def run(fixtures, tmp_path_factory, stopwatch):
    with stopwatch.running():
        return score(
            fixtures / "submissions" / "careful",
            testset=fixtures / "testset",
            recipe=Recipe(protocol="ipvg", metrics=METRICS, device="cpu", weights="random:0", frames=2),
            limit=1,
            out=tmp_path_factory.mktemp("published") / "run",
        )


def test_every_metric_has_a_value(run):
    assert run.samples["status"].tolist() == ["scored"]
    assert run.samples[METRICS].notna().all(axis=None)
    assert run.samples["face_coverage"].tolist() == [1.0]


def test_the_run_is_marked_everywhere(run):
    info = run.info
    assert info.random_weights == 0
    assert set(info.weights.values()) == {"random:0"}
    assert info.protocol.official is False
    for text in (run.summary.notice, (run.folder.path / "summary.md").read_text("utf-8")):
        assert "RANDOM WEIGHTS (seed 0)" in text
        assert "REDUCED FRAME BUDGET (2)" in text
    notes = json.loads(run.samples.loc[0, "notes"])
    assert {"motion_smoothness", "imaging_quality"} <= set(notes)


def test_the_time_of_every_network_is_told(run, stopwatch):
    """Calls by hand: two frames in one batch, beside a reference picture or a prompt."""
    profile = make_profile(stopwatch)
    networks = {row.stage: row.calls for row in profile.rows if row.kind in ("network", "detect")}
    named = {stage.partition(" ")[2] for stage in networks}
    assert named == set(run.info.weights)
    assert networks.pop("detect det_10g.onnx") >= 3, "two frames and the reference, some searched twice"
    assert networks == {
        "network w600k_r50.onnx": 2,
        "network curricularface_r101": 2,
        "network inception_v3_imagenet": 2,
        "network inception_v3_fid": 2,
        "network clip_vit_b16": 2,
        "network amt_s": 2,  # two pairs, one at a time
        "network musiq_spaq": 2,  # two frames, one at a time on a CPU
    }
    split = [row.share for row in profile.rows if row.kind != "beside"]
    assert math.fsum(split) == pytest.approx(1.0, abs=1e-9)
    assert 0 < profile.share("network") < 1


def test_embeddings_are_kept_and_the_corpus_distance_comes_from_them(run):
    kept = read_features(run.folder.features("id001/prompt1"))
    assert kept["cur_score"].rows.shape == (2, 512)
    assert kept["face_fid_samples"].rows.shape == (2, 2048)
    (fid,) = run.summary.corpus
    # There is one reference face, and one point has no covariance.
    assert (fid.name, fid.value, fid.samples, fid.references) == ("face_fid", None, 2, 1)
    assert fid.reason
    cosine = np.clip(_cosines(kept["arc_score"]), 0, None).mean()
    assert run.samples.loc[0, "arc_score"] == pytest.approx(cosine, abs=1e-6)


def _cosines(features):
    rows = features.rows / np.linalg.norm(features.rows, axis=1, keepdims=True)
    return rows @ (features.reference / np.linalg.norm(features.reference))


def test_a_combination_whose_terms_are_left_out_is_left_out(run):
    assert run.summary.combined == ()
