"""A protocol whose detector is missing: it runs, and every output says what was done instead."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from prototypes import write_prototypes

from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.protocols.loading import load_protocol
from ipvg_eval.metrics.weights import WEIGHTS
from ipvg_eval.metrics.weights.places import Places
from ipvg_eval.metrics.weights.store import WeightStore
from ipvg_eval.scoring import Recipe, recipe

METRICS = ("subject_similarity", "subject_coverage")


@pytest.fixture
def store(dino_file, tmp_path):
    """Declares DINOv2 with the hash of the checkpoint that is there."""
    digest = hashlib.sha256(dino_file.read_bytes()).hexdigest()
    table = {
        "dinov2_vitb14": replace(WEIGHTS["dinov2_vitb14"], sha256=digest, size=None),
        "owlv2_base": WEIGHTS["owlv2_base"],
    }
    places = Places(weights_dir=dino_file.parent, cache_dir=tmp_path / "cache", hub_cache=tmp_path / "hub")
    return WeightStore(table, places)


@pytest.fixture
def protocol(tmp_path):
    """Timelines by example pictures, so that subjects alone need weights."""
    path = write_prototypes(tmp_path)
    text = path.read_text("utf-8")
    path.write_text(text.replace("{scorer:", "{subject: {detector: auto}, scorer:"), "utf-8")
    return str(path)


def test_track_2_asks_for_the_detector_and_can_do_without():
    protocol = load_protocol("ipvg-track2")
    assert protocol.optional_weights() == ("owlv2_base",)
    assert "owlv2_base" not in protocol.required_weights()
    assert load_protocol("tpige").optional_weights() == ()


def test_without_it_every_output_says_so(store, protocol, monkeypatch):
    monkeypatch.setattr(recipe, "weight_source", lambda *_: store)
    built = Recipe(protocol=protocol, metrics=METRICS, device="cpu").build()
    assert list(built.info.weights) == ["dinov2_vitb14"]
    assert built.info.protocol_info.notice.endswith(
        "Subjects: no detector: the whole frame is the crop; its weights are not on this machine."
    )


def test_a_damaged_detector_is_an_error_and_not_a_missing_one(store, protocol, monkeypatch):
    folder = store.places.weights_dir / WEIGHTS["owlv2_base"].file_name
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    monkeypatch.setattr(recipe, "weight_source", lambda *_: store)
    try:
        with pytest.raises(WeightsMissing, match=r"model\.safetensors is missing"):
            Recipe(protocol=protocol, metrics=METRICS, device="cpu").build()
    finally:
        (folder / "config.json").unlink()
        folder.rmdir()


def test_random_weights_have_a_detector(protocol):
    built = Recipe(protocol=protocol, metrics=METRICS, device="cpu", weights="random:1").build()
    assert built.info.weights == {"dinov2_vitb14": "random:1", "owlv2_base": "random:1"}
    assert "no detector" not in built.info.protocol_info.notice
