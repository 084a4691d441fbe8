"""VideoScore against the published class and script, and as columns of the timeline evaluator."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file
from transformers import Idefics2ForConditionalGeneration
from weight_files import WeightFiles

from ipvg_eval.core.measurement import ClipInfo
from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.target import Reference, Target
from ipvg_eval.metrics.timeline.evaluator import TimelineAlignment, TimelineAlignmentOptions
from ipvg_eval.metrics.timeline.scorers.prototype_encoder import PrototypeEncoder
from ipvg_eval.metrics.timeline.scorers.text_video_scorer import EmbeddingScorer
from ipvg_eval.metrics.timeline.video_score import checkpoint
from ipvg_eval.metrics.timeline.video_score.network import VideoScore, _bytes_only
from ipvg_eval.metrics.timeline.video_score.passes import VideoScorePass, video_score_frames
from ipvg_eval.metrics.timeline.video_score.query import IMAGE, query
from ipvg_eval.metrics.timeline.video_score.spec import VIDEO_SCORES
from ipvg_eval.metrics.weights import WEIGHTS, RandomWeights

GOLDEN = Path(__file__).resolve().parents[3] / "golden" / "video_score"
NAMES = [spec.name for spec in VIDEO_SCORES]
A, B = "An astronaut poses", "An officer poses"


@pytest.fixture(scope="module")
def maker():
    """The maker of the small snapshot, which is also the golden arrays' maker's."""
    spec = importlib.util.spec_from_file_location("small_video_score", GOLDEN / "small_snapshot.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def golden():
    """Scores and token ids by Mantis's class and VideoScore's script; made by make.py beside the file."""
    with np.load(GOLDEN / "golden.npz") as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def snapshot(maker, tmp_path_factory):
    return maker.write(tmp_path_factory.mktemp("video_score"))


@pytest.fixture(scope="module")
def network(snapshot):
    return VideoScore.load(Runtime(weights=WeightFiles(snapshot)), dtype=torch.float32)


def scored(network, maker, video):
    frames = [network.shrink(frame) for frame in maker.frames(video)]
    return network.scores(frames, maker.PROMPTS[video])


@pytest.mark.parametrize("video", [0, 1])
def test_scores_are_those_of_the_published_class(network, maker, golden, video):
    """From the pixels on: resize, patches, vision tower, resampler, prompt, text tower, head."""
    np.testing.assert_allclose(scored(network, maker, video), golden[f"scores_{video}"], atol=3e-6)
    assert np.ptp(golden[f"scores_{video}"]) > 0.5


@pytest.mark.parametrize("video", [0, 1])
def test_tokens_are_those_of_the_published_script(network, maker, golden, video):
    text = query(maker.PROMPTS[video], frames=maker.FRAMES, tokens_per_frame=maker.LATENTS)
    assert network._tokenizer.encode(text).ids == golden[f"ids_{video}"].tolist()


def test_the_prompt_is_the_published_one(golden):
    """Every character; the published string has its place for the prompt in braces."""
    ours = query("{text_prompt}", frames=0, tokens_per_frame=64)
    assert hashlib.sha256(ours.encode()).hexdigest() == str(golden["prompt_sha256"])


def test_a_prompt_of_any_length_is_read_whole():
    """Whatever the tokenizer's file says of truncation."""
    tokenizer = _bytes_only()
    tokenizer.enable_truncation(10)
    model = SimpleNamespace(config=SimpleNamespace(image_token_id=tokenizer.token_to_id(IMAGE)))
    whole = VideoScore(model, None, processor=None, tokenizer=tokenizer, weights={})
    text = query("x" * 5000, frames=1, tokens_per_frame=2)
    assert len(whole._tokenizer.encode(text).ids) > 5000


def test_bfloat16_stays_near(snapshot, maker, golden):
    rough = VideoScore.load(Runtime(weights=WeightFiles(snapshot)))
    assert rough._head.weight.dtype == rough._network.dtype == torch.bfloat16
    assert scored(rough, maker, 0) == pytest.approx(golden["scores_0"], abs=0.1)
    assert rough.weights == {"video_score": "hash of video_score"}


def test_sharded_snapshots_load(maker, golden, tmp_path):
    """The head lies in another shard than most of the network."""
    maker.write(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    (tmp_path / "model.safetensors").unlink()
    names = {"model-00001-of-00002.safetensors": [], "model-00002-of-00002.safetensors": []}
    for name in tensors:
        names[f"model-0000{2 if 'text_model' in name or 'score' in name else 1}-of-00002.safetensors"].append(
            name
        )
    for file, held in names.items():
        save_file({name: tensors[name] for name in held}, tmp_path / file, metadata={"format": "pt"})
    index = {"metadata": {}, "weight_map": {name: file for file, held in names.items() for name in held}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    network = VideoScore.load(Runtime(weights=WeightFiles(tmp_path)), dtype=torch.float32)
    np.testing.assert_allclose(scored(network, maker, 0), golden["scores_0"], atol=3e-6)


def _without(folder, *gone):
    tensors = load_file(folder / "model.safetensors")
    kept = {name: value for name, value in tensors.items() if name not in gone}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})


def _three_scores(folder):
    tensors = load_file(folder / "model.safetensors")
    tensors |= {name: tensors[name][:3] for name in ("score.weight", "score.bias")}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def _splitting(folder):
    path = folder / "preprocessor_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"do_image_splitting": True}))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: _without(folder, "score.bias"), "lacks score.bias"),
        (lambda folder: _without(folder, "model.text_model.norm.weight"), "lacks text_model.norm"),
        (_three_scores, r"head is \(3, 64\)"),
        (_splitting, "splits pictures"),
        (lambda folder: (folder / "preprocessor_config.json").unlink(), "preprocessor_config"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "no tokenizer.json"),
        (lambda folder: (folder / "model.safetensors").unlink(), "cannot be loaded"),
    ],
)
def test_unusable_snapshots_are_refused(maker, tmp_path, damage, message):
    maker.write(tmp_path)
    damage(tmp_path)
    with pytest.raises(WeightsMissing, match=message):
        VideoScore.load(Runtime(weights=WeightFiles(tmp_path)))


def test_another_models_tokenizer_is_refused(network):
    with pytest.raises(WeightsMissing, match="image token"):
        VideoScore(network._network, network._head, processor=None, tokenizer=_bytes_only(), weights={})


def test_the_full_size_is_that_of_idefics2_8b():
    """Built without memory: 8.4 thousand million parameters with its language head, as it is published."""
    with torch.device("meta"):
        whole = Idefics2ForConditionalGeneration(checkpoint.full_size())
    assert round(sum(p.numel() for p in whole.parameters()) / 1e9, 1) == 8.4
    assert whole.config.image_token_id == 32001
    assert whole.model.vision_model.embeddings.num_patches_per_side == 70
    assert whole.model.connector.perceiver_resampler.latents.shape == (64, 4096)


def test_random_weights_run_the_same_path(maker, monkeypatch):
    """The architecture's own configuration class at a small size; the tokenizer needs 32,002 ids."""
    small = {
        "_VISION": {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1,
                    "num_attention_heads": 2, "image_size": 98, "patch_size": 14},
        "_TEXT": {"model_type": "mistral", "hidden_size": 32, "intermediate_size": 32, "vocab_size": 32003,
                  "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1,
                  "pad_token_id": 0},
        "_RESAMPLER": {"hidden_size": 32, "resampler_n_latents": 64, "resampler_depth": 1,
                       "resampler_n_heads": 2, "resampler_head_dim": 8, "num_key_value_heads": 1},
    }  # fmt: skip
    for name, value in small.items():
        monkeypatch.setattr(checkpoint, name, value)
    found = [scored(VideoScore.load(Runtime(weights=RandomWeights(s))), maker, 0) for s in (0, 0, 1)]
    assert np.isfinite(found).all()
    assert (found[0] == found[1]).all()
    assert (found[0] != found[2]).any()


@settings(deadline=None)
@given(count=st.integers(0, 5000), limit=st.integers(1, 40))
def test_the_frames_it_sees_are_the_published_ones(count, limit):
    """The script's own expression, for 16 frames at most."""
    most = min(limit, 16)
    published = np.arange(0, count, count / 16).astype(int) if count > 16 else np.arange(count)
    found = video_score_frames(count, limit)
    if most == 16:
        assert list(found) == published.tolist()
    assert len(found) == min(count, most)
    assert list(found) == sorted(set(found))
    assert all(0 <= index < count for index in found)


@pytest.fixture(scope="module")
def evaluator(examples, network):
    return TimelineAlignment(
        TimelineAlignmentOptions(scorer="prototypes", video_score=True, examples=Path("unused")),
        Runtime(),
        scorer=EmbeddingScorer(PrototypeEncoder(examples), 8),
        video_score=network,
    )


@pytest.fixture
def target():
    def make(prompt: str, timeline: str | None = f"0-1s: [{A}]; 1-2s: [{B}]") -> Target:
        reference = Reference(path=Path("unused.png"))
        return Target(sample_id="s", references=(reference,), prompt=prompt, timeline=timeline)

    return make


def watch(evaluator, scenes, target, *, lost=()):
    """Half a second each of two scenes at 16 frames per second, straight from memory."""
    frames = np.concatenate([scenes[A][:16], scenes[B][:16]])
    times = tuple(i / 16 for i in range(32))
    clip = ClipInfo(frame_count=32, width=320, height=240, fps=16.0, duration=2.0, times=times)
    looking = evaluator.start(target, clip)
    for index in evaluator.frames(clip):
        if index not in lost:
            looking.add([index], frames[index][None])
    found = looking.finish()
    assert [m.name for m in found] == [spec.name for spec in evaluator.specs]
    return frames, {m.name: m for m in found}


def test_columns_stand_behind_the_timelines(evaluator, scenes, target, network):
    frames, found = watch(evaluator, scenes, target("Two people pose."))
    expected = network.scores([network.shrink(frames[i]) for i in range(0, 32, 2)], "Two people pose.")
    assert [found[name].value for name in NAMES] == pytest.approx(expected.tolist())
    assert found["timeline_tim"].value is not None
    assert "timeline_con" in found
    assert len(found["timeline_con"].features.indices) == 8
    assert evaluator.weights == {"video_score": "hash of video_score"}


def test_without_a_timeline_the_video_is_still_scored(evaluator, scenes, target):
    _, found = watch(evaluator, scenes, target("Two people pose.", timeline=None))
    assert found["timeline_tim"].reason == "the sample has no timeline"
    assert all(found[name].value is not None for name in NAMES)


def test_lost_frames_are_told(evaluator, scenes, target):
    _, found = watch(evaluator, scenes, target("Two people pose."), lost=set(range(20, 32)))
    assert found[NAMES[0]].note == "10 of 16 frames could be read"
    _, nothing = watch(evaluator, scenes, target("Two people pose."), lost=set(range(32)))
    assert {nothing[name].reason for name in NAMES} == {"no frame could be read"}


@pytest.mark.parametrize(
    ("prompt", "reason"),
    [
        (" ", "the prompt is empty"),
        ("a man <image> waves", "the prompt holds text that VideoScore reads as a frame"),
    ],
)
def test_prompts_that_cannot_be_asked_are_missing(evaluator, scenes, target, prompt, reason):
    _, found = watch(evaluator, scenes, target(prompt))
    assert {found[name].reason for name in NAMES} == {reason}
    assert found["timeline_tim"].value is not None


def test_output_that_is_not_finite_is_missing(snapshot, maker):
    broken = VideoScore.load(Runtime(weights=WeightFiles(snapshot)))
    broken._head.bias.fill_(torch.nan)
    scoring = VideoScorePass(broken, prompt="She waves.", wanted=(0,))
    scoring.add(0, maker.frames(0)[0])
    assert {m.reason for m in scoring.finish()} == {"VideoScore's output is not finite"}


def test_the_frame_limit_bounds_everything(examples, network, scenes, target):
    few = TimelineAlignment(
        TimelineAlignmentOptions(scorer="prototypes", video_score=True, frame_limit=2),
        Runtime(),
        scorer=EmbeddingScorer(PrototypeEncoder(examples), 8),
        video_score=network,
    )
    frames, found = watch(few, scenes, target("Two people pose."))
    expected = network.scores([network.shrink(frames[i]) for i in (0, 16)], "Two people pose.")
    assert [found[name].value for name in NAMES] == pytest.approx(expected.tolist())
    assert len(found["timeline_con"].features.indices) == 2


def test_the_columns_are_optional():
    plain, scored_too = (TimelineAlignmentOptions(video_score=on) for on in (False, True))
    assert not {spec.name for spec in TimelineAlignment.specs_for(plain)} & set(NAMES)
    assert [spec.name for spec in TimelineAlignment.specs_for(scored_too)][-5:] == NAMES
    assert TimelineAlignment.required_weights(plain) == ("pe_core_l_14_336",)
    assert TimelineAlignment.required_weights(scored_too) == ("pe_core_l_14_336", "video_score")
    assert set(WEIGHTS["video_score"].used_by) == set(NAMES)
