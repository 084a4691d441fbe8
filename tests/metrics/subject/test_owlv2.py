"""OWLv2: parity with transformers' own processor, published folders, the full-size network."""

from __future__ import annotations

import itertools

import numpy as np
import open_clip
import pytest
import skimage.data
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from planted_things import clip_of
from weight_files import WeightFiles

from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.subject.detection.checkpoint import owlv2_configuration, random_owlv2
from ipvg_eval.metrics.subject.detection.detector import reduced
from ipvg_eval.metrics.subject.detection.loading import is_here, load_detector
from ipvg_eval.metrics.subject.detection.owlv2 import Owlv2Detector
from ipvg_eval.metrics.subject.evaluator import SubjectMetrics, SubjectOptions
from ipvg_eval.metrics.target import Reference, Target
from ipvg_eval.metrics.weights import RandomWeights

LABELS = ["man", "red ball", "an endless label that goes on and on and on and on and on and on and on"]


@pytest.fixture(scope="module")
def model():
    """The same class with small towers; every query id of CLIP's vocabulary."""
    tower = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = transformers.Owlv2Config(
        projection_dim=32, text_config=tower, vision_config=tower | {"image_size": 96, "patch_size": 16}
    )
    return random_owlv2(config, seed=3)


@pytest.fixture(scope="module")
def processor():
    """transformers' own, with CLIP's vocabulary out of the open_clip package and OWLv2's filling."""
    bpe = open_clip.SimpleTokenizer()
    merges = sorted(bpe.bpe_ranks, key=bpe.bpe_ranks.get)
    special = {bpe.sot_token_id: "<|startoftext|>", bpe.eot_token_id: "<|endoftext|>"}
    vocabulary = {special.get(number, piece): number for piece, number in bpe.encoder.items()}
    tokenizer = transformers.CLIPTokenizer(
        vocab=vocabulary, merges=merges, pad_token="!", model_max_length=16
    )
    images = transformers.Owlv2ImageProcessor(size={"height": 96, "width": 96})
    return transformers.Owlv2Processor(images, tokenizer)


@pytest.fixture
def pictures():
    photograph = skimage.data.astronaut()
    return [np.ascontiguousarray(photograph[top : top + 150, :231]) for top in (0, 200)]


def test_boxes_are_those_of_the_published_processor(model, processor, pictures):
    queries = [f"a photo of a {label}" for label in LABELS]
    inputs = processor(
        text=[queries] * 2,
        images=[Image.fromarray(picture) for picture in pictures],
        return_tensors="pt",
        truncation=True,
    )
    with torch.inference_mode():
        output = model(**inputs)
    # A threshold that parts the boxes of a network with random weights.
    threshold = torch.sigmoid(output.logits).max(dim=-1).values.median().item()
    published = processor.post_process_grounded_object_detection(
        output, threshold=threshold, target_sizes=[(150, 231)] * 2
    )
    found = Owlv2Detector(model, threshold=threshold).detect(pictures, LABELS)
    for ours, theirs in zip(found, published, strict=True):
        assert 3 < len(ours.scores) < 36
        np.testing.assert_allclose(ours.corners, theirs["boxes"].numpy(), rtol=1e-5, atol=1e-3)
        np.testing.assert_allclose(ours.scores, theirs["scores"].numpy(), rtol=1e-5)
        assert ours.labels.tolist() == theirs["labels"].tolist()


@pytest.mark.parametrize("label", [*LABELS, "Ünïcode  dög", "it's 2 dogs", "狗", "🐕"])
def test_queries_are_those_of_the_published_tokenizer(model, processor, label):
    published = processor.tokenizer(f"a photo of a {label}", padding="max_length", truncation=True)
    assert Owlv2Detector(model).token_ids(label) == published["input_ids"]


def test_a_control_word_in_a_label_is_only_text(model):
    assert Owlv2Detector(model).token_ids("<|startoftext|>").count(49406) == 1


@pytest.fixture(scope="module")
def detector(model):
    return Owlv2Detector(model, threshold=0.0)


@settings(deadline=None, max_examples=60)
@given(label=st.text(max_size=60))
def test_any_label_is_sixteen_tokens(detector, label):
    ids = detector.token_ids(label)
    assert len(ids) == 16
    assert ids[0] == 49406
    assert 49407 in ids
    assert detector.reads_all(label) == (len(detector._tokens(f"a photo of a {label}").content) <= 14)


def test_pictures_in_any_batch_and_labels_in_any_order(detector, pictures):
    together = detector.detect(pictures, LABELS)
    for picture, expected in zip(pictures, together, strict=True):
        alone = detector.detect([picture], LABELS[::-1])[0]
        np.testing.assert_allclose(alone.corners, expected.corners, rtol=1e-4, atol=1e-2)
        np.testing.assert_allclose(alone.scores, expected.scores, rtol=1e-4)
        assert (2 - alone.labels).tolist() == expected.labels.tolist()


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (13, 2)])
def test_pictures_of_any_shape(detector, size):
    found = detector.detect([np.full((*size, 3), 99, dtype=np.uint8)], ["dog"])[0]
    assert found.finite
    assert len(found.scores) == 36


def test_large_pictures_are_reduced(monkeypatch, detector):
    assert reduced(np.zeros((3, 30_000, 3), dtype=np.uint8))[0].shape == (1, 2048, 3)
    assert reduced(np.zeros((90, 2048, 3), dtype=np.uint8))[1] == 1.0
    monkeypatch.setattr("ipvg_eval.metrics.subject.detection.detector.LONGEST_SIDE", 100)
    wide = np.zeros((99, 300, 3), dtype=np.uint8)
    wide[:, :70] = 250
    small, factor = reduced(wide)
    assert small.shape == (33, 100, 3)
    assert factor == 3
    large, little = detector.detect([wide], ["dog"])[0], detector.detect([small], ["dog"])[0]
    np.testing.assert_allclose(large.corners, 3 * little.corners, rtol=1e-6)


def test_a_broken_network_is_not_an_empty_picture(model, pictures):
    broken = random_owlv2(model.config, seed=3)
    broken.box_head.dense2.bias.data.fill_(torch.nan)
    assert [found.finite for found in Owlv2Detector(broken).detect(pictures, ["dog"])] == [False, False]


def test_a_published_folder(model, tmp_path, pictures):
    model.save_pretrained(tmp_path / "whole")
    runtime = Runtime(weights=WeightFiles(tmp_path / "whole"))
    detector = load_detector("owlv2", runtime, threshold=0.0)
    assert detector.weights == {"owlv2_base": "hash of owlv2_base"}
    assert is_here("owlv2", runtime)
    expected = Owlv2Detector(model, threshold=0.0).detect(pictures, LABELS)
    for ours, theirs in zip(detector.detect(pictures, LABELS), expected, strict=True):
        assert (ours.corners == theirs.corners).all()
        assert (ours.scores == theirs.scores).all()
    nowhere = Runtime(weights=WeightFiles(tmp_path / "nowhere"))
    with pytest.raises(WeightsMissing, match="cannot be loaded"):
        load_detector("owlv2", nowhere)
    lacking = model.state_dict()
    lacking.pop("box_head.dense0.weight")
    model.save_pretrained(tmp_path / "part", state_dict=lacking)
    with pytest.raises(WeightsMissing, match=r"lacks box_head\.dense0\.weight"):
        load_detector("owlv2", Runtime(weights=WeightFiles(tmp_path / "part")))


def test_the_full_size_is_the_published_one():
    """The hub lists model.safetensors with 620 MB: four bytes a number."""
    with torch.device("meta"):
        network = transformers.Owlv2ForObjectDetection(owlv2_configuration())
    assert sum(p.numel() for p in network.parameters()) * 4 == pytest.approx(620e6, abs=0.5e6)


def test_the_full_size_network_end_to_end(tmp_path):
    """OWLv2 base at 960 pixels and DINOv2 with random weights: a reference and a frame."""
    photograph = skimage.data.astronaut()
    Image.fromarray(photograph).save(tmp_path / "woman.png")
    target = Target(
        sample_id="s", references=(Reference(path=tmp_path / "woman.png", label="woman"),), prompt=""
    )
    evaluator = SubjectMetrics(SubjectOptions(frame_count=2), Runtime(weights=RandomWeights()))
    assert evaluator.weights == {"dinov2_vitb14": "random:0", "owlv2_base": "random:0"}
    looking = evaluator.start(target, clip_of(2))
    looking.add([0], photograph[None, :240, :320])
    found = {m.name: m for m in looking.finish()}
    assert list(found) == [spec.name for spec in evaluator.specs]
    assert "1 of 2 frames could be read" in found["subject_coverage"].note
    # Random weights find something everywhere.
    assert found["subject_coverage"].value == 1.0
    assert -1 <= found["subject_similarity"].value <= 1


@pytest.mark.parametrize("query", ["a photo", "{label} {other}", "{label", "{}"])
def test_a_query_must_name_the_label(query):
    with pytest.raises(ValueError, match="label"):
        SubjectOptions(query=query)


def test_every_choice_of_detector_has_its_weights_declared():
    from ipvg_eval.metrics.weights import WEIGHTS

    for name, automatic in itertools.product(
        ("owlv2", "grounding_dino_tiny", "grounding_dino_base"), (False, True)
    ):
        options = SubjectOptions(detector="auto" if automatic else name)
        needed = (*SubjectMetrics.required_weights(options), *SubjectMetrics.optional_weights(options))
        assert len(needed) == 2
        assert set(needed) <= set(WEIGHTS)
        for spec in SubjectMetrics.specs_for(options)[:-1]:
            assert spec.weights == needed
