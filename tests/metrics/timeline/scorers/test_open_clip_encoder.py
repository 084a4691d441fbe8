"""open_clip models as scorers: the default at full size, others by name."""

from __future__ import annotations

import logging

import numpy as np
import open_clip
import pytest
import skimage.data
import torch
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image
from safetensors.torch import save_file
from weight_files import WeightFiles

from ipvg_eval.metrics.errors import ProtocolError, WeightsMissing
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.timeline.evaluator import TimelineAlignment, TimelineAlignmentOptions, neutral_text
from ipvg_eval.metrics.timeline.scorers.open_clip_encoder import OpenClipEncoder, weight_name
from ipvg_eval.metrics.timeline.scorers.text_video_scorer import EmbeddingScorer
from ipvg_eval.metrics.weights import RandomWeights

SMALL = "PE-Core-T-16-384"


@pytest.fixture(scope="module")
def small():
    return OpenClipEncoder(SMALL, Runtime(weights=RandomWeights(), batch_size=2))


@pytest.fixture(scope="module")
def picture():
    return skimage.data.astronaut()[40:280, :416]


def test_the_default_model_runs_at_full_size(film):
    """PE-Core-L-14-336 with seeded random weights, through the evaluator."""
    evaluator = TimelineAlignment(
        TimelineAlignmentOptions(rate=1.0), Runtime(weights=RandomWeights(), batch_size=2)
    )
    assert evaluator.weights == {"pe_core_l_14_336": "random:0"}
    assert TimelineAlignment.required_weights(TimelineAlignmentOptions()) == ("pe_core_l_14_336",)
    network = evaluator._scorer._encoder._network
    assert network.visual.image_size == (336, 336)
    assert len(network.visual.trunk.blocks) == len(network.text.transformer.resblocks) == 24
    found = film(("An astronaut poses", 1), ("An officer poses", 1)).measure(
        evaluator, "0-1s: [she poses]; 1-2s: [an entirely different person salutes the flag]"
    )
    assert found["timeline_con"].features.rows.shape == (2, 1024)
    assert -1 <= found["timeline_clip_t"].value <= 1
    assert 0 <= found["timeline_sem"].value <= 1
    assert all((m.value is None) == (m.reason is not None) for m in found.values())


def test_frames_are_prepared_as_the_published_weights_ask(small, picture):
    """PE-Core: squashed to 384 x 384 by bilinear resampling, mean and deviation 0.5."""
    settings = PreprocessCfg(
        size=(384, 384), mean=(0.5,) * 3, std=(0.5,) * 3, interpolation="bilinear", resize_mode="squash"
    )
    expected = image_transform_v2(settings, is_train=False)(Image.fromarray(picture)).numpy()
    assert (small._input([small.prepare(picture)])[0].numpy() == expected).all()
    assert expected.shape == (3, 384, 384)


def test_embeddings_are_those_of_open_clip(small, picture):
    network = small._network
    pixels = small._input([small.prepare(picture)])
    tokens = open_clip.get_tokenizer(SMALL)(["she waves"])
    with torch.inference_mode():
        image, text = network.encode_image(pixels), network.encode_text(tokens)
    assert small.images([small.prepare(picture)]) == pytest.approx(image.numpy(), rel=1e-4, abs=1e-9)
    assert small.texts(["she waves"]) == pytest.approx(text.numpy(), rel=1e-4, abs=1e-9)


def test_weights_come_from_a_local_file(small, picture, tmp_path):
    """Seed 1 would give other values than the file, which holds those of seed 0."""
    path = tmp_path / "weights.safetensors"
    save_file(small._network.state_dict(), path)
    loaded = OpenClipEncoder(SMALL, Runtime(weights=WeightFiles(path)))
    assert loaded.weights == {"pe_core_t_16_384": "hash of pe_core_t_16_384"}
    pixels = [small.prepare(picture)]
    assert (loaded.images(pixels) == small.images(pixels)).all()
    other = OpenClipEncoder(SMALL, Runtime(weights=RandomWeights(1)))
    assert not np.allclose(other.images(pixels), small.images(pixels), rtol=0.1, atol=0)
    path.write_bytes(b"not weights")
    with pytest.raises(WeightsMissing, match="not the checkpoint of open_clip"):
        OpenClipEncoder(SMALL, Runtime(weights=WeightFiles(path)))


def test_long_texts_are_cut_and_said_to_be(small, caplog):
    short, long = "she waves", "she waves and " * 20
    assert small.context == 32
    assert not small.cut_off(short)
    assert small.cut_off(long)
    with caplog.at_level(logging.WARNING):
        rows = small.texts([long])
    assert "more than 32 tokens" in caplog.text
    assert (rows == small.texts([long + "then sits down"])).all()


@pytest.mark.parametrize(("model", "context"), [(SMALL, 32), ("ViT-S-32", 77)])
def test_rows_say_that_an_action_was_cut(film, model, context):
    """PE-Core's small model, and one that reads CLIP's 77 tokens."""
    encoder = OpenClipEncoder(model, Runtime(weights=RandomWeights()))
    assert encoder.context == context
    options = TimelineAlignmentOptions(model=model, rate=1.0, version=1)
    evaluator = TimelineAlignment(options, Runtime(), scorer=EmbeddingScorer(encoder, 2))
    one = film(("An astronaut poses", 1), ("An officer poses", 1))
    fits = "a " * (context - 2)  # and a token for the start and one for the end
    whole = one.measure(evaluator, f"0-1s: [she poses]; 1-2s: [{fits}]")
    assert "were cut" not in (whole["timeline_miou"].note or "")
    cut = one.measure(evaluator, f"0-1s: [she poses]; 1-2s: [{fits} man]")
    for name in ("timeline_miou", "timeline_clip_t", "timeline_tim"):
        assert "1 of 2 actions were longer than the scorer reads and were cut" in cut[name].note


def test_windows_are_means_of_cosines(small, picture):
    scorer = EmbeddingScorer(small, 2)
    viewing = scorer.view()
    for i, frame in enumerate((picture, picture[:, ::-1], picture[::-1])):
        viewing.add(i, np.ascontiguousarray(frame))
    footage = viewing.finish()
    weights = np.array([[1, 0, 0], [0, 0, 1], [1, 0, 3], [0, 0, 0]], dtype=float)
    found = footage.similarity(weights, ["she waves", "she sits"])
    assert found.shape == (2, 4)
    assert found[:, 2] == pytest.approx((found[:, 0] + 3 * found[:, 1]) / 4)
    assert np.isnan(found[:, 3]).all()
    units = footage.features / np.linalg.norm(footage.features, axis=1, keepdims=True)
    text = small.texts(["she sits"])[0]
    assert found[1, 0] == pytest.approx(units[0] @ text / np.linalg.norm(text), abs=1e-6)
    assert scorer.text_cosines(["she sits", "she sits"]) == pytest.approx(np.ones((2, 2)))


def test_unknown_models_and_missing_weights_are_refused():
    with pytest.raises(ProtocolError, match="no model 'PE-Core-L'") as raised:
        OpenClipEncoder("PE-Core-L", Runtime(weights=RandomWeights()))
    assert "PE-Core-" in (raised.value.hint or "")
    with pytest.raises(ProtocolError, match="not supported"):
        OpenClipEncoder("coca_ViT-B-32", Runtime(weights=RandomWeights()))
    with pytest.raises(WeightsMissing):
        OpenClipEncoder(SMALL, Runtime())


def test_names_of_weights_and_neutral_texts(labelled):
    assert weight_name("ViT-L-14") == "vit_l_14"
    assert neutral_text(labelled("man", "dog", "man")) == "man and dog, no particular action"
    assert neutral_text(labelled(None)) == "someone or something, no particular action"
