"""The torchmetrics classes: the numbers of `score`, in one process or two, and what torchmetrics does."""

from __future__ import annotations

import copy
import importlib.util
import json
import math
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import torch
from torchmetrics import MetricCollection, MetricTracker

from ipvg_eval import torchmetrics
from ipvg_eval.core.measurement import FrameFeatures
from ipvg_eval.core.packages import PackageMissing
from ipvg_eval.measuring import Asked, measure_all
from ipvg_eval.metrics.protocols.loading import load_protocol
from ipvg_eval.scoring import Recipe, score
from ipvg_eval.torchmetrics import (
    CurScore,
    FaceFID,
    IdentityRank,
    VideoMean,
    VideoMeans,
    of_videos,
)
from ipvg_eval.torchmetrics.embedding_metrics import _packed, _unpacked

matplotlib.use("Agg")

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures"
CAREFUL, TESTSET = FIXTURES / "submissions" / "careful", FIXTURES / "testset"
SHARPNESS = Recipe(protocol="lite", metrics=("lite_sharpness",), frames=4)
NAMED = [one for one in vars(torchmetrics).values() if isinstance(one, type) and getattr(one, "METRIC", "")]


@pytest.fixture(scope="module")
def lite():
    return Recipe(protocol="lite", frames=2).build()


def inputs(run):
    """Video, reference, prompt and identity of every sample, in the run's order."""
    for sample, identity in run.samples[["sample", "identity"]].itertuples(index=False):
        [face] = (TESTSET / identity).glob("image.*")
        prompt = (TESTSET / f"{sample}.txt").read_text("utf-8")
        yield CAREFUL / f"{sample}.mp4", face, prompt, identity


def test_the_means_are_those_of_score_to_the_last_bit(lite, tmp_path):
    for source, copied in ((CAREFUL, "videos"), (TESTSET, "testset")):
        shutil.copytree(source, tmp_path / copied, ignore=shutil.ignore_patterns("prompt[345].*"))
    run = score(tmp_path / "videos", testset=tmp_path / "testset", recipe=lite, out=tmp_path / "run")
    assert len(run.samples) == 4
    every, one = VideoMeans(lite), VideoMean(lite, metric="lite_identity")
    rank = IdentityRank(lite, metric="lite_identity")
    for video, face, prompt, identity in inputs(run):
        every.update(video, face, prompt)
        one.update(video, face)
        rank.update(video, face, identity)
    means = {metric.name: metric.mean for metric in run.summary.metrics}
    found = {name: value.item() for name, value in every.compute().items()}
    assert {name: found[name] for name in means} == means
    assert one.compute().item() == means["lite_identity"]
    assert one.compute().dtype == torch.float64
    [whose] = run.summary.identification
    assert rank.compute().item() == whose.rank_1.value
    assert all("cuts" not in reasons for reasons in every.missing)  # left out, as there is no timeline
    assert math.isnan(found["cuts"])


def test_the_published_face_metrics_are_those_of_score_with_random_weights():
    scorer = Recipe(
        protocol="ipvg",
        metrics=("cur_score", "arc_score", "face_fid_samples"),
        weights="random:0",
        frames=1,
    ).build()
    asked = [
        Asked(video=CAREFUL / person / "prompt1.mp4", references=(TESTSET / person / face,))
        for person, face in (("id001", "image.png"), ("id002", "image.webp"))
    ]
    measured = measure_all(asked, recipe=scorer)
    fid, cur = FaceFID(scorer), CurScore(scorer)
    for one in asked:
        fid.update(one.video, one.references[0])
        cur.update(one.video, one.references[0])
    [corpus] = measured.corpus
    assert corpus.value is not None
    assert fid.compute().item() == corpus.value
    assert cur.compute().item() == math.fsum(one["cur_score"] for one in measured.videos) / 2


def test_embeddings_come_out_of_the_state_as_they_went_in():
    made = np.random.default_rng(0)
    rows = made.standard_normal((3, 4)).astype(np.float32)
    references = (rows[0], rows[:2], None)
    given = [
        FrameFeatures(indices=(0, 1, 2)[:count], rows=rows[:count], reference=reference)
        for count, reference in zip((3, 0, 1), references, strict=True)
    ]
    owners = ("Zo\u00eb", "", "a")
    packed = np.concatenate([_packed(one, owner) for one, owner in zip(given, owners, strict=True)])
    found = _unpacked(packed)
    assert [owner for owner, _ in found] == list(owners)
    for (_, one), was in zip(found, given, strict=True):
        assert one.indices == was.indices
        assert np.array_equal(one.rows, was.rows)
        assert one.rows.dtype == np.float32
        assert (one.reference is None) == (was.reference is None)
        if was.reference is not None:
            assert one.reference.shape == was.reference.shape
            assert np.array_equal(one.reference, was.reference)


@pytest.mark.parametrize("cls", NAMED, ids=lambda cls: cls.__name__)
def test_a_class_has_the_direction_of_its_metric(cls):
    [spec] = load_protocol("ipvg").select([cls.METRIC]).specs
    assert cls.higher_is_better is spec.higher_is_better
    assert len(NAMED) == 7


def test_videos_without_a_value_are_not_counted_and_nan_is_warned_of(lite):
    frames = np.random.default_rng(0).integers(0, 255, (4, 64, 64, 3), dtype=np.uint8)
    metric = VideoMean(lite, metric="lite_identity")
    metric.update(frames)
    with pytest.warns(UserWarning, match="no video has a lite_identity: no reference picture is given"):
        assert math.isnan(metric.compute())
    assert metric.missing == [{"lite_identity": "no reference picture is given"}]
    metric.reset()
    assert metric.missing == []
    rank = IdentityRank(lite, metric="lite_identity")
    rank.update(frames, (), "somebody")
    with pytest.warns(UserWarning, match="two people"):
        assert math.isnan(rank.compute())
    with pytest.raises(ValueError, match="1 or 5"):
        IdentityRank(lite, rank=2)


@pytest.fixture(scope="module")
def sharpness():
    return SHARPNESS.build()


def clips():
    made = np.random.default_rng(1)
    return [made.integers(0, 256, (5, 48, 64, 3), dtype=np.uint8) for _ in range(3)]


def test_what_torchmetrics_does_with_metrics(sharpness, tmp_path):
    """Forward, collections, trackers, copies, plots, and states kept in a checkpoint."""
    one, two, three = clips()
    metric = VideoMean(sharpness, metric="lite_sharpness")
    values = [sharpness(clip)["lite_sharpness"] for clip in (one, two, three)]
    assert metric(one).item() == values[0]
    assert metric(two).item() == values[1]
    assert metric.compute().item() == math.fsum(values[:2]) / 2
    twin = metric.clone()
    assert twin.scorer is metric.scorer
    twin.update(three)
    assert twin.compute().item() == math.fsum(values) / 3
    assert metric.compute().item() == math.fsum(values[:2]) / 2
    kept = VideoMean(sharpness, metric="lite_sharpness")
    kept.load_state_dict(metric.state_dict())
    kept.update(three)
    assert kept.compute().item() == twin.compute().item()
    collection = MetricCollection({"a": copy.deepcopy(metric), "b": VideoMeans(sharpness)})
    collection["a"].reset()
    collection.update(three)
    assert collection.compute()["a"].item() == values[2]
    tracker = MetricTracker(VideoMean(sharpness, metric="lite_sharpness"))
    for clip in (one, two):
        tracker.increment()
        tracker.update(clip)
    assert tracker.best_metric() == max(values[:2])
    figure, axes = metric.plot([metric.compute(), twin.compute()])
    assert axes.get_ylabel() or axes.get_title()
    figure.savefig(tmp_path / "figure.png")
    matplotlib.pyplot.close(figure)


def test_metrics_that_are_alike_by_accident_are_not_taken_for_one(lite):
    """Two that miss their values have equal states."""
    black = np.zeros((2, 64, 64, 3), np.uint8)
    names = ("lite_identity", "face_coverage")
    collection = MetricCollection({name: VideoMean(lite, metric=name) for name in names})
    collection.update(black)
    assert len(collection.compute_groups) == 2


def test_a_pickle_holds_the_recipe_and_not_the_networks(sharpness):
    metric = VideoMean(SHARPNESS, metric="lite_sharpness")
    clip = clips()[0]
    metric.update(clip)
    content = pickle.dumps(metric)
    assert len(content) < 10_000
    assert pickle.loads(content).compute() == metric.compute()
    with pytest.raises(TypeError, match="send its Recipe"):
        pickle.dumps(sharpness)


def test_without_the_package_the_line_that_installs_it_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchmetrics", None)
    spec = importlib.util.spec_from_file_location("again", of_videos.__file__)
    with pytest.raises(PackageMissing) as raised:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
    assert raised.value.hint == "Install it: pip install 'ipvg-eval[torchmetrics]'"


WORKER = """
import json, sys, warnings
import numpy as np, torch, torch.distributed as dist
from ipvg_eval.scoring import Recipe
from ipvg_eval.torchmetrics import IdentityRank, VideoMean

rank, store, videos = int(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
torch.set_num_threads(1)
dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
scorer = Recipe(protocol="lite", metrics=("lite_sharpness", "lite_identity"), frames=2).build()
mean, late = (VideoMean(scorer, metric="lite_sharpness") for _ in range(2))
whose = IdentityRank(scorer, metric="lite_identity")
for video, face, identity in videos:
    mean.update(video)
    whose.update(video, face, identity)
    if rank == 0:
        late.update(video)  # the other process has an empty state
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    print(json.dumps([metric.compute().item() for metric in (mean, late, whose)]))
# After compute each process has its own state again.
assert len(late.values_of_lite_sharpness) == (len(videos) if rank == 0 else 0)
dist.destroy_process_group()
"""


def test_two_processes_see_together_what_one_sees(tmp_path):
    videos = [
        (str(CAREFUL / person / f"{prompt}.mp4"), str(TESTSET / person / face), person)
        for person, prompt, face in (
            ("id001", "prompt1", "image.png"),
            ("id002", "prompt1", "image.webp"),
            ("id002", "prompt2", "image.webp"),
        )
    ]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(rank), str(tmp_path / "store"), json.dumps(part)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank, part in enumerate((videos[:2], videos[2:]))
    ]
    scorer = Recipe(protocol="lite", metrics=("lite_sharpness", "lite_identity"), frames=2).build()
    whose = IdentityRank(scorer, metric="lite_identity")
    values = []
    for video, face, person in videos:
        whose.update(video, face, person)
        values.append(scorer(video)["lite_sharpness"])
    expected = [math.fsum(values) / 3, math.fsum(values[:2]) / 2, whose.compute().item()]
    for process in processes:
        output, errors = process.communicate(timeout=240)
        assert process.returncode == 0, errors
        assert json.loads(output.splitlines()[-1]) == expected
