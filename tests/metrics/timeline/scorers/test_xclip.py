"""X-CLIP as a scorer: the model's own forward pass on clips of eight frames."""

from __future__ import annotations

import json

import numpy as np
import open_clip
import pytest
import skimage.data
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError
from safetensors.torch import load_file, save_file
from transformers import VideoMAEImageProcessorPil, XCLIPConfig, XCLIPModel
from weight_files import WeightFiles

from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.snapshots import random_network
from ipvg_eval.metrics.timeline.distractors import distractors_for
from ipvg_eval.metrics.timeline.evaluator import TimelineAlignment, TimelineAlignmentOptions
from ipvg_eval.metrics.timeline.frame_sampling import clip_columns
from ipvg_eval.metrics.timeline.scorers.xclip.checkpoint import PixelRules
from ipvg_eval.metrics.timeline.scorers.xclip.network import XClip
from ipvg_eval.metrics.timeline.scorers.xclip.scorer import XClipScorer
from ipvg_eval.metrics.weights import WEIGHTS, RandomWeights

TEXTS = ["she waves", "a dog runs across the field and then sits down"]
SMALL = {
    "text_config": {
        "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
    },
    "vision_config": {
        "hidden_size": 48, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
        "mit_hidden_size": 32, "mit_intermediate_size": 48, "mit_num_attention_heads": 4,
    },
    "projection_dim": 32,
    "prompt_num_attention_heads": 4,
}  # fmt: skip


@pytest.fixture(scope="module")
def pictures():
    """Ten different frames of one size."""
    astronaut, coffee = skimage.data.astronaut()[40:281, :417], skimage.data.coffee()[:241, :417]
    return [np.ascontiguousarray(np.roll(p, 20 * k, axis=1)) for k in range(5) for p in (astronaut, coffee)]


@pytest.fixture(scope="module")
def small():
    network = random_network(XCLIPModel, XCLIPConfig(**SMALL), seed=3, dtype=torch.float32, device="cpu")
    return XClip(network, PixelRules())


def published(network, clip, texts):
    """Cosines by the library alone: its processor, a tokenizer of CLIP's vocabulary, its forward pass."""
    rules = PixelRules()
    processor = VideoMAEImageProcessorPil(image_mean=list(rules.mean), image_std=list(rules.std))
    pixels = processor([Image.fromarray(frame) for frame in clip], return_tensors="pt")["pixel_values"]
    with torch.inference_mode():
        output = network(input_ids=open_clip.get_tokenizer("ViT-B-32")(texts), pixel_values=pixels)
    return (output.logits_per_video / network.logit_scale.exp()).numpy()


def test_full_size_cosines_are_those_of_the_library(pictures):
    """Both models: parameters as published, cosines as transformers' own forward pass has them."""
    with torch.device("meta"):
        patch16 = XCLIPModel(XCLIPConfig(vision_config={"patch_size": 16}))
    assert sum(p.numel() for p in patch16.parameters()) == 194_929_153
    runtime = Runtime(weights=RandomWeights())
    ours = XClip.load("xclip-base-patch32", "xclip_base_patch32", runtime)
    assert sum(p.numel() for p in ours._network.parameters()) == 196_585_729
    found = ours.cosines([[ours.crop(frame) for frame in pictures[:8]]], TEXTS)
    assert found == pytest.approx(published(ours._network, pictures[:8], TEXTS), abs=1e-6)
    assert found[0, 0] != pytest.approx(found[0, 1], abs=1e-5)


def test_clips_and_texts_in_one_batch_are_those_of_the_library_one_by_one(small, pictures):
    clips = [pictures[:8], pictures[2:]]
    found = small.cosines([[small.crop(frame) for frame in clip] for clip in clips], TEXTS)
    for row, clip in zip(found, clips, strict=True):
        for value, text in zip(row, TEXTS, strict=True):
            assert value == pytest.approx(published(small._network, clip, [text])[0, 0], abs=1e-6)
    assert abs(found[0] - found[1]).max() > 1e-3


def test_texts_are_conditioned_on_the_video(small, pictures):
    """The cosine is not that of the text's own embedding with the video's."""
    crops = [small.crop(frame) for frame in pictures[:8]]
    with torch.inference_mode():
        video = small._network.get_video_features(pixel_values=small._pixels([crops])).pooler_output.numpy()[
            0
        ]
    text = small.texts(TEXTS)[0]
    plain = video @ text / np.linalg.norm(video) / np.linalg.norm(text)
    assert abs(small.cosines([crops], TEXTS)[0, 0] - plain) > 1e-4


def test_a_viewing_scores_stretches_by_their_clips(small, pictures):
    scorer = XClipScorer(small, weights={}, batch_size=24)
    viewing = scorer.view()
    for i, picture in enumerate(pictures[:4]):
        viewing.add(10 * i, picture.copy())
    footage = viewing.finish()
    assert footage.indices == (0, 10, 20, 30)
    weights = np.array([[1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 1, 3], [2, 2, 0, 0]], dtype=float)
    found = footage.similarity(weights, TEXTS)
    crops = [small.crop(frame) for frame in pictures[:4]]
    first, last = ([crops[i] for i in columns] for columns in ([0] * 4 + [1] * 4, [2] * 2 + [3] * 6))
    expected = small.cosines([first, last], TEXTS).T
    assert found[:, [0, 2]] == pytest.approx(expected, abs=1e-6)
    assert np.isnan(found[:, 1]).all()
    assert (found[:, 3] == found[:, 0]).all()
    again = footage.similarity(weights[[2]], ["a man", TEXTS[1], TEXTS[1]])
    assert again[1:] == pytest.approx(np.full((2, 1), found[1, 2]), abs=1e-6)
    assert footage.similarity(np.zeros((3, 4)), TEXTS).shape == (2, 3)


def test_every_different_clip_is_looked_at_once(small, pictures, monkeypatch):
    """Sixty windows over two frames hold few different clips; batches hold no more frames than allowed."""
    seen = []
    scorer = XClipScorer(small, weights={}, batch_size=16)
    viewing = scorer.view()
    for i in range(2):
        viewing.add(i, pictures[i])
    footage = viewing.finish()
    whole = small.conditioned_cosines

    def counted(clips, texts):
        seen.append(len(clips))
        return whole(clips, texts)

    monkeypatch.setattr(small, "conditioned_cosines", counted)
    shares = np.linspace(0, 1, 60)
    weights = np.stack([shares, 1 - shares], axis=1)
    footage.similarity(weights, TEXTS)
    assert sum(seen) == 9  # 0 to 8 frames of the first
    assert max(seen) <= 2
    footage.similarity(weights, TEXTS[::-1])
    assert sum(seen) == 9
    footage.similarity(weights[:1], ["another"])
    assert sum(seen) == 10


def test_texts_are_encoded_once_for_all_samples(small, pictures, monkeypatch):
    """What a text is without a video: learned with its list, or alone, and kept for the next video."""
    asked, encode = [], small.texts

    def counted(texts):
        asked.extend(texts)
        return encode(texts)

    monkeypatch.setattr(small, "texts", counted)
    scorer = XClipScorer(small, weights={}, batch_size=16)
    distractors = [f"someone does {number}" for number in range(40)]
    found = []
    for _sample in range(2):
        scorer.learn(distractors)
        scorer.text_cosines([*distractors, *TEXTS])
        viewing = scorer.view()
        for i in range(4):
            viewing.add(i, pictures[i])
        found.append(viewing.finish().similarity(np.eye(4), [*TEXTS, *distractors]))
    assert sorted(asked) == sorted([*distractors, *TEXTS])
    assert (found[0] == found[1]).all()
    crops = [[small.crop(picture)] * 8 for picture in pictures[:4]]
    assert found[0] == pytest.approx(small.cosines(crops, [*TEXTS, *distractors]).T, abs=1e-6)


@settings(deadline=None, max_examples=100)
@given(
    row=st.lists(st.integers(0, 20), min_size=1, max_size=12).filter(any),
    count=st.integers(1, 16),
)
def test_clips_are_evenly_spaced_in_time(row, count):
    """Against the definition, by walking through the stretch in small steps of time."""
    (columns,) = clip_columns(np.array([row], dtype=float), count)
    steps = 2 * count  # whole steps of 1 / (2 count) of a unit
    shown = [k for k, units in enumerate(row) for _ in range(units * steps)]
    moments = [(2 * i + 1) * sum(row) for i in range(count)]
    # A moment on a border may belong to either frame.
    for column, moment in zip(columns, moments, strict=True):
        assert column in {shown[max(moment - 1, 0)], shown[min(moment, len(shown) - 1)]}
    assert list(columns) == sorted(columns)


def test_frames_have_embeddings_of_their_own(small, pictures):
    """Ten frames: eight read together, then two with the last repeated; the projected class tokens."""
    viewing = XClipScorer(small, weights={}, batch_size=4).view()
    for i, picture in enumerate(pictures):
        viewing.add(i, picture)
    rows = viewing.finish().features
    assert rows.shape == (10, 32)
    crops = [small.crop(frame) for frame in pictures]
    for first, clip in ((0, crops[:8]), (8, [*crops[8:], *[crops[9]] * 6])):
        with torch.inference_mode():
            tokens = small._network.vision_model(pixel_values=small._pixels([clip])[0]).pooler_output
            expected = small._network.visual_projection(tokens).numpy()
        count = min(8, 10 - first)
        assert rows[first : first + count] == pytest.approx(expected[:count], abs=1e-6)


def test_long_texts_are_cut_and_said_to_be(small):
    scorer = XClipScorer(small, weights={}, batch_size=8)
    long = "she waves and " * 40
    assert not scorer.cut_off("she waves")
    assert scorer.cut_off(long)
    assert (small.texts([long]) == small.texts([long + "then sits"])).all()
    assert scorer.text_cosines(["a b", "a b"]) == pytest.approx(np.ones((2, 2)))


def test_rows_say_that_an_action_was_cut(film, small):
    evaluator = TimelineAlignment(
        TimelineAlignmentOptions(scorer="xclip", rate=2, version=1),
        Runtime(),
        scorer=XClipScorer(small, weights={}, batch_size=16),
    )
    one = film(("An astronaut poses", 2))
    fits = "a " * 75
    whole = one.measure(evaluator, f"0-1s: [she poses]; 1-2s: [{fits}]")
    assert "were cut" not in (whole["timeline_miou"].note or "")
    cut = one.measure(evaluator, f"0-1s: [she poses]; 1-2s: [{fits} man]")
    for name in ("timeline_miou", "timeline_clip_t", "timeline_tim"):
        assert "1 of 2 actions were longer than the scorer reads and were cut" in cut[name].note


def test_labels_in_chinese_are_texts_like_others(small, labelled):
    scorer = XClipScorer(small, weights={}, batch_size=8)
    found = distractors_for(labelled("男人"), ["男人挥手"], scorer)
    assert found.texts[0].startswith("男人 is ")
    assert found.cut == 0
    assert len(found.texts) + found.left_out > 200


def test_a_snapshot_folder_is_loaded_with_its_pixel_rules(tmp_path, pictures, small):
    small._network.save_pretrained(tmp_path)
    rules = {"image_mean": [0.1, 0.2, 0.3], "image_std": [0.4, 0.5, 0.6], "resample": 2, "size": 224}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(rules))
    runtime = Runtime(weights=WeightFiles(tmp_path))
    scorer = XClipScorer.load("xclip-base-patch32", "xclip_base_patch32", runtime)
    assert scorer.weights == {"xclip_base_patch32": "hash of xclip_base_patch32"}
    loaded = scorer._network
    crops = [loaded.crop(frame) for frame in pictures[:8]]
    assert (loaded.texts(TEXTS) == small.texts(TEXTS)).all()
    assert abs(loaded.cosines([crops], TEXTS) - small.cosines([crops], TEXTS)).max() > 1e-4
    loaded._mean, loaded._std = small._mean, small._std
    assert (loaded.cosines([crops], TEXTS) == small.cosines([crops], TEXTS)).all()
    (tmp_path / "preprocessor_config.json").write_text("{}")
    with pytest.raises(WeightsMissing, match="preprocessor_config"):
        XClipScorer.load("xclip-base-patch32", "xclip_base_patch32", runtime)
    tensors = load_file(tmp_path / "model.safetensors")
    tensors.pop("visual_projection.weight")
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(WeightsMissing, match="lacks visual_projection"):
        XClipScorer.load("xclip-base-patch32", "xclip_base_patch32", runtime)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(WeightsMissing, match="cannot be loaded"):
        XClipScorer.load("xclip-base-patch32", "xclip_base_patch32", runtime)


def test_random_weights_follow_the_seed():
    def make(seed):
        return random_network(XCLIPModel, XCLIPConfig(**SMALL), seed=seed, dtype=torch.float32, device="cpu")

    before = torch.random.get_rng_state()
    first, again, other = (make(seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(before, torch.random.get_rng_state())
    assert all(torch.equal(tensor, again[name]) for name, tensor in first.items())
    assert not torch.equal(first["mit.position_embedding"], other["mit.position_embedding"])


def test_a_film_is_judged_end_to_end(film, small):
    evaluator = TimelineAlignment(
        TimelineAlignmentOptions(scorer="xclip"),
        Runtime(),
        scorer=XClipScorer(small, weights={"xclip_base_patch32": "x"}, batch_size=16),
    )
    one = film(("An astronaut poses", 1), ("Coffee is served", 1))
    found = one.measure(evaluator, "0-1s: [an astronaut poses]; 1-2s: [a cup of coffee is served]")
    assert found["timeline_con"].features.rows.shape == (16, 32)
    assert -1 <= found["timeline_clip_t"].value <= 1
    assert found["timeline_events"].value == 2
    at_once = one.measure(
        evaluator, "0-1s: [an astronaut poses]; 1-2s: [a cup of coffee is served]", batch=99
    )
    assert {n: m.value for n, m in found.items()} == {n: m.value for n, m in at_once.items()}
    nothing = one.measure(evaluator, "0-2s: [an astronaut poses]", lost=lambda _: True)
    assert {m.reason for m in nothing.values()} == {"no frame could be read"}


def test_output_that_is_not_finite_is_missing(film):
    """The frames' own embeddings are sound; only what the texts are compared with is not."""
    network = random_network(XCLIPModel, XCLIPConfig(**SMALL), seed=3, dtype=torch.float32, device="cpu")
    network.prompts_generator.alpha.fill_(torch.nan)
    scorer = XClipScorer(XClip(network, PixelRules()), weights={}, batch_size=16)
    options = TimelineAlignmentOptions(scorer="xclip", rate=2)
    evaluator = TimelineAlignment(options, Runtime(), scorer=scorer)
    found = film(("An astronaut poses", 2)).measure(evaluator, "0-1s: [she poses]; 1-2s: [she walks away]")
    assert {m.reason for m in found.values()} == {"the network's output is not finite"}


def test_models_are_chosen_by_name():
    options = TimelineAlignmentOptions(scorer="xclip")
    assert options.frames_per_second == 8
    assert TimelineAlignmentOptions().frames_per_second == 4
    assert TimelineAlignmentOptions(scorer="xclip", rate=2).frames_per_second == 2
    assert TimelineAlignment.required_weights(options) == ("xclip_base_patch32",)
    other = TimelineAlignmentOptions(scorer="xclip", model="xclip-base-patch16")
    assert TimelineAlignment.required_weights(other) == ("xclip_base_patch16",)
    assert {"xclip_base_patch32", "xclip_base_patch16"} <= set(WEIGHTS)
    specs = {spec.name: spec for spec in TimelineAlignment.specs_for(other)}
    assert specs["timeline_miou"].licence == "X-CLIP weights: MIT (Microsoft)"
    assert specs["timeline_miou"].weights == ("xclip_base_patch16",)
    assert specs["timeline_events"].weights == ()
    with pytest.raises(ValidationError, match="no X-CLIP model 'xclip-base-patch8'"):
        TimelineAlignmentOptions(scorer="xclip", model="xclip-base-patch8")
