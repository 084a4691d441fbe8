"""CLIPScore end to end, against the published procedures carried out with transformers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import ValidationError
from transformers import CLIPImageProcessorPil

from ipvg_eval.metrics.clip.encoder import ClipEncoder
from ipvg_eval.metrics.clip.evaluator import ClipScore
from ipvg_eval.metrics.rescoring import Kept, KeptMissing

SHORT = "A man in an orange space suit smiles."
LONG = "The astronaut, dressed in a bulky white space suit, floated weightlessly through the station. " * 8


@pytest.fixture(scope="module")
def b32(networks):
    """Evaluators on B/32 share the network that was built once."""
    return ClipEncoder(networks["clip_vit_b32"], device="cpu", dtype="float32")


@pytest.fixture
def evaluator(b32, runtime, monkeypatch):
    """Builds an evaluator; skips only the repeated construction of the same random network."""

    def make(**options):
        with monkeypatch.context() as patch:
            patch.setattr("ipvg_eval.metrics.clip.evaluator.ClipEncoder.load", lambda *_: b32)
            return ClipScore(ClipScore.Options(**({"model": "clip_vit_b32"} | options)), runtime)

    return make


def run(evaluator, target, clip, frames, *, step=None, keep=None):
    wanted = [i for i in evaluator.frames(clip) if keep is None or i in keep]
    measuring = evaluator.start(target, clip)
    step = step or max(1, len(wanted))
    for begin in range(0, len(wanted), step):
        indices = wanted[begin : begin + step]
        measuring.add(indices, frames[indices])
    return {m.name: m for m in measuring.finish()}


def test_the_consisid_procedure(evaluator, transformers_model, hugging_face_tokenizer, frames, target, clip):
    """Frames floor(i N / k) of BGR pixels; mean of logits_per_image."""
    options = {"sampling": "floor", "frame_count": 8, "colour": "bgr", "scale": "logit"}
    found = run(evaluator(**options), target(LONG), clip(7), frames)["clip_score"]
    named = [int(i * 7 / 8) for i in range(8)]
    pixels = CLIPImageProcessorPil()(images=[frames[i][..., ::-1] for i in named], return_tensors="pt")
    text = hugging_face_tokenizer([LONG], truncation=True, max_length=77, return_tensors="pt")
    with torch.no_grad():
        logits = transformers_model("clip_vit_b32")(**pixels, **text).logits_per_image
    assert found.value == pytest.approx(logits.mean().item(), abs=1e-4)
    assert "swapped" in found.note
    assert "cut to 77" in found.note


def test_the_tpige_procedure(evaluator, transformers_model, hugging_face_tokenizer, frames, target, clip):
    """All frames of a short video, RGB; mean cosine."""
    found = run(evaluator(), target(SHORT), clip(7), frames)
    pixels = CLIPImageProcessorPil()(images=[Image.fromarray(f) for f in frames], return_tensors="pt")
    text = hugging_face_tokenizer([SHORT], truncation=True, max_length=77, return_tensors="pt")
    with torch.no_grad():
        output = transformers_model("clip_vit_b32")(**pixels, **text)
    cosines = (output.image_embeds @ output.text_embeds.T)[:, 0].numpy()
    score = found["clip_score"]
    assert score.value == pytest.approx(float(np.mean(cosines)), abs=1e-6)
    np.testing.assert_allclose(score.per_frame.values, cosines, atol=1e-6)
    assert score.per_frame.indices == tuple(range(7))
    assert score.note is None
    assert found["clip_prompt_truncated"].value == 0.0
    assert found["clip_prompt_tokens"].value == len(text.input_ids[0])


def test_swapping_channels_twice_is_no_swap(evaluator, frames, target, clip):
    rgb = run(evaluator(), target(SHORT), clip(3), frames)["clip_score"].value
    bgr = run(evaluator(colour="bgr"), target(SHORT), clip(3), frames)["clip_score"].value
    back = run(evaluator(colour="bgr"), target(SHORT), clip(3), frames[..., ::-1])["clip_score"].value
    assert back == rgb
    assert bgr != rgb


@pytest.mark.parametrize("step", [1, 3])
def test_batching_changes_nothing(step, evaluator, frames, target, clip):
    made = evaluator(whole_prompt=True)
    whole = run(made, target(SHORT), clip(7), frames)
    parts = run(made, target(SHORT), clip(7), frames, step=step)
    for name, measurement in whole.items():
        assert parts[name].value == measurement.value
        assert parts[name].per_frame == measurement.per_frame


def test_a_long_prompt_is_read_whole_in_windows(evaluator, frames, target, clip):
    found = run(evaluator(whole_prompt=True), target(LONG), clip(3), frames)
    assert found["clip_prompt_truncated"].value == 1.0
    assert found["clip_score"].value != found["clip_score_long"].value
    assert found["clip_score_long"].note is None
    tokens = int(found["clip_prompt_tokens"].value)
    assert tokens > 77
    assert f"{tokens} tokens cut to 77" in found["clip_score"].note
    changed_end = LONG + "suddenly, a purple elephant appears"
    other = run(evaluator(whole_prompt=True), target(changed_end), clip(3), frames)
    assert other["clip_score"].value == found["clip_score"].value
    assert other["clip_score_long"].value != found["clip_score_long"].value


def test_a_short_prompt_scores_the_same_both_ways(evaluator, frames, target, clip):
    found = run(evaluator(whole_prompt=True), target(SHORT), clip(3), frames)
    assert found["clip_score"].value == found["clip_score_long"].value


def test_scores_follow_from_the_kept_features(evaluator, frames, target, clip):
    for measurement in run(evaluator(whole_prompt=True), target(LONG), clip(3), frames).values():
        if measurement.features is not None:
            kept = measurement.features
            again = kept.rows.astype(np.float64) @ kept.reference.astype(np.float64)
            assert again.mean() == pytest.approx(measurement.value, abs=1e-6)
            np.testing.assert_allclose(np.linalg.norm(kept.rows, axis=1), 1, atol=1e-6)


def test_frames_that_never_come_are_told(evaluator, frames, target, clip):
    found = run(evaluator(), target(SHORT), clip(3), frames, keep={0, 1})["clip_score"]
    assert found.note == "2 of 3 frames could be read"
    assert found.per_frame.indices == (0, 1)
    whole = run(evaluator(), target(SHORT), clip(3), frames)["clip_score"]
    # The two runs batch the frames differently, hence the tolerance.
    assert found.value == pytest.approx(np.mean(whole.per_frame.values[:2]), abs=1e-6)


def test_no_frames_and_no_prompt_are_missing_with_the_reason(evaluator, frames, target, clip):
    nothing = run(evaluator(), target(SHORT), clip(3), frames, keep=set())
    assert nothing["clip_score"].value is None
    assert nothing["clip_score"].reason == "no frame could be read"
    assert nothing["clip_prompt_tokens"].value is not None
    for measurement in run(evaluator(), target("  \n"), clip(3), frames).values():
        assert measurement.value is None
        assert measurement.reason == "the prompt is empty"
    assert evaluator().frames(clip(0)) == ()


def test_measurements_come_in_the_order_of_the_specs(evaluator, frames, target, clip):
    for options in ({}, {"whole_prompt": True}, {"scale": "logit"}):
        made = evaluator(**options)
        assert list(run(made, target(SHORT), clip(3), frames)) == [spec.name for spec in made.specs]
        assert {spec.name for spec in made.specs} <= {spec.name for spec in ClipScore.SPECS}


def test_options_are_strict_and_name_their_weights():
    with pytest.raises(ValidationError):
        ClipScore.Options(colours="bgr")
    with pytest.raises(ValidationError):
        ClipScore.Options(model="clip_vit_l14")
    assert ClipScore.required_weights(ClipScore.Options()) == ("clip_vit_b16",)


def test_random_networks_are_full_size_stamped_and_follow_the_seed(runtime, evaluator, frames, target, clip):
    shared = run(evaluator(frame_count=2), target(SHORT), clip(3), frames)["clip_score"].value
    options = ClipScore.Options(model="clip_vit_b32", frame_count=2)
    made = ClipScore(options, runtime)
    assert made.weights == {"clip_vit_b32": "random:0"}
    assert made.frames(clip(3)) == (0, 2)
    assert run(made, target(SHORT), clip(3), frames)["clip_score"].value == shared


def test_logits_are_recombined_into_cosines_but_not_back(evaluator, frames, target, clip):
    logit, cosine = ({"scale": scale, "whole_prompt": True} for scale in ("logit", "cosine"))
    kept = Kept(frame_count=7, measurements=run(evaluator(**logit), target(LONG), clip(7), frames))
    wanted, earlier = (ClipScore.Options(model="clip_vit_b32", **o) for o in (cosine, logit))
    for name, direct in run(evaluator(**cosine), target(LONG), clip(7), frames).items():
        assert ClipScore.cannot_rescore(name, wanted, earlier, list(kept.measurements)) is None
        found = ClipScore.rescore(name, wanted, earlier, kept)
        assert (found.value, found.note, found.per_frame) == (direct.value, direct.note, direct.per_frame)
    assert "logit scale" in ClipScore.cannot_rescore("clip_score", earlier, wanted, ["clip_score"])
    assert ClipScore.cannot_rescore("clip_prompt_tokens", earlier, wanted, ["clip_prompt_tokens"]) is None


def test_a_cosine_of_other_frames_or_of_the_whole_prompt_cannot_be_recombined():
    options, other = ClipScore.Options(), ClipScore.Options(colour="bgr", frame_count=16)
    why = ClipScore.cannot_rescore("clip_score", options, other, ["clip_score"])
    assert why == "frame_count 16 in the run, 32 wanted; colour 'bgr' in the run, 'rgb' wanted"
    whole = ClipScore.Options(whole_prompt=True)
    why = ClipScore.cannot_rescore("clip_score_long", whole, options, ["clip_score"])
    assert why == "the run did not measure clip_score_long"
    assert ClipScore.cannot_rescore("clip_score", options, whole, ["clip_score"]) is None


def test_embeddings_that_are_gone_are_missed(evaluator, frames, target, clip):
    found = run(evaluator(scale="logit"), target(SHORT), clip(7), frames)
    bare = {name: replace(measurement, features=None) for name, measurement in found.items()}
    logit, cosine = (ClipScore.Options(model="clip_vit_b32", scale=scale) for scale in ("logit", "cosine"))
    with pytest.raises(KeptMissing, match="embeddings of clip_score"):
        ClipScore.rescore("clip_score", cosine, logit, Kept(frame_count=7, measurements=bare))
