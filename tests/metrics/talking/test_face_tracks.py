"""Tracks and crops against boxes made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import medfilt

from ipvg_eval.metrics.talking.face_tracks import Tracker, crop, overlap, smoothed


def _box(x, y, side=110.0):
    return np.array([x, y, x + side, y + side])


def _frame(number=0):
    return np.full((200, 300, 3), number % 256, np.uint8)


@pytest.fixture
def follow():
    def run(faces):
        crops = []

        def sink():
            crops.append([])
            return crops[-1].append

        tracker = Tracker(sink)
        for number, boxes in enumerate(faces):
            tracker.add(_frame(number), boxes)
        tracker.finish()
        return tracker.tracks, crops

    return run


def test_overlap():
    assert overlap(_box(0, 0, 10), _box(0, 0, 10)) == 1.0
    assert overlap(_box(0, 0, 10), _box(5, 0, 10)) == pytest.approx(1 / 3)
    assert overlap(_box(0, 0, 10), _box(20, 0, 10)) == 0.0
    assert overlap(_box(0, 0, 0), _box(0, 0, 0)) == 0.0


@pytest.mark.parametrize(("gap", "tracks"), [(25, 1), (26, 2)])
def test_a_gap_of_25_frames_is_bridged(follow, gap, tracks):
    faces = [[_box(10, 10)]] + [[]] * (gap - 1) + [[_box(10 + gap, 10)]]
    found, crops = follow(faces)
    assert len(found) == tracks
    if tracks == 1:
        assert (found[0].detections, found[0].length) == (2, gap + 1)
        assert len(crops[0]) == gap + 1
        assert np.allclose(np.stack(found[0]._boxes)[:, 0], np.linspace(10, 10 + gap, gap + 1))
        # Each frame is grey in its number, and is cropped where the median of the boxes lies.
        assert [picture[112, 112, 0] for picture in crops[0][7:-7]] == list(range(7, gap - 6))


def test_two_faces_that_cross_stay_apart(follow):
    faces = [[_box(4 * number, 10), _box(180 - 4 * number, 100)] for number in range(46)]
    found, _ = follow(faces)
    assert [track.detections for track in found] == [46, 46]
    assert [track._boxes[-1][1] for track in found] == [10, 100]


def test_a_jump_begins_a_new_track(follow):
    found, _ = follow([[_box(10, 10)]] * 3 + [[_box(150, 10)]] * 3)
    assert [(track.start, track.detections) for track in found] == [(0, 3), (3, 3)]


def test_frames_after_the_last_face_are_not_cropped(follow):
    found, crops = follow([[]] * 2 + [[_box(10, 10)]] * 9 + [[]] * 40)
    assert (found[0].start, found[0].length, len(crops[0])) == (2, 9, 9)


def test_no_more_than_some_thirty_frames_wait():
    tracker = Tracker(lambda: lambda _crop: None)
    most = 0
    for number in range(300):
        tracker.add(_frame(), [_box(10, 10)] if number % 20 == 0 else [])
        most = max(most, *(len(track._waiting) for track in tracker._active))
    assert most <= 25 + 6 + 1


def test_the_median_is_scipys():
    rng = np.random.default_rng(0)
    boxes = [_box(*rng.uniform(0, 50, 2), rng.uniform(100, 150)) for _ in range(40)]
    x = medfilt([(box[0] + box[2]) / 2 for box in boxes], 13)
    y = medfilt([(box[1] + box[3]) / 2 for box in boxes], 13)
    s = medfilt([max(box[3] - box[1], box[2] - box[0]) / 2 for box in boxes], 13)
    assert [smoothed(boxes, place) for place in range(40)] == list(zip(x, y, s, strict=True))


def test_the_crop_is_1_4_wide_and_reaches_1_8_below():
    frame = np.zeros((400, 400, 3), np.uint8)
    # Middle (200, 150), half a side of 50: columns 130 to 270, rows 100 to 240.
    frame[100:240, 130:270] = 255
    assert (crop(frame, (200.0, 150.0, 50.0)) == 255).all()
    frame[100:240, 200:] = 0
    halved = crop(frame, (200.0, 150.0, 50.0))
    assert (halved[:, :111] == 255).all()
    assert not halved[:, 113:].any()


def test_beyond_the_border_it_is_grey():
    cut = crop(np.zeros((100, 100, 3), np.uint8), (0.0, 0.0, 50.0))
    # Columns -70 to 70 and rows -50 to 90 of the picture: grey left of half and above 5/14.
    assert (cut[:, :111] == 110).all()
    assert (cut[:79] == 110).all()
    assert not cut[82:, 114:].any()
