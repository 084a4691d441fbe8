"""What the page needs of one sample once it is opened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from ipvg_eval.core.timeline import parse_timeline
from ipvg_eval.metrics.timeline.alignment.temporal_grounding import grounded_intervals
from ipvg_eval.metrics.timeline.spec import MIOU
from ipvg_eval.report.curves import frame_seconds
from ipvg_eval.report.samples import Sample
from ipvg_eval.results.features import read_features
from ipvg_eval.results.tables import BOX_COLUMNS
from ipvg_eval.submission import MemberError
from ipvg_eval.viewer.index import short
from ipvg_eval.viewer.material import Material, Side
from ipvg_eval.viewer.pictures import Pictures

COMPARED = ("cur_score", "arc_score", "lite_identity")
"""Metrics whose value of a frame is the similarity of that face with the reference's."""


def details(material: Material, pictures: Pictures, sample: str) -> dict[str, Any]:
    """Prompt, references and timeline of a sample, and what each run says of its video.

    Raises:
        RunError: a file of a run is damaged.
    """
    asked = material.asked.get(sample)
    timeline = asked.timeline if asked is not None else _timeline(material, sample)
    events = parse_timeline(timeline).events if timeline is not None else ()
    return {
        "sample": sample,
        "prompt": "" if asked is None else asked.prompt,
        "events": [[event.start, event.end, event.description] for event in events],
        "references": pictures.of_sample(sample),
        "runs": [_one_run(material, side, sample, len(events)) for side in material.sides],
    }


def video_state(side: Side, row: Sample) -> tuple[str, str]:
    """What is known of a run's video, as a word and in words.

    "scored": the very file that was measured; "changed": another one; "unscored": nothing was measured;
    "none": there is no file, or no submission.
    """
    if side.submission is None:
        return "none", side.videos
    if not side.submission.has(row.video):
        return "none", f"there is no {row.video} in the submission"
    measured = side.hashes.get(row.sample)
    if measured is None:
        return "unscored", "no file of this name was measured"
    try:
        same = side.submission.sha256(row.video) == measured
    except (MemberError, OSError) as error:
        return "none", str(error)
    return ("scored", "") if same else ("changed", "This is not the file that was scored: its hash differs.")


def _timeline(material: Material, sample: str) -> str | None:
    rows = (side.rows.get(sample) for side in material.sides)
    return next((row.timeline for row in rows if row is not None and row.timeline is not None), None)


def _one_run(material: Material, side: Side, sample: str, events: int) -> dict[str, Any] | None:
    row = side.rows.get(sample)
    if row is None:
        return None
    state, words = video_state(side, row)
    frames = side.frames.get(sample)
    return {
        "status": row.status.value,
        "file": row.video,
        "facts": row.facts,
        "fps": row.fps,
        "seconds": row.duration,
        "state": state,
        "words": words,
        "remarks": [text for text in row.remarks if material.may_say(text)],
        "findings": [
            [remark.severity, remark.message, remark.action] for remark in material.remarks(side, sample)
        ],
        "curves": [] if frames is None else _curves(side, frames, row.fps),
        "faces": None if frames is None else _faces(side, frames, row.fps),
        "found": _found(side, sample, events),
    }


def _curves(side: Side, frames: pd.DataFrame, fps: float | None) -> list[dict[str, Any]]:
    drawn = []
    for spec in side.run.info.specs:
        rows = frames[frames["metric"] == spec.name]
        if len(rows):
            drawn.append(
                {
                    "metric": spec.name,
                    "frames": rows["frame"].tolist(),
                    "times": [round(time, 4) for time in frame_seconds(rows, fps).tolist()],
                    "values": [short(value) for value in rows["value"].astype(float)],
                }
            )
    return drawn


def _faces(side: Side, frames: pd.DataFrame, fps: float | None) -> dict[str, Any] | None:
    """Where in each frame the face lay that counts, and the metrics that compared it; None for none."""
    if not set(BOX_COLUMNS) <= set(frames.columns):
        return None
    rows = frames[frames["metric"].isin(frames.loc[frames["left"].notna(), "metric"].head(1))]
    boxes = rows[list(BOX_COLUMNS)].astype(float)
    if not len(rows):
        return None
    return {
        "frames": rows["frame"].tolist(),
        "times": [round(time, 4) for time in frame_seconds(rows, fps).tolist()],
        "boxes": [None if row.isna().any() else row.tolist() for _, row in boxes.iterrows()],
        "compared": [name for name in COMPARED if name in {spec.name for spec in side.run.info.specs}],
    }


def _found(side: Side, sample: str, events: int) -> Sequence[Sequence[float] | None] | None:
    """When the video shows each event, in seconds; None where nothing looked for them."""
    kept = read_features(side.run.folder.features(sample)).get(MIOU.name) if events else None
    if kept is None or kept.rows.shape[1] != events:
        return None
    return [None if span is None else [round(end, 3) for end in span] for span in grounded_intervals(kept)]
