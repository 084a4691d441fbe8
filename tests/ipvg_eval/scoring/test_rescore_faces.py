"""Rescoring equals scoring for the published face metrics, on real clips with full-size random networks.

The random detector would find a face anywhere; a trained one takes its place, so that a clip without a face
is one.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
import torch

from ipvg_eval import Recipe, score
from ipvg_eval.core.comparability import comparable_facts
from ipvg_eval.metrics.errors import ProtocolError
from ipvg_eval.metrics.faces.mtcnn import Mtcnn
from ipvg_eval.results import load_run
from ipvg_eval.scoring import Scorer
from ipvg_eval.scoring.rescore import rescore

SCORES = ["cur_score", "arc_score", "face_feature_distance", "face_coverage"]
EVERYTHING = [*SCORES, "cur_score_all_frames", "arc_score_all_frames", "face_fid_samples"]
TABLES = ("samples.parquet", "frames.parquet", "summary.json")
FRAMES = 2


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def _scorer(protocol: str, metrics: list[str]) -> Scorer:
    scorer = Recipe(protocol=protocol, metrics=metrics, weights="random:0", frames=FRAMES).build()
    scorer.evaluators[0]._detector = Mtcnn(
        device="cpu", long_side=640, min_face_size=40, min_probability=0.95
    )
    return scorer


@pytest.fixture(scope="module")
def submission(fixtures, tmp_path_factory):
    """A clip with a face, and one in which nobody is seen."""
    folder = tmp_path_factory.mktemp("submissions") / "careless"
    for name in ("id001/prompt1.mp4", "id002/prompt4.mp4"):
        (folder / name).parent.mkdir(parents=True)
        shutil.copy(fixtures / "submissions" / "careless" / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def source(submission, fixtures, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "source"
    return score(submission, testset=fixtures / "testset", recipe=_scorer("ipvg", EVERYTHING), out=out)


def test_a_run_by_ipvg_rescored_as_tpige_is_a_run_by_tpige(source, submission, fixtures, tmp_path):
    direct = score(
        submission, testset=fixtures / "testset", recipe=_scorer("tpige", SCORES), out=tmp_path / "direct"
    )
    rescored = rescore(source, "tpige", metrics=SCORES, frames=FRAMES, out=tmp_path / "rescored")
    for name in TABLES:
        assert (rescored.folder.path / name).read_bytes() == (direct.folder.path / name).read_bytes(), name
    assert comparable_facts(rescored.info) == comparable_facts(direct.info)
    assert rescored.info.random_weights == 0
    assert rescored.summary.notice.startswith("RANDOM WEIGHTS (seed 0)")
    nobody = rescored.samples.set_index("sample").loc["id002/prompt4"]
    assert (nobody["cur_score"], nobody["face_feature_distance"], nobody["face_coverage"]) == (0.0, 0.0, 0.0)
    assert "counted as 0, as published" in nobody["notes"]
    assert source.samples.set_index("sample")["cur_score"].notna().sum() == 1
    assert rescored.folder.features("id001/prompt1").samefile(source.folder.features("id001/prompt1"))


def test_the_whole_submission_is_measured_again_from_the_kept_features(source, tmp_path):
    again = rescore(source, "ipvg", metrics=EVERYTHING, frames=FRAMES, out=tmp_path / "again")
    assert again.summary == source.summary
    fid = again.summary.corpus[0]
    # Two frames of the one clip with a face; both references show one.
    assert (fid.name, fid.samples, fid.references) == ("face_fid", 2, 2)
    assert fid.value is not None
    assert again.samples.equals(source.samples)


def test_embeddings_that_are_gone_are_told_for_every_metric_at_once(source, tmp_path):
    protocol = tmp_path / "unclamped.yaml"
    protocol.write_text(
        f"name: unclamped\nversion: 1\ntitle: t\nevaluators:\n"
        f"  - kind: faces\n    options: {{frames: {FRAMES}, clamp: false}}\n",
        "utf-8",
    )
    with_features = rescore(source, str(protocol), out=tmp_path / "new")
    assert with_features.samples["arc_score"].notna().sum() == 1
    copied = shutil.copytree(source.folder.path, tmp_path / "copied")
    shutil.rmtree(copied / "features")
    with pytest.raises(ProtocolError) as caught:
        rescore(load_run(copied), str(protocol), out=tmp_path / "other")
    for name in ("cur_score", "arc_score", "cur_score_all_frames", "arc_score_all_frames"):
        assert f"\n  {name}: the embeddings of" in str(caught.value)
    assert "for 1 of 10 samples" in str(caught.value)
    assert "face_feature_distance" not in str(caught.value)
    assert not (tmp_path / "other").exists()
