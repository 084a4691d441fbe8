"""The shipped fixtures are what their README says."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
VIDEOS = sorted(FIXTURES.rglob("*.mp4"))


def test_there_are_twenty_clips_and_they_are_small():
    assert len(VIDEOS) == 20
    assert sum(path.stat().st_size for path in FIXTURES.rglob("*") if path.is_file()) < 10_000_000


@pytest.mark.parametrize("path", VIDEOS, ids=lambda path: path.relative_to(FIXTURES).as_posix())
def test_a_clip_is_three_seconds_of_h264(path):
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.width, stream.height) == ("h264", 320, 240)
        assert sum(1 for _ in container.decode(stream)) == 49
        assert stream.average_rate == 16
