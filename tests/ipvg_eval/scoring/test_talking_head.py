"""The protocol talking-head with networks of full size and random weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ipvg_eval.metrics.protocols.definition import read_text
from ipvg_eval.scoring import Recipe, score

TALKING = Path(__file__).resolve().parents[3] / "fixtures" / "talking"
CHEAP = {
    "lip_sync": {"frame_limit": 24, "min_track": 20},
    "face_landmarks": {"step": 50},
    "clip_features": {"clips": 1},
    "frame_features": {"frames": 2},
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    pytest.importorskip("dlib", reason="the extra [talking] is not installed")
    folder = tmp_path_factory.mktemp("talking")
    protocol = yaml.safe_load(read_text("talking-head"))
    for entry in protocol["evaluators"]:
        entry["options"] = CHEAP.get(entry["kind"], {})
    path = folder / "cheap.yaml"
    path.write_text(yaml.safe_dump(protocol))
    return score(
        TALKING / "submissions" / "timed",
        testset=TALKING / "testset",
        recipe=Recipe(protocol=str(path), weights="random:0", device="cpu"),
        out=folder / "run",
        decoders=1,
    )


def test_every_column_has_values_or_its_reason(run):
    rows = run.folder.journal.read()
    assert len(rows) == 2
    for row in rows.values():
        assert row.status == "scored"
        missing = {m.name: m.reason for m in row.measurements if m.value is None}
        assert set(missing) == {"inference_fps", "real_time_factor"}
        assert all("nobody said" in reason for reason in missing.values())


def test_distances_of_the_whole_submission(run):
    found = {metric.name: metric for metric in run.summary.corpus}
    assert list(found) == ["fvd", "fvd_floor", "fid"]
    assert (found["fvd"].samples, found["fvd"].references) == (2, 2)
    assert (found["fid"].samples, found["fid"].references) == (4, 4)
    assert found["fvd"].value is not None
    assert found["fid"].value is not None
    # One real video is half of them, and a covariance needs two clips.
    assert found["fvd_floor"].reason == "1 clips are too few: a covariance needs 2"
    assert "RANDOM WEIGHTS" in run.info.protocol.notice


def test_the_face_of_the_turned_picture_lies_where_it_was(run):
    """Half a degree about the middle moves a point 100 pixels away by less than one."""
    values = [
        m.value for row in run.folder.journal.read().values() for m in row.measurements if m.name == "akd"
    ]
    assert 0 < max(values) < 1.5
