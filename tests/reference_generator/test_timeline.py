"""Videos that follow a timeline: its passes, and cross-attention to each event's own text."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ipvg_eval.core.timeline import Event
from ipvg_eval.reference_generator.preset import load_settings
from ipvg_eval.reference_generator.system_loading import load_system, models_of
from ipvg_eval.reference_generator.systems.colours import colours_matched
from ipvg_eval.reference_generator.systems.passes import plan_passes, whole_frames
from ipvg_eval.reference_generator.systems.timeline_attention import TimelineProcessor
from ipvg_eval.reference_generator.task import Task


@given(frames=st.integers(1, 60), longest=st.integers(2, 20), overlap=st.integers(0, 4))
@hypothesis_settings(deadline=None, max_examples=100)
def test_passes_cover_the_video_without_a_gap(frames, longest, overlap):
    frames, longest, overlap = 4 * frames + 1, 4 * longest + 1, 4 * min(overlap, longest - 1) + 1
    plan = plan_passes(frames, longest, overlap)
    made = 0
    for number, part in enumerate(plan):
        assert part.frames <= longest
        assert part.frames % 4 == 1
        assert part.known == (overlap if number else 0)
        assert part.first + part.known == made
        made = part.first + part.frames
    assert made == frames


def test_whole_frames():
    assert [whole_frames(seconds, 16) for seconds in (5, 81 / 16, 82 / 16, 0.01)] == [81, 81, 85, 5]


def system(name, *changes):
    size = ["video.width=64", "video.height=64", "video.frames=9", "video.fps=16"]
    settings = load_settings(name, [*size, "sampling.steps=2", *changes], tiny=True)
    return load_system(settings, models_of(settings))


@contextmanager
def captured(pipeline, key) -> Iterator[list]:
    """Values of one argument of every call of the pipeline."""
    values, kind = [], type(pipeline)
    original = kind.__call__

    def spy(self, *args, **kwargs):
        values.append(kwargs.get(key))
        return original(self, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kind, "__call__", spy)
        yield values


EVENTS = (
    Event(start=0, end=0.25, description="a woman walks"),
    Event(start=0.25, end=0.56, description="she sits"),
)


@pytest.mark.parametrize(
    "name", ["vace-1.3b", "tpige-paper", "phantom-1.3b", "decoupled-ti2v-5b", "decoupled-a14b"]
)
def test_the_same_text_twice_is_the_plain_video_and_two_texts_are_not(name, picture):
    made = system(name)
    common = {"seed": 3, "references": (picture(), picture(tint=0.5)), "first_frame": None}
    transformers = [made.pipeline.transformer, getattr(made.pipeline, "transformer_2", None)]
    before = [dict(t.attn_processors) for t in transformers if t is not None]
    plain = made.make(Task(texts=("a woman walks",), **common)).pictures
    same = made.make(Task(texts=("a woman walks",) * 2, events=EVENTS, **common)).pictures
    two = made.make(Task(texts=("a woman walks", "a man runs"), events=EVENTS, **common)).pictures
    assert np.abs(same.astype(int) - plain).max() <= 1  # one step of 8 bits; latents differ by 1e-5
    assert np.abs(two.astype(int) - plain).max() > 1
    assert [dict(t.attn_processors) for t in transformers if t is not None] == before
    assert np.array_equal(made.make(Task(texts=("a woman walks",), **common)).pictures, plain)


def test_each_frame_reads_its_own_text_only():
    class Base:
        def __call__(self, _attn, states, text, _mask=None, _rotary=None):
            return states + text.mean()

    texts = torch.cat([torch.full((1, 4, 2), value) for value in (10.0, 20.0)], 1)
    frames = torch.zeros(1, 3 * 5, 2)
    answer = TimelineProcessor(Base(), [0, 1, 0], 4)(None, frames, texts)
    assert answer[0, :, 0].tolist() == [10.0] * 5 + [20.0] * 5 + [10.0] * 5
    alone = TimelineProcessor(Base(), [0, 1, 0], 4)(None, frames, texts[:, :4])
    assert alone.unique().tolist() == [10.0]


def test_processors_come_back_after_an_error(picture):
    made = system("vace-1.3b")
    before = dict(made.pipeline.transformer.attn_processors)
    made.pipeline.vae.decode = None
    with pytest.raises(TypeError):
        made.make(Task(seed=1, texts=("a", "b"), events=EVENTS, references=(picture(),)))
    assert dict(made.pipeline.transformer.attn_processors) == before


def long_events(seconds):
    return (Event(start=0, end=0.5, description="a"), Event(start=0.5, end=seconds, description="b"))


def test_vace_goes_on_from_its_last_frames(picture):
    made = system("vace-1.3b", "timeline.overlap=5")
    task = Task(seed=1, texts=("a", "b"), events=long_events(1.0), references=(picture(),))
    with captured(made.pipeline, "video") as videos, captured(made.pipeline, "mask") as masks:
        clip = made.make(task)
    # 16 frames are wanted, 17 made: 9, then 4 and 4 after 5 known ones.
    assert clip.pictures.shape == (17, 64, 64, 3)
    assert videos[0] is None
    assert len(videos) == 3
    for number, start in ((1, 4), (2, 8)):
        known = torch.from_numpy(clip.pictures[start : start + 5]).permute(0, 3, 1, 2) / 255
        assert torch.equal(videos[number][0, :5], known)
        assert videos[number][0, 5:].unique().tolist() == [0.5]
        assert masks[number][0].mean((1, 2, 3)).tolist() == [0.0] * 5 + [1.0] * 4


def test_a_pass_gets_the_colours_that_its_overlap_had():
    """A drift by a factor and an offset per channel is taken back; the contrast by no more than a quarter."""
    rng = np.random.default_rng(0)
    scene = rng.integers(80, 170, (6, 8, 8, 3)).astype(np.uint8)
    drifted = (scene * np.array([0.9, 1.0, 1.1]) + np.array([10, -8, 3])).round().astype(np.uint8)
    back = colours_matched(drifted[2:], drifted[:2], scene[:2])
    assert np.abs(back.astype(int) - scene[2:]).max() <= 1  # two roundings to 8 bits
    flat = np.full_like(scene, 100)
    assert np.array_equal(colours_matched(flat[2:], flat[:2], scene[:2]).std((0, 1, 2)), [0.0] * 3)


def test_colours_are_matched_pass_by_pass_unless_told_otherwise(picture):
    task = Task(seed=1, texts=("a", "b"), events=long_events(1.0), references=(picture(),))
    plain = system("vace-1.3b", "timeline.match_colours=false").make(task).pictures
    matched = system("vace-1.3b").make(task).pictures
    assert np.array_equal(plain[:9], matched[:9])
    assert not np.array_equal(plain[9:], matched[9:])


def test_vace_gets_the_known_frames_as_hints_and_grey_for_the_rest():
    """The pipeline's own encoding of an extension: known frames are inactive, the rest is zero."""
    from ipvg_eval.reference_generator.systems.vace import _extension

    pipeline = system("vace-1.3b").pipeline
    known = np.random.default_rng(0).integers(0, 256, (5, 64, 64, 3), dtype=np.uint8)
    given = _extension(known, 9)
    device = torch.device("cpu")
    video, mask, _ = pipeline.preprocess_conditions(
        given["video"], given["mask"], None, 1, 64, 64, 9, torch.float32, device
    )
    assert video.shape == mask.shape == (1, 3, 9, 64, 64)
    expected = torch.from_numpy(known).permute(3, 0, 1, 2).float() / 127.5 - 1
    assert torch.allclose(video[0, :, :5], expected, atol=1e-6)
    assert video[0, :, 5:].abs().max() == 0
    assert mask[0, 0, :, 0, 0].tolist() == [0.0] * 5 + [1.0] * 4


def test_image_to_video_is_chained_from_the_last_frame(picture):
    made = system("decoupled-ti2v-5b")
    task = Task(seed=1, texts=("a", "b"), events=long_events(1.0), references=(picture(),))
    with captured(made.pipeline, "image") as images:
        clip = made.make(task)
    assert len(clip.pictures) == 17
    assert len(images) == 2
    assert np.array_equal(np.asarray(images[1]), clip.pictures[8])


def test_phantom_stops_after_one_pass_and_says_so(picture):
    made = system("phantom-1.3b")
    clip = made.make(Task(seed=1, texts=("a", "b"), events=long_events(2.0), references=(picture(),)))
    assert len(clip.pictures) == 9
    assert clip.notes == ("the timeline ends at 2 s, the video at 0.5625 s",)


def test_a_short_timeline_makes_a_short_video(picture):
    made = system("vace-1.3b")
    events = (Event(start=0, end=0.1, description="a"), Event(start=0.1, end=0.3, description="b"))
    clip = made.make(Task(seed=1, texts=("a", "b"), events=events, references=(picture(),)))
    assert (len(clip.pictures), clip.notes) == (5, ())


def test_a_very_long_timeline_is_cut_at_the_limit(picture):
    made = system("vace-1.3b", "timeline.max_seconds=0.5", "timeline.overlap=1")
    clip = made.make(Task(seed=1, texts=("a", "b"), events=long_events(1000.0), references=(picture(),)))
    assert len(clip.pictures) == 9
    assert "ends at 1000 s" in clip.notes[0]
