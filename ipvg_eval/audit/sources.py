"""Where an audit's videos come from: submissions, and runs of which only rows and thumbnails are left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ipvg_eval.audit.model import AuditFinding
from ipvg_eval.audit.signals import (
    HASHED_FRAMES,
    VideoSignals,
    extract_signals,
    perceptual_hash,
    shrunk,
    unreadable,
)
from ipvg_eval.audit.thresholds import Thresholds
from ipvg_eval.core.budget import Budget, Spending
from ipvg_eval.core.measurement import Frames
from ipvg_eval.decoding import DecoderProcess, PictureProcess
from ipvg_eval.errors import VideoError
from ipvg_eval.metadata import MetadataProcess
from ipvg_eval.results import Run
from ipvg_eval.submission import Submission
from ipvg_eval.testset import TestSet

_GAP = 2  # pixels between the frames of a thumbnail strip
_IDENTITY_METRICS = ("lite_identity", "cur_score", "arc_score")
_MOTION_METRIC = "dynamic_degree_lite"
_COVERAGE_METRIC = "face_coverage"


def signals_of_submission(
    submission: Submission,
    testset: TestSet | None,
    decoder: DecoderProcess,
    metadata: MetadataProcess,
    *,
    faces: bool,
    budget: Budget | None = None,
) -> Iterator[VideoSignals]:
    """Every owed video that is there; every MP4 file where there is no test set.

    Args:
        submission: the videos.
        testset: what they answer.
        decoder: where they are decoded.
        metadata: where their containers' texts are read.
        faces: keep frames for the face checks.
        budget: seconds and bytes for all videos together.
    """
    videos = videos_of(submission, testset)
    spending = Spending(budget or Budget(), {video: submission.files[video] for video, _ in videos})
    for video, sample in videos:
        if (reason := spending.refusal(video)) is not None:
            yield unreadable(submission.name, sample, video, reason)
            continue
        before = decoder.waited + metadata.waited
        try:
            with submission.open_video(video) as path:
                yield extract_signals(
                    path,
                    decoder,
                    team=submission.name,
                    sample=sample,
                    video=video,
                    metadata=metadata.read(path),
                    faces=faces,
                )
        except VideoError as error:
            yield unreadable(submission.name, sample, video, error.message)
        finally:
            spending.spend(seconds=decoder.waited + metadata.waited - before)


def videos_of(submission: Submission, testset: TestSet | None) -> list[tuple[str, str | None]]:
    """Paths of the videos to look at, with the samples they answer."""
    if testset is None:
        return [(name, None) for name in submission.files if name.lower().endswith(".mp4")]
    return [(s.video, s.id) for s in testset.samples if submission.has(s.video)]


def signals_of_run(run: Run, pictures: PictureProcess) -> Iterator[VideoSignals]:
    """Every row of a run, seen through its thumbnail strip of five frames.

    Args:
        run: whoever made it.
        pictures: where its pictures are read.
    """
    for row in run.samples.to_dict("records"):
        frames = _strip(run.folder.thumbnail(str(row["sample"])), pictures)
        if frames is None or pd.isna(row["duration"]):
            continue
        yield VideoSignals(
            team=run.info.team,
            sample=str(row["sample"]),
            video=str(row["video"]),
            duration=float(row["duration"]),
            fps=float(row["fps"]),
            small=np.stack([shrunk(frame) for frame in frames]),
            hashes=np.stack([perceptual_hash(frame) for frame in frames]),
            metadata={},
        )


def _strip(path: Path, pictures: PictureProcess) -> Sequence[Frames] | None:
    """The frames of a thumbnail strip; None where there is none, or it has not five frames."""
    try:
        pixels = pictures.read(path)
    except VideoError:
        return None
    width, left_over = divmod(pixels.shape[1] + _GAP, HASHED_FRAMES)
    if left_over or width <= _GAP:
        return None
    return [pixels[:, k * width : (k + 1) * width - _GAP] for k in range(HASHED_FRAMES)]


def check_rows(run: Run, limits: Thresholds) -> Iterator[AuditFinding]:
    """What a run's own numbers say: hardly any motion, or a face that the detector rarely saw."""
    rows = run.samples
    with_face: set[str] = set()
    for metric in _IDENTITY_METRICS:
        if metric in rows:
            with_face.update(rows.loc[rows[metric].notna(), "identity"])
    for row in rows.to_dict("records"):
        if (motion := _value(row, _MOTION_METRIC)) is not None and motion < limits.motion_per_second:
            yield AuditFinding(
                kind="nearly-still-video",
                team=run.info.team,
                videos=(str(row["video"]),),
                message=f"The run measured {motion:.4f} short sides of motion per second.",
                numbers={_MOTION_METRIC: motion},
                thresholds={"motion_per_second": limits.motion_per_second},
            )
        coverage = _value(row, _COVERAGE_METRIC)
        if coverage is not None and coverage < limits.face_coverage and row["identity"] in with_face:
            yield AuditFinding(
                kind="face-hidden",
                team=run.info.team,
                videos=(str(row["video"]),),
                message=f"The reference shows a face, but the run found one in {coverage:.0%} of the frames.",
                numbers={_COVERAGE_METRIC: coverage},
                thresholds={"face_coverage": limits.face_coverage},
            )


def _value(row: dict[Any, Any], metric: str) -> float | None:
    value = row.get(metric)
    return None if value is None or pd.isna(value) else float(value)
