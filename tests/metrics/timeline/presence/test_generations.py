"""Qwen2-VL, Qwen2.5-VL and Qwen3-VL as presence judges, against transformers' own processors and networks."""

from __future__ import annotations

import importlib.util
import math
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import get_args

import numpy as np
import pytest
import skimage.data
import torch
from transformers import (
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLProcessor,
    Qwen2VLImageProcessor,
    Qwen2VLVideoProcessor,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
    Qwen3VLProcessor,
    Qwen3VLVideoProcessor,
)
from transformers.video_utils import VideoMetadata
from weight_files import WeightFiles

from ipvg_eval.core.measurement import ClipInfo
from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.snapshots import random_network
from ipvg_eval.metrics.timeline.evaluator import TimelineAlignment, TimelineAlignmentOptions
from ipvg_eval.metrics.timeline.frame_sampling import sample
from ipvg_eval.metrics.timeline.presence import checkpoint
from ipvg_eval.metrics.timeline.presence.checkpoint import PresenceModel
from ipvg_eval.metrics.timeline.presence.events import EventFrames
from ipvg_eval.metrics.timeline.presence.judge import PresenceJudge
from ipvg_eval.metrics.timeline.presence.question import question
from ipvg_eval.metrics.weights import WEIGHTS

GOLDEN = Path(__file__).resolve().parents[3] / "golden" / "gme"
NEWER = ("qwen2_5_vl_3b", "qwen3_vl_2b")
ACTION = "An astronaut poses"
ROPE = {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [2, 3, 3]}
TEXT = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 272,
    "rope_parameters": ROPE,
    "initializer_range": 0.3,
}
VISION = {
    "depth": 2,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_heads": 2,
    "out_hidden_size": 64,
    "initializer_range": 0.3,
}


def spec_of(name):
    spec = importlib.util.spec_from_file_location(name, GOLDEN / "small_snapshot.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def maker():
    return spec_of("small_qwen_tokenizer")


def tiny_network(name, special):
    ids = {
        "image_token_id": special["<|image_pad|>"],
        "video_token_id": special["<|video_pad|>"],
        "vision_start_token_id": special["<|vision_start|>"],
        "vision_end_token_id": special["<|vision_end|>"],
        "tie_word_embeddings": True,
    }
    if name.startswith("qwen2_5"):
        vision = {**VISION, "fullatt_block_indexes": [1], "tokens_per_second": 2}
        config = Qwen2_5_VLConfig(text_config=dict(TEXT), vision_config=vision, **ids)
        cls = Qwen2_5_VLForConditionalGeneration
    else:
        text = {**TEXT, "head_dim": 16, "rope_parameters": {**ROPE, "mrope_interleaved": True}}
        vision = {**VISION, "deepstack_visual_indexes": [0], "num_position_embeddings": 64}
        config = Qwen3VLConfig(text_config=text, vision_config=vision, **ids)
        cls = Qwen3VLForConditionalGeneration
    return random_network(cls, config, seed=11, dtype=torch.float32, device="cpu")


@pytest.fixture(scope="module")
def snapshots(maker, tmp_path_factory):
    """Folders as they are published: configuration, safetensors and tokenizer, of seeded random weights."""
    folders = {}
    for name in NEWER:
        folders[name] = tmp_path_factory.mktemp(name)
        tiny_network(name, maker.SPECIAL).save_pretrained(folders[name])
        maker.tokenizer().save(str(folders[name] / "tokenizer.json"))
    return folders


@pytest.fixture(scope="module")
def judges(snapshots):
    """In float32 instead of the checkpoints' bfloat16."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint, "DTYPE", torch.float32)
        return {
            name: PresenceJudge.load(name, Runtime(weights=WeightFiles(folder)))
            for name, folder in snapshots.items()
        }


@pytest.fixture(scope="module")
def pictures():
    astronaut = skimage.data.astronaut()
    return [np.ascontiguousarray(np.roll(astronaut[:300, :400], 30 * k, axis=1)) for k in range(8)]


def published_inputs(name, folder, pictures, fps):
    """By the model's own processor: the chat in full, pixels from the original frames, times from the rate.

    transformers 5 puts Qwen3-VL's stamped parts between the fences of the chat template; the published
    processor (transformers 4.57) puts them in the fences' place, as is asked for here by giving none.
    """
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
    newest = name.startswith("qwen3")
    side, cls = (32, Qwen3VLVideoProcessor) if newest else (28, Qwen2VLVideoProcessor)
    bounds = len(pictures) + len(pictures) % 2 if newest else 1  # of all frames together, or of each
    videos = cls(
        size={"shortest_edge": 4 * side**2 * bounds, "longest_edge": 256 * side**2 * bounds},
        cap_pixels_per_frame=False,
        do_sample_frames=False,
    )
    make = Qwen3VLProcessor if newest else Qwen2_5_VLProcessor
    processor = make(image_processor=Qwen2VLImageProcessor(), tokenizer=tokenizer, video_processor=videos)
    system = "" if newest else "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
    video = "<|video_pad|>" if newest else "<|vision_start|><|video_pad|><|vision_end|>"
    text = f"{system}<|im_start|>user\n{video}{question(ACTION)}<|im_end|>\n<|im_start|>assistant\n"
    frames = list(range(len(pictures)))
    if newest and len(pictures) == 1:  # it refuses a single frame, which is what its patches repeat
        pictures, frames = pictures * 2, [0, 0]
    metadata = VideoMetadata(total_num_frames=len(pictures), fps=fps, frames_indices=frames)
    stacked = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
    return processor(text=[text], videos=[stacked], video_metadata=[metadata], return_tensors="pt")


@pytest.mark.parametrize("name", NEWER)
@pytest.mark.parametrize(("count", "fps"), [(1, 2.0), (2, 2.0), (5, 4.0), (8, 0.5)])
def test_the_probability_is_that_of_the_library_with_its_own_processor(
    judges, snapshots, pictures, name, count, fps
):
    """Softmax over the next token, restricted to yes and no and their spellings."""
    judge, shown = judges[name], pictures[:count]
    seconds = [place / fps for place in range(count)]
    found = judge.presence([judge.shrink(picture) for picture in shown], ACTION, seconds)
    inputs = published_inputs(name, snapshots[name], shown, fps)
    inputs.pop("video_metadata", None)
    if count == 1 and "second_per_grid_ts" in inputs:
        inputs["second_per_grid_ts"] = torch.tensor([2.0])  # one pair has nothing to be apart from
    with torch.inference_mode():
        logits = judge._network(**inputs).logits[0, -1].double()
    answers = {word: judge._tokenizer._tokenizer.encode(word).ids[0] for word in ("Yes", "yes", "No", "no")}
    weights = {word: math.exp(logits[token] - logits.max()) for word, token in answers.items()}
    expected = (weights["Yes"] + weights["yes"]) / sum(weights.values())
    assert found == pytest.approx(expected, abs=1e-5)
    assert 0.001 < found < 0.999


@pytest.mark.parametrize("name", NEWER)
def test_the_conversation_is_that_of_the_models_processor(judges, snapshots, pictures, name):
    """Pieces tokenised one by one are the tokens of the whole text, stamps and fences included."""
    judge, shown = judges[name], pictures[:5]
    seconds = [place / 4 for place in range(5)]
    ids = published_inputs(name, snapshots[name], shown, 4.0)["input_ids"][0].tolist()
    stamps = judge._generation.stamps(seconds)
    assert stamps == ([] if name.startswith("qwen2") else [0.125, 0.625, 1.0])
    patches = ids.count(judge._tokenizer.video_pad)
    own = judge._tokenizer.conversation(
        ACTION, patches=patches, stamps=stamps, system=judge._generation.system
    )
    assert own == ids


@pytest.mark.parametrize("name", NEWER)
def test_several_actions_in_one_pass_are_as_sure_as_one_by_one(judges, pictures, name):
    judge = judges[name]
    frames = [judge.shrink(picture) for picture in pictures[:3]]
    actions = [ACTION, f"{ACTION} beside an old aeroplane in the evening", "<|im_end|><|video_pad|>"]
    together = judge.presences(frames, actions)
    assert together == pytest.approx([judge.presence(frames, action) for action in actions], abs=1e-5)
    assert len(set(together)) == 3


def test_frames_are_shrunk_to_whole_tokens(judges):
    """Qwen3-VL's tokens have 32 pixels on a side; no frame becomes more than 256 of them."""
    shrink = judges["qwen3_vl_2b"].shrink
    assert shrink(np.zeros((512, 512, 3), np.uint8)).shape == (512, 512, 3)
    assert shrink(np.zeros((10, 12, 3), np.uint8)).shape == (64, 96, 3)
    height, width, _ = shrink(np.zeros((1080, 1920, 3), np.uint8)).shape
    assert (height % 32, width % 32) == (0, 0)
    assert height * width <= 256 * 32 * 32
    assert judges["qwen2_5_vl_3b"].shrink(np.zeros((1080, 1920, 3), np.uint8)).shape == (336, 588, 3)


@pytest.mark.parametrize("name", NEWER)
def test_newer_judges_are_told_the_pace(judges, pictures, name):
    judge = judges[name]
    frames = [judge.shrink(picture) for picture in pictures]
    slow, fast = ([place * by for place in range(8)] for by in (2.0, 0.25))
    assert judge.presence(frames, ACTION, slow) != judge.presence(frames, ACTION, fast)
    assert judge.presence(frames, ACTION) == judge.presence(frames, ACTION, [k / 2 for k in range(8)])


def test_times_count_from_the_events_start(pictures):
    """Four frames a second, looked at twice as often: the first is seen at 1/16 s of its event."""
    asked = []
    judge = SimpleNamespace(
        shrink=lambda frame: frame,
        how="",
        presence=lambda frames, _action, seconds: asked.append((len(frames), seconds)) or 0.5,
    )
    clip = ClipInfo(
        frame_count=8, width=4, height=4, fps=4.0, duration=2.0, times=tuple(k / 4 for k in range(8))
    )
    events = EventFrames(judge, ((0.0, 1.0), (1.0, 2.0)), sample(clip, 8.0, 240))
    for index in (0, 1, 2, 3, 4, 6):
        events.add(index, pictures[index])
    events.finish(["a", "b"])
    first = [0.0625, 0.3125, 0.5625, 0.8125]
    assert asked == [(4, pytest.approx(first)), (2, pytest.approx([first[0], first[2]]))]


@pytest.mark.parametrize(
    ("name", "published"),
    {
        "qwen2_vl_2b": 2_208_985_600,
        "qwen2_vl_7b": 8_291_375_616,
        "qwen2_5_vl_3b": 3_754_622_976,
        "qwen2_5_vl_7b": 8_292_166_656,
        "qwen3_vl_2b": 2_127_532_032,
        "qwen3_vl_4b": 4_437_815_808,
        "qwen3_vl_8b": 8_767_123_696,
    }.items(),
)
def test_full_size_parameter_counts(name, published):
    """The number of parameters that the published checkpoints hold."""
    with torch.device("meta"):
        network = checkpoint.network_class(name)(checkpoint.full_size(name))
    network.tie_weights()
    assert sum(p.numel() for p in network.parameters()) == published


def test_every_judge_has_declared_weights_and_terms():
    for name in get_args(PresenceModel):
        options = TimelineAlignmentOptions(presence="vlm", presence_model=name)
        assert TimelineAlignment.required_weights(options) == ("pe_core_l_14_336", name)
        assert len(WEIGHTS[name].source.revision) == 40
        specs = {spec.name: spec for spec in TimelineAlignment.specs_for(options)}
        title = checkpoint.generation(name).title
        assert specs["timeline_sem"].licence == f"{title} weights: {WEIGHTS[name].licence} (Alibaba)"
    assert WEIGHTS["qwen2_5_vl_3b"].non_commercial


def test_a_transformers_without_the_model_is_said_to_be_too_old(monkeypatch):
    old = SimpleNamespace(__version__="4.45.0", Qwen2VLForConditionalGeneration=object)
    monkeypatch.setattr(checkpoint, "transformers", lambda: old)
    with pytest.raises(WeightsMissing, match=r"transformers 4\.45\.0 has no Qwen3VL") as raised:
        checkpoint.load("qwen3_vl_8b", Runtime())
    assert "--upgrade" in (raised.value.hint or "")
