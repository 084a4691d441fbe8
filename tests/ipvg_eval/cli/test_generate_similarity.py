"""The ArcFace comparison of `generate`: the real detector and recogniser at full size, random weights."""

from __future__ import annotations

import pytest
import skimage.data
from PIL import Image

import ipvg_eval.metrics.weights
from ipvg_eval.cli.generate import _face_similarity
from ipvg_eval.metrics.weights import RandomWeights
from ipvg_eval.reference_generator.preset import load_settings


def test_systems_that_make_no_pictures_need_no_arcface():
    assert _face_similarity(load_settings("vace-1.3b")) is None
    assert _face_similarity(load_settings("decoupled-ti2v-5b", tiny=True)) is None


def test_a_face_is_most_like_itself(monkeypatch):
    monkeypatch.setattr(ipvg_eval.metrics.weights, "WeightStore", lambda: RandomWeights(0))
    similarity = _face_similarity(load_settings("decoupled-ti2v-5b", ["runtime.device=cpu"]))
    portrait = Image.fromarray(skimage.data.astronaut())
    cat = Image.fromarray(skimage.data.chelsea())
    assert similarity(portrait, portrait) == pytest.approx(1.0, abs=1e-5)
    assert similarity(portrait, cat) < 0.9999
