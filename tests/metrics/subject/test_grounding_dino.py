"""Grounding DINO: parity with transformers' own processor, published folders, texts of many labels."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data
import tokenizers
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from weight_files import WeightFiles

from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.subject.detection import grounding_dino
from ipvg_eval.metrics.subject.detection.checkpoint import (
    SWIN,
    grounding_dino_configuration,
    random_grounding_dino,
)
from ipvg_eval.metrics.subject.detection.grounding_dino import GroundingDinoDetector
from ipvg_eval.metrics.subject.detection.loading import load_detector
from ipvg_eval.metrics.subject.detection.phrases import PhraseTokenizer
from ipvg_eval.metrics.weights import WEIGHTS

LABELS = ["man", "red ball"]


@pytest.fixture(scope="module")
def model():
    """The same class with small towers; its heads stirred, so that scores are neither 0 nor 1."""
    swin = {"embed_dim": 8, "depths": [1, 1, 1, 1], "num_heads": [1, 1, 2, 2], "window_size": 4}
    bert = {
        "model_type": "bert",
        "hidden_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 32,
    }
    sizes = {
        f"{part}_{key}": value
        for part in ("encoder", "decoder")
        for key, value in {"layers": 2, "attention_heads": 2, "ffn_dim": 32}.items()
    }
    config = grounding_dino_configuration(swin, text_config=bert, d_model=32, num_queries=20, **sizes)
    network = random_grounding_dino(config, seed=1).eval()
    with torch.no_grad():
        # Contrastive scores are scalar products of normalised features: bring them near the threshold.
        network.model.decoder.layer_norm.weight.mul_(0.2)
        for head in network.bbox_embed:
            torch.nn.init.normal_(head.layers[-1].weight, std=0.3)
    return network


@pytest.fixture(scope="module")
def tokenizer():
    return PhraseTokenizer.letters_only()


@pytest.fixture(scope="module")
def processor(tokenizer, tmp_path_factory):
    path = tmp_path_factory.mktemp("bert") / "tokenizer.json"
    tokenizer.save(path)
    vocabulary = tokenizers.Tokenizer.from_file(str(path)).get_vocab()
    bert = transformers.BertTokenizer(vocab=vocabulary)
    return transformers.GroundingDinoProcessor(transformers.GroundingDinoImageProcessor(), bert)


@pytest.fixture
def picture():
    return np.ascontiguousarray(skimage.data.astronaut()[:150, :231])


def test_boxes_are_those_of_the_published_processor(model, tokenizer, processor, picture):
    inputs = processor(text=[LABELS], images=[Image.fromarray(picture)], return_tensors="pt")
    assert inputs["input_ids"][0].tolist() == list(tokenizer.texts(LABELS)[0].ids)
    with torch.inference_mode():
        output = model(**inputs)
    published = processor.post_process_grounded_object_detection(output, target_sizes=[(150, 231)])[0]
    # Where no letter is above the text threshold the published phrase is empty or a full stop: no label.
    named = [any(letter.isalnum() for letter in text) for text in published["text_labels"]]
    assert 0 < sum(named) <= 20
    detector = GroundingDinoDetector(model, tokenizer)
    found = detector.detect([picture], LABELS)[0]
    np.testing.assert_allclose(found.corners, published["boxes"].numpy()[named], rtol=1e-4, atol=1e-2)
    np.testing.assert_allclose(found.scores, published["scores"].numpy()[named], rtol=1e-4)
    # The label's most probable token: ids 1 to 3 spell "man", 5 to 11 "red ball".
    probabilities = torch.sigmoid(output.logits)[0].numpy()
    kept = probabilities.max(axis=1) > grounding_dino.THRESHOLD
    expected = probabilities[kept][:, 1:4].max(axis=1) < probabilities[kept][:, 5:12].max(axis=1)
    assert found.labels.tolist() == expected[named].astype(int).tolist()


def test_labels_that_do_not_fit_one_text_are_read_in_several(model, tokenizer, picture):
    labels = [f"{'abcdefghij' * 4} {number}" for number in range(30)]
    texts = tokenizer.texts(labels)
    assert [position for text in texts for position in text.labels] == list(range(30))
    assert all(len(text.ids) <= 256 for text in texts)
    assert len(texts) == 5  # seven labels of 32 tokens and a full stop, [CLS] and [SEP]
    detector = GroundingDinoDetector(model, tokenizer, threshold=0.0, text_threshold=0.0)
    found = detector.detect([picture], labels)
    assert len(found[0].scores) == 5 * 20
    assert set(found[0].labels.tolist()) <= set(range(30))


@settings(deadline=None, max_examples=100)
@given(st.lists(st.text(max_size=80), min_size=1, max_size=40))
def test_any_labels_keep_their_spans(labels):
    tokenizer = PhraseTokenizer.letters_only()
    seen = []
    for text in tokenizer.texts(labels):
        assert len(text.ids) <= 256
        assert (text.ids[0], text.ids[-1]) == (101, 102)
        for position, (first, last) in zip(text.labels, text.spans, strict=True):
            assert list(text.ids[first:last]) == tokenizer.phrase(labels[position])[:32]
            assert text.ids[last] == 1012
            assert last > first
            seen.append(position)
    assert seen == list(range(len(labels)))


def test_full_stops_inside_a_label_do_not_end_it(tokenizer):
    assert tokenizer.phrase("St. Bernard?") == tokenizer.phrase("st  bernard")
    assert tokenizer.phrase("...") == [100]
    assert 1012 not in tokenizer.phrase("a.b.c")


@pytest.mark.parametrize("size", [(1, 1), (2, 300), (5, 3000)])
def test_pictures_of_any_shape(model, tokenizer, size):
    detector = GroundingDinoDetector(model, tokenizer, threshold=0.0, text_threshold=0.0)
    found = detector.detect([np.full((*size, 3), 99, dtype=np.uint8)], ["dog"])[0]
    assert found.finite
    assert (found.corners <= 2.0 * max(size)).all()


def test_a_published_folder(model, tokenizer, tmp_path, picture):
    model.save_pretrained(tmp_path)
    runtime = Runtime(weights=WeightFiles(tmp_path))
    with pytest.raises(WeightsMissing, match=r"no tokenizer\.json"):
        load_detector("grounding_dino_tiny", runtime)
    tokenizer.save(tmp_path / "tokenizer.json")
    found = load_detector("grounding_dino_tiny", runtime).detect([picture], LABELS)[0]
    expected = GroundingDinoDetector(model, tokenizer).detect([picture], LABELS)[0]
    assert (found.corners == expected.corners).all()
    assert (found.scores == expected.scores).all()


def test_a_broken_network_is_not_an_empty_picture(model, tokenizer, picture):
    broken = random_grounding_dino(model.config, seed=1)
    broken.bbox_embed[0].layers[-1].bias.data.fill_(torch.nan)
    assert not GroundingDinoDetector(broken, tokenizer).detect([picture], LABELS)[0].finite


@pytest.mark.parametrize(
    ("name", "size"), [("grounding_dino_tiny", 689e6), ("grounding_dino_base", 933_400_776)]
)
def test_the_full_sizes_are_the_published_ones(name, size):
    """What the hub lists for model.safetensors: parameters, each once, and the windows' indices."""
    with torch.device("meta"):
        network = transformers.GroundingDinoForObjectDetection(grounding_dino_configuration(SWIN[name]))
    indices = [v for k, v in network.named_buffers() if k.endswith("relative_position_index")]
    assert indices
    total = sum(v.numel() * v.element_size() for v in (*network.parameters(), *indices))
    assert total == pytest.approx(size, rel=1e-3)
    assert WEIGHTS[name].size == pytest.approx(size, rel=2e-3)
