"""Batches that cross video borders change nothing: full-size networks with random weights, real clips."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import av
import numpy as np
import pytest
import torch

from ipvg_eval.core.row import Status
from ipvg_eval.metrics.clip.encoder import ClipEncoder
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.weights import weight_source
from ipvg_eval.results import load_run
from ipvg_eval.results.features import read_features
from ipvg_eval.results.folder import RunFolder
from ipvg_eval.sandbox import ProcessLimits
from ipvg_eval.scoring import Recipe, Scorer
from ipvg_eval.scoring.local_executor import LocalExecutor
from ipvg_eval.scoring.run import ScoringRun
from ipvg_eval.submission import load_submission
from ipvg_eval.testset import load_testset

PROTOCOL = """\
name: three_frames
version: 1
title: Three frames of every clip
official: false
evaluators:
  - kind: faces
    options: {frames: 3, feature_distance: false, corpus_fid: false}
  - kind: clip_score
    options: {model: clip_vit_b32, frame_count: 3}
"""
TABLES = ("samples.parquet", "samples.csv", "frames.parquet", "summary.json")
SAMPLES = 4
BATCH = 4  # three frames a clip: most batches hold frames of two
CUT, ONE_COLOUR = "id001/prompt2", "id001/prompt3"


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def protocol(tmp_path_factory):
    path = tmp_path_factory.mktemp("protocol") / "three_frames.yaml"
    path.write_text(PROTOCOL, encoding="utf-8")
    return Recipe(protocol=str(path)).load_protocol()


def _scorer(protocol, **how):
    runtime = Runtime(weights=weight_source("random:0").resolve(protocol.required_weights()), **how)
    return Scorer(protocol=protocol, runtime=runtime, evaluators=protocol.build(runtime))


@pytest.fixture(scope="module")
def crossing(protocol):
    return _scorer(protocol, batch_size=BATCH, crossing=True)


def _run(scorer, submission, fixtures, out, window=None):
    loaded = load_submission(submission)
    executor = LocalExecutor(submission=loaded, scorer=scorer, limits=ProcessLimits(), window=window)
    run = ScoringRun(
        submission=loaded,
        testset=load_testset(fixtures / "testset"),
        scorer_info=scorer.info,
        folder=RunFolder(out),
        team="team",
        executor=executor,
    )
    order: list[str] = []
    run.execute(limit=SAMPLES, on_sample=lambda done: order.append(done.row.sample))
    assert order == [sample.id for sample in run.testset.samples[:SAMPLES]], "rows come in order"
    return load_run(out)


@pytest.fixture(scope="module")
def alone(crossing, fixtures, tmp_path_factory):
    """Every sample is finished before the next one is watched: one padded batch for each."""
    out = tmp_path_factory.mktemp("alone") / "run"
    with _batch_sizes(crossing) as sizes:
        run = _run(crossing, fixtures / "submissions" / "careful", fixtures, out, window=1)
    assert sizes == [BATCH] * SAMPLES
    return run


def _features(run, sample):
    return {
        name: (kept.indices, kept.rows.tobytes(), kept.reference.tobytes())
        for name, kept in read_features(run.folder.features(sample)).items()
    }


@pytest.mark.parametrize("window", [2, 7])
def test_no_score_depends_on_which_videos_share_a_batch(window, crossing, alone, fixtures, tmp_path):
    with _batch_sizes(crossing) as sizes:
        run = _run(crossing, fixtures / "submissions" / "careful", fixtures, tmp_path / "run", window)
    assert sizes == [BATCH] * (3 * SAMPLES // BATCH), "three frames of every clip fill batches of four"
    for name in TABLES:
        assert (run.folder.path / name).read_bytes() == (alone.folder.path / name).read_bytes(), name
    for sample in alone.samples["sample"]:
        assert _features(run, sample) == _features(alone, sample)
    assert run.samples[["cur_score", "arc_score", "clip_score"]].head(SAMPLES).notna().all(axis=None)


def test_broken_neighbours_cost_nothing(crossing, alone, fixtures, tmp_path, monkeypatch):
    """One clip is no video, and the network fails on every batch that holds a frame of another."""
    submission = tmp_path / "careful"
    shutil.copytree(fixtures / "submissions" / "careful", submission)
    (submission / f"{CUT}.mp4").write_bytes(b"no video")
    (submission / f"{ONE_COLOUR}.mp4").write_bytes(_one_colour())
    ticketed = _clip(crossing)._batches._shared
    encode = ticketed._encode

    def fails_on_one_colour(pictures):
        if any(picture.min() == picture.max() for picture in pictures):
            raise RuntimeError("a picture of one colour")
        return encode(pictures)

    monkeypatch.setattr(ticketed, "_encode", fails_on_one_colour)
    run = _run(crossing, submission, fixtures, tmp_path / "run", window=7)
    rows, clean = _rows(run), _rows(alone)
    assert rows[CUT].status is Status.UNDECODABLE
    assert rows[ONE_COLOUR].status is Status.CRASHED
    assert rows[ONE_COLOUR].reason == "RuntimeError: a picture of one colour"
    others = clean.keys() - {CUT, ONE_COLOUR}
    assert len(others) == SAMPLES - 2
    for sample in others:
        assert rows[sample] == clean[sample]
        assert _features(run, sample) == _features(alone, sample)
    monkeypatch.undo()
    again = _run(crossing, submission, fixtures, tmp_path / "run", window=7)
    assert _rows(again)[ONE_COLOUR].status is Status.SCORED


@pytest.mark.parametrize("batch_size", [1, 2, 7])
def test_batch_sizes_agree_to_rounding(batch_size, protocol, alone, fixtures, tmp_path):
    """Kernels are chosen by the batch's size and add in another order.

    A sum of 3072 products (the widest of these networks) taken in two orders differs by about
    sqrt(3072) * 2 ** -24 = 3.3e-6 of its size. Independent errors of the 100 sums that follow one another in
    the deepest of them (101 layers) add up to ten times that.
    """
    run = _run(
        _scorer(protocol, batch_size=batch_size), fixtures / "submissions" / "careful", fixtures, tmp_path
    )
    bound = 10 * 3.3e-6
    for name in ("cur_score", "arc_score", "clip_score"):
        found, expected = (each.samples[name].head(SAMPLES).to_numpy(float) for each in (run, alone))
        assert np.abs(found - expected).max() <= bound, name
    same = ["sample", "status", "face_coverage", "clip_prompt_tokens"]
    assert run.samples[same].equals(alone.samples[same])
    info = json.loads((tmp_path / "run.json").read_text("utf-8"))
    assert info["device"]["batch_size"] == batch_size


def _clip(scorer):
    (found,) = [
        each for each in scorer.evaluators if isinstance(getattr(each, "_encoder", None), ClipEncoder)
    ]
    return found


@contextmanager
def _batch_sizes(scorer):
    """How many frames went through CLIP's image tower at a time."""
    sizes: list[int] = []
    tower = _clip(scorer)._encoder._model.visual
    with tower.register_forward_pre_hook(lambda _, given: sizes.append(len(given[0]))):
        yield sizes


def _rows(run):
    """Rows by sample, without the time they took."""
    return {
        sample: row.model_copy(update={"seconds": 0.0}) for sample, row in run.folder.journal.read().items()
    }


def _one_colour() -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as file:
        stream = file.add_stream("libx264", rate=16)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for _ in range(8):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((240, 320, 3), 90, np.uint8), "rgb24")))
        file.mux(stream.encode())
    return buffer.getvalue()
