from __future__ import annotations

import itertools
import math

import cv2
import numpy as np
import pytest
import skimage.data
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.util import random_noise

from ipvg_eval.metrics.lite.image_quality import (
    PictureQuality,
    clipped_share,
    noise_sigma,
    picture_quality,
    sharpness,
)
from ipvg_eval.metrics.lite.imaging import LiteImaging, LiteImagingOptions
from ipvg_eval.metrics.runtime import Runtime

NAMES = ["lite_imaging", "lite_sharpness", "lite_noise", "lite_clipping"]


@pytest.fixture(scope="module")
def evaluator():
    return LiteImaging(LiteImagingOptions(), Runtime())


def noisy(picture, sigma, seed=0):
    """Noise of a standard deviation in grey levels of 255, by scikit-image."""
    noise = (
        random_noise(picture, mode="gaussian", var=(sigma / 255) ** 2, rng=seed) if sigma else picture / 255
    )
    return np.rint(noise * 255).astype(np.uint8)


def blurred(picture, sigma):
    return cv2.GaussianBlur(picture, (0, 0), sigma) if sigma else picture


def falls(values):
    return all(before > after for before, after in itertools.pairwise(values))


def test_a_uniform_picture_shows_nothing():
    quality = picture_quality(np.full((64, 64, 3), 128, dtype=np.uint8))
    assert quality == PictureQuality(sharpness=0.0, noise=0.0, clipping=0.0)
    assert quality.score == 0.0


@pytest.mark.parametrize("level", [0, 255])
def test_black_and_white_are_clipped(level):
    quality = picture_quality(np.full((64, 64, 3), level, dtype=np.uint8))
    assert quality.clipping == 1.0
    assert quality.score == 0.0


def test_the_score_is_the_documented_product():
    quality = PictureQuality(sharpness=0.8, noise=16.0, clipping=0.25)
    assert quality.score == pytest.approx(0.8 * math.exp(-1) * 0.75)
    assert PictureQuality(sharpness=1.0, noise=0.0, clipping=0.0).score == 1.0


@settings(deadline=None, max_examples=20)
@given(sigma=st.floats(1.0, 30.0), seed=st.integers(0, 1000))
def test_noise_of_a_known_strength_is_measured(sigma, seed):
    noise = np.random.default_rng(seed).normal(128, sigma, (256, 256)).astype(np.float32)
    assert noise_sigma(noise) == pytest.approx(sigma, rel=0.05)


@pytest.mark.parametrize("sigma", [4.0, 10.0])
def test_slopes_edges_and_texture_are_no_noise(sigma):
    ramp = np.tile(np.linspace(40, 200, 256, dtype=np.float32), (256, 1))
    edge = np.where(np.arange(256) < 100, 60, 180).astype(np.float32) * np.ones((256, 1), dtype=np.float32)
    for picture in (ramp, edge, ramp.T, edge.T):
        assert noise_sigma(picture) < 0.01
    textured = np.full((256, 256), 128, dtype=np.float32)
    textured[:128] += np.random.default_rng(0).normal(0, 60, (128, 256)).astype(np.float32)
    textured += np.random.default_rng(1).normal(0, sigma, textured.shape).astype(np.float32)
    assert noise_sigma(textured) < 2 * sigma


def test_clipping_counts_pixels():
    picture = np.full((10, 10), 128, dtype=np.float32)
    picture[:2] = 2
    picture[2] = 253
    picture[3] = [3, 252] * 5
    assert clipped_share(picture) == pytest.approx(0.3)


def test_sharpness_is_that_of_the_published_blur_effect():
    """On a picture that a median filter leaves as it is."""
    steps = np.kron(np.random.default_rng(0).integers(0, 255, (16, 16)), np.ones((16, 16)))
    luma = cv2.medianBlur(cv2.medianBlur(steps.astype(np.uint8), 3), 3)
    np.testing.assert_array_equal(cv2.medianBlur(luma, 3), luma)
    from skimage.measure import blur_effect

    assert sharpness(luma.astype(np.float32)) == pytest.approx(1 - blur_effect(luma))


def test_too_small_a_picture_is_refused():
    with pytest.raises(ValueError, match="too small"):
        picture_quality(np.zeros((15, 100, 3), dtype=np.uint8))


@settings(deadline=None, max_examples=30)
@given(
    height=st.integers(16, 60),
    width=st.integers(16, 60),
    low=st.integers(0, 255),
    span=st.integers(1, 255),
    seed=st.integers(0, 2**32 - 1),
)
def test_every_value_is_within_its_bounds(height, width, low, span, seed):
    shape = (height, width, 3)
    picture = np.random.default_rng(seed).integers(low, min(256, low + span), shape, dtype=np.uint8)
    quality = picture_quality(picture)
    assert 0 <= quality.sharpness <= 1
    assert 0 <= quality.noise < math.inf
    assert 0 <= quality.clipping <= 1
    assert 0 <= quality.score <= 1


def test_specs_say_what_the_numbers_mean(evaluator):
    directions = {spec.name: (spec.higher_is_better, spec.bounds) for spec in evaluator.specs}
    assert directions == {
        "lite_imaging": (True, (0.0, 1.0)),
        "lite_sharpness": (True, (0.0, 1.0)),
        "lite_noise": (False, (0.0, None)),
        "lite_clipping": (False, (0.0, 1.0)),
    }
    assert [spec.proxy for spec in evaluator.specs] == [True, False, False, False]
    assert evaluator.weights == {}
    assert LiteImaging.required_weights(LiteImagingOptions()) == ()


def test_blur_lowers_it_on_every_picture(evaluator, measure, pictures):
    for name, picture in pictures.items():
        measured = [measure(evaluator, [blurred(picture, sigma)]) for sigma in (0, 0.5, 1, 2, 4, 8)]
        assert falls([result["lite_imaging"].value for result in measured]), name
        assert falls([result["lite_sharpness"].value for result in measured]), name


def test_noise_lowers_it_on_every_picture(evaluator, measure, pictures):
    for name, picture in pictures.items():
        measured = [measure(evaluator, [noisy(picture, sigma)]) for sigma in (0, 2, 4, 8, 16, 32)]
        assert falls([result["lite_imaging"].value for result in measured]), name
        assert falls([-result["lite_noise"].value for result in measured]), name


def test_overexposure_lowers_it(evaluator, measure, pictures):
    picture = pictures["coffee"]
    bright = [np.clip(picture * gain, 0, 255).astype(np.uint8) for gain in (1.0, 2.0, 3.0, 5.0, 9.0)]
    measured = [measure(evaluator, [frame]) for frame in bright]
    assert falls([-result["lite_clipping"].value for result in measured])
    assert falls([result["lite_imaging"].value for result in measured])


def test_real_videos_lose_by_blur_and_noise(evaluator, measure, shared_data, read_video):
    for path in sorted((shared_data / "videos").glob("*.mp4")):
        frames = read_video(path)[::24]
        by_blur = [measure(evaluator, [blurred(f, s) for f in frames]) for s in (0, 2, 4, 8)]
        assert falls([result["lite_imaging"].value for result in by_blur]), path
        by_noise = [measure(evaluator, [noisy(f, s) for f in frames]) for s in (0, 8, 16, 32)]
        assert falls([result["lite_imaging"].value for result in by_noise]), path


def test_a_video_is_the_mean_of_its_frames(evaluator, measure, pictures):
    size = (300, 200)
    frames = [cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in pictures.values()]
    measured = measure(evaluator, frames)
    for name in NAMES:
        alone = [measure(evaluator, [frame])[name].value for frame in frames]
        assert measured[name].value == pytest.approx(np.mean(alone))
        assert measured[name].per_frame.values == tuple(alone)
        assert measured[name].per_frame.indices == tuple(range(len(frames)))


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_batching_changes_nothing(evaluator, measure, batch):
    video = [np.roll(skimage.data.chelsea(), 20 * k, axis=1) for k in range(20)]
    assert measure(evaluator, video, batch=batch) == measure(evaluator, video, batch=2)


def test_resolution_alone_changes_little(evaluator, measure, pictures):
    small = cv2.resize(pictures["astronaut"], (512, 512), interpolation=cv2.INTER_AREA)
    large = cv2.resize(small, (2048, 2048), interpolation=cv2.INTER_CUBIC)
    one, other = (measure(evaluator, [frame])["lite_imaging"].value for frame in (small, large))
    assert one == pytest.approx(other, abs=0.1)


def test_missing_frames(evaluator, measure, pictures):
    video = [pictures["cat"]] * 5
    nothing = measure(evaluator, video, arriving=0)
    tail = measure(evaluator, video, arriving=2)
    for name in NAMES:
        assert nothing[name].value is None
        assert nothing[name].reason == "no frame could be decoded"
        assert tail[name].per_frame.indices == (0, 1)
        assert tail[name].value is not None


@pytest.mark.parametrize("shape", [(1, 1, 3), (12, 400, 3), (10, 2000, 3)])
def test_tiny_frames_have_no_value_but_a_reason(evaluator, measure, shape):
    measured = measure(evaluator, [np.zeros(shape, dtype=np.uint8)] * 2)
    for name in NAMES:
        assert measured[name].value is None
        assert measured[name].reason == "the frames are smaller than 16 pixels"
        assert measured[name].per_frame.values == (None, None)
