"""Videos that look the same, within a submission and across teams."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data

from ipvg_eval.audit import Thresholds
from ipvg_eval.audit.sameness import check_sameness, hash_distance
from ipvg_eval.audit.signals import perceptual_hash

LIMITS = Thresholds()


def bits(seed):
    return np.random.default_rng(seed).random((5, 64)) < 0.5


def flipped(hashes, count):
    """So many bits of every frame turned over."""
    changed = hashes.copy()
    changed[:, :count] ^= True
    return changed


@pytest.mark.parametrize(("count", "same"), [(0, True), (2, True), (3, False)])
def test_two_bits_per_frame_are_the_limit(look, count, same):
    one, other = look(video="1.mp4", hashes=bits(0)), look(video="2.mp4", hashes=flipped(bits(0), count))
    assert hash_distance(one.hashes, other.hashes) == count
    found = list(check_sameness([one, other], LIMITS))
    assert [f.videos for f in found] == ([("1.mp4", "2.mp4")] if same else [])


def test_a_group_is_one_finding_and_links_carry_on(look):
    """1 and 3 differ by four bits, but both are within two of 2."""
    looks = [look(video=f"{k}.mp4", hashes=flipped(bits(0), 2 * k)) for k in range(3)]
    looks.append(look(video="other.mp4", hashes=bits(9)))
    (finding,) = check_sameness(looks, LIMITS)
    assert (finding.kind, finding.videos) == ("repeated-video", ("0.mp4", "1.mp4", "2.mp4"))
    assert finding.numbers == {"videos": 3.0, "largest distance": 4.0}


def test_teams_that_share_a_video_are_both_named(look):
    looks = [look(team=team, hashes=bits(0)) for team in ("a", "b")]
    found = list(check_sameness(looks, LIMITS))
    assert [(f.kind, f.team) for f in found] == [("shared-video", "a"), ("shared-video", "b")]
    assert found[0].videos == ("a: id001/prompt1.mp4", "b: id001/prompt1.mp4")


def test_many_videos_are_compared_in_blocks(look):
    looks = [look(video=f"{k}.mp4", hashes=bits(k)) for k in range(1200)]
    looks[1100] = look(video="1100.mp4", hashes=bits(3))
    assert [f.videos for f in check_sameness(looks, LIMITS)] == [("3.mp4", "1100.mp4")]


def test_short_videos_are_left_out(look):
    assert list(check_sameness([look(hashes=bits(0)[:3]), look(hashes=bits(0)[:3])], LIMITS)) == []


def test_the_hash_of_a_picture_survives_noise_and_scaling_and_tells_pictures_apart():
    cat = skimage.data.chelsea()
    noisy = np.clip(cat + np.random.default_rng(0).normal(0, 6, cat.shape), 0, 255).astype(np.uint8)
    hashes = [perceptual_hash(p) for p in (cat, noisy, cat[::2, ::2], skimage.data.coffee())]
    assert (hashes[0] != hashes[1]).sum() <= 4
    assert (hashes[0] != hashes[2]).sum() <= 4
    assert (hashes[0] != hashes[3]).sum() >= 16
