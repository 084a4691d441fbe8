"""One video through SyncNet's evaluator."""

from __future__ import annotations

import numpy as np
import pytest
from sound_files import chirp

from ipvg_eval.core.measurement import ClipInfo
from ipvg_eval.core.sound import NoSound, Sound, Sounds
from ipvg_eval.metrics.faces.detection import Face
from ipvg_eval.metrics.talking.frame_clock import shown_frames
from ipvg_eval.metrics.talking.sync import LipSync, SyncOptions, _SyncPass

NAMES = ["sync_c", "sync_d", "sync_offset", "sync_c_at_zero"]


class OneFace:
    """A detector that sees one face of 120 pixels in the middle of frames that are not black."""

    def __init__(self, side=120.0):
        self.side = side

    def detect(self, frames):
        middle = frames.shape[1] / 2
        box = np.array([middle - self.side / 2] * 2 + [middle + self.side / 2] * 2)
        face = Face(box=box, score=1.0, points=np.zeros((5, 2)))
        return [(face,) if frame.any() else () for frame in frames]


def _heard(samples):
    sound = Sound(samples=samples, start=0.0, channels=1, codec="pcm_s16le")
    return Sounds(driving=sound, embedded=NoSound(reason="no evaluator asked for it"))


@pytest.fixture(scope="module")
def sync(encoder):
    def run(frames, samples, *, fps=25.0, batch=7, lost=(), detector=None, min_track=20):
        times = tuple(number / fps for number in range(len(frames)))
        shown = shown_frames(times, len(frames) / fps)
        one = _SyncPass(SyncOptions(min_track=min_track), encoder, detector or OneFace(), shown)
        one.hear(_heard(samples))
        wanted = [index for index in sorted(set(shown)) if index not in lost]
        for first in range(0, len(wanted), batch):
            chosen = wanted[first : first + batch]
            buffer = frames[chosen]
            one.add(chosen, buffer)
            buffer[:] = 0
        return one.finish()

    return run


def test_scores_do_not_depend_on_batches(sync, moving):
    found = sync(moving[:28], chirp(3.0))
    assert [m.name for m in found] == NAMES
    assert all(m.value is not None for m in found)
    assert [m.value for m in sync(moving[:28], chirp(3.0), batch=64)] == [m.value for m in found]


@pytest.mark.parametrize(("frames", "reason"), [(50, "has 50 frames"), (51, None)])
def test_51_frames_are_needed(sync, moving, frames, reason):
    found = sync(moving[:frames], chirp(3.0), min_track=50)[0]
    assert (found.value is None) == (reason is not None)
    assert reason is None or reason in found.reason


def test_reasons(sync, moving):
    assert "smaller than 100" in sync(moving[:28], chirp(3.0), detector=OneFace(99.0))[0].reason
    assert "no face" in sync(np.zeros_like(moving), chirp(3.0))[0].reason
    left = moving.copy()
    left[15:] = 0
    assert "the longest track has 15" in sync(left, chirp(3.0))[0].reason
    assert "the sound ends" in sync(moving[:28], chirp(0.2))[0].reason
    assert "silent" in sync(moving[:28], 0 * chirp(3.0))[0].reason
    assert sync(moving[:28], chirp(3.0), lost=range(28))[0].reason == "no frame could be decoded"


def test_a_lost_frame_is_the_one_before_it(sync, moving):
    repeated = moving[:28].copy()
    repeated[20] = repeated[19]
    found, expected = sync(moving[:28], chirp(3.0), lost=(20,))[0], sync(repeated, chirp(3.0))[0]
    assert found.value == expected.value
    assert found.note == "27 of 28 frames could be read"


def test_it_hears_what_its_options_say_and_looks_at_25_frames_a_second(random_runtime):
    evaluator = LipSync(SyncOptions(audio="embedded"), random_runtime())
    assert evaluator.hears == {"embedded"}
    assert set(evaluator.weights) == {"syncnet_v2", "det_10g.onnx"}
    times = tuple(number / 30 for number in range(60))
    clip = ClipInfo(frame_count=60, width=64, height=64, fps=30.0, duration=2.0, times=times)
    assert len(evaluator.frames(clip)) == 50
