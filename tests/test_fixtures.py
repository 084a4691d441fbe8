"""The shipped fixtures are what their README says."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
TALKING = sorted((FIXTURES / "talking").rglob("*.mp4"))
VIDEOS = sorted(set(FIXTURES.rglob("*.mp4")) - set(TALKING))


def test_there_are_few_clips_and_they_are_small():
    assert len(VIDEOS) == 20 + 9
    assert len(TALKING) == 2 * 6
    assert sum(path.stat().st_size for path in FIXTURES.rglob("*") if path.is_file()) < 10_000_000


@pytest.mark.parametrize("path", VIDEOS, ids=lambda path: path.relative_to(FIXTURES).as_posix())
def test_a_clip_is_a_few_seconds_of_h264(path):
    frames = {"1": 64, "2": 72, "3": 80, "id001": 64, "id002": 72, "id003": 80}
    sequential = "sequential" in path.parts
    key = path.parent.name if path.stem.startswith("prompt") else path.stem
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.width, stream.height) == ("h264", 320, 240)
        assert sum(1 for _ in container.decode(stream)) == (frames[key] if sequential else 49)
        assert stream.average_rate == 16


@pytest.mark.parametrize("path", TALKING, ids=lambda path: path.relative_to(FIXTURES).as_posix())
def test_a_talking_head_has_its_length_and_its_sound(path):
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.width, stream.height) == ("h264", 256, 256)
        assert stream.average_rate == 30
        assert sum(1 for _ in container.decode(stream)) == {"1": 9, "2": 4}[path.stem] * 30
        assert len(container.streams.audio) == (0 if path.parent.name == "mute" else 1)
