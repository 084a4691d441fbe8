"""Lengths, frame rates, metadata and text."""

from __future__ import annotations

import cv2
import imagehash
import numpy as np
import pytest
import skimage.data
from PIL import Image

from ipvg_eval.audit import Thresholds
from ipvg_eval.audit.burned_text import text_rows
from ipvg_eval.audit.lasting_text import lasting_text
from ipvg_eval.audit.metadata import check_metadata
from ipvg_eval.audit.signals import perceptual_hash
from ipvg_eval.audit.timing import check_timing

LIMITS = Thresholds()


def videos(look, durations, fps=16.0):
    return [look(video=f"{k}.mp4", sample=str(k), duration=d, fps=fps) for k, d in enumerate(durations)]


def test_a_video_longer_than_most_is_found(look):
    (finding,) = check_timing(videos(look, [5.0, 5.0, 5.1, 5.0, 8.0]), {}, LIMITS)
    assert (finding.kind, finding.videos) == ("odd-length", ("4.mp4",))
    assert finding.numbers == {"s": 8.0, "usual s": 5.0}


def test_without_a_majority_there_is_nothing_usual(look):
    assert list(check_timing(videos(look, [2.0, 3.0, 4.0, 5.0, 6.0]), {}, LIMITS)) == []
    assert list(check_timing(videos(look, [5.0, 5.0, 9.0]), {}, LIMITS)) == []


def test_another_frame_rate_is_found(look):
    looks = videos(look, [5.0] * 4)
    looks.append(look(video="fast.mp4", duration=5.0, fps=30.0))
    assert [(f.kind, f.videos) for f in check_timing(looks, {}, LIMITS)] == [
        ("odd-frame-rate", ("fast.mp4",))
    ]


@pytest.mark.parametrize(("seconds", "found"), [(3.9, True), (4.0, False), (9.0, False)])
def test_a_fifth_of_the_timeline_may_be_missing(look, seconds, found):
    timelines = {"0": "[0-2s]: she walks. [2-5s]: she sits."}
    kinds = [f.kind for f in check_timing(videos(look, [seconds]), timelines, LIMITS)]
    assert kinds == (["shorter-than-timeline"] if found else [])


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Lavf62.0", []),
        ("made by Team Meridian", ["names-another-team"]),
        ("team meridian 2", ["names-another-team"]),
        ("Teammeridianum", []),
        ("own team", []),
        ("Runway Gen-4", ["names-a-tool"]),
        ("edited in CapCut for Team Meridian", ["names-another-team", "names-a-tool"]),
        ("a sofa with pikachu", []),
    ],
)
def test_names_in_metadata(look, text, kinds):
    looks = [look(team="own team", metadata={"comment": text})]
    assert [f.kind for f in check_metadata(looks, ["own team", "Team Meridian"])] == kinds


def test_one_text_in_many_videos_is_one_finding(look):
    looks = [look(video=f"{k}.mp4", metadata={"encoder": "HandBrake 1.9"}) for k in range(3)]
    (finding,) = check_metadata(looks, ["a"])
    assert finding.videos == ("0.mp4", "1.mp4", "2.mp4")


PROMPT = "A woman in a space suit waves her hand"


def written(picture, colour, width):
    height = picture.shape[0]
    place, scale = (height // 10, int(0.9 * height)), height / 480
    cv2.putText(
        picture, PROMPT, place, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, int(width * scale), cv2.LINE_AA
    )
    return picture


def sees_prompt(picture):
    return any(abs(centre - 0.88) < 0.03 and letters >= 8 for centre, letters in text_rows(picture))


@pytest.mark.parametrize("height", [480, 720])
@pytest.mark.parametrize("colour", [(255, 255, 255), (255, 230, 0)])
def test_a_written_prompt_is_seen(height, colour):
    picture = cv2.resize(skimage.data.coffee(), (height * 16 // 9, height))
    assert not sees_prompt(picture)
    assert sees_prompt(written(written(picture, (0, 0, 0), 6), colour, 2))


def test_a_dark_prompt_on_a_pale_picture_is_seen():
    picture = cv2.resize(skimage.data.coffee(), (853, 480)) // 4 + 190
    assert not sees_prompt(picture)
    assert sees_prompt(written(picture, (0, 0, 0), 2))


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee", "rocket", "cat"])
def test_pictures_without_a_caption_show_no_row_of_eight(name):
    assert max((letters for _, letters in text_rows(getattr(skimage.data, name)())), default=0) < 8


def test_a_blank_picture_has_no_text():
    assert text_rows(np.full((480, 640, 3), 90, np.uint8)) == ()


def test_text_must_stay_where_it_is():
    stays = [((0.9, 20),), ((0.9, 18),), ((0.91, 20),), (), ((0.9, 9),)]
    assert lasting_text(stays, 8) == (0.8, 20)
    moves = [((0.1, 20),), ((0.3, 20),), ((0.5, 20),), ((0.7, 20),), ((0.9, 20),)]
    assert lasting_text(moves, 8) == (0.2, 20)
    assert lasting_text([(), ()], 8) == (0.0, 0)


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea", "rocket"])
def test_the_hash_is_that_of_imagehash(name):
    picture = getattr(skimage.data, name)()
    assert np.array_equal(perceptual_hash(picture), imagehash.phash(Image.fromarray(picture)).hash.ravel())
