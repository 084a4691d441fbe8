"""Frames in memory: the same numbers as the file they were decoded from, and one line for what is no clip."""

from __future__ import annotations

import warnings
import weakref
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ipvg_eval.core.errors import UsageError
from ipvg_eval.core.pictures import PictureInMemory, read_rgb
from ipvg_eval.metrics.evaluator import Evaluator
from ipvg_eval.metrics.reference_cache import ReferenceCache
from ipvg_eval.metrics.target import Reference, Target
from ipvg_eval.scoring import Recipe
from ipvg_eval.scoring.frames_in_memory import FramesInMemory
from ipvg_eval.video import decode, index_frames

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures"
VIDEO = FIXTURES / "submissions" / "careful" / "id001" / "prompt1.mp4"
FACE = FIXTURES / "testset" / "id001" / "image.png"
CHEAP = ("lite_sharpness", "dynamic_degree_lite")


@pytest.fixture(scope="module")
def lite():
    return Recipe(protocol="lite").build()


@pytest.fixture(scope="module")
def cheap(lite):
    return lite.only(CHEAP)


@pytest.fixture(scope="module")
def index():
    return index_frames(VIDEO)


@pytest.fixture(scope="module")
def frames(index):
    with decode(VIDEO, range(index.clip.frame_count), index=index) as batches:
        return np.concatenate([batch.frames for batch in batches])


def _numbers(found):
    return found.values, found.missing, found.notes, found.frames, found.times


def test_frames_in_memory_have_the_numbers_of_their_file_to_the_last_bit(lite, frames, index):
    fps = index.clip.fps
    of_file = _numbers(lite(VIDEO, reference=FACE, prompt="a person waves"))
    assert of_file[0]["lite_identity"] is not None
    tensor = torch.from_numpy(frames).permute(0, 3, 1, 2)
    ways = {
        "array": (frames, FACE),
        "tensor": (tensor.contiguous(), torch.from_numpy(read_rgb(FACE).copy()).permute(2, 0, 1)),
        "pictures": ([Image.fromarray(frame) for frame in frames], read_rgb(FACE)),
    }
    for clip, reference in ways.values():
        assert _numbers(lite(clip, reference=reference, prompt="a person waves", fps=fps)) == of_file


def test_frames_that_are_looked_at_lie_where_they_lay_wherever_that_can_be(frames):
    turned = torch.from_numpy(frames).permute(0, 3, 1, 2)
    for clip in (frames, turned):
        [batch] = FramesInMemory(clip).showing([3, 7])
        assert batch.indices == (3, 4, 5, 6, 7)
        assert np.shares_memory(batch.frames, frames)
        assert np.array_equal(batch.frames, frames[3:8])


def test_frames_of_any_other_layout_come_as_they_are_shown(frames):
    tensor = torch.from_numpy(frames).permute(0, 3, 1, 2)
    wide = torch.zeros((*tensor.shape[:3], tensor.shape[3] + 5), dtype=torch.uint8)
    wide[..., 5:] = tensor
    ways = (tensor.contiguous(), wide[..., 5:], frames[:, :, ::-1][:, :, ::-1], frames[..., ::-1][..., ::-1])
    for clip in ways:
        [batch] = FramesInMemory(clip).showing([3, 7])
        every = np.stack([frames[index] for index in batch.indices])
        assert {3, 7} <= set(batch.indices)
        assert np.array_equal(batch.frames, every)
        assert batch.frames[0].flags.c_contiguous


def test_what_may_not_be_written_to_is_copied(frames):
    locked = frames.copy()
    locked.flags.writeable = False
    [batch] = FramesInMemory(locked).showing(range(2))
    assert batch.frames.flags.writeable
    assert np.array_equal(batch.frames, locked[:2])


def test_times_come_from_the_rate_that_is_meant():
    clip = np.zeros((3, 2, 2, 3), np.uint8)
    assert FramesInMemory(clip).clip.times == (0, 1 / 25, 2 / 25)
    film = FramesInMemory(clip, fps=30000 / 1001).clip
    assert film.times == tuple(float(Fraction(1001 * place, 30000)) for place in range(3))
    uneven = FramesInMemory(clip, times=[0, 0.5, 2.0]).clip
    assert uneven.times == (0, 0.5, 2)
    assert uneven.fps == 1
    assert uneven.duration == 3


H, W = 6, 8


@pytest.mark.parametrize(
    ("clip", "said", "hint"),
    [
        (np.zeros((4, 3, H, W), np.uint8), "arrays are", "frames.transpose(0, 2, 3, 1)"),
        (np.zeros((3, 4, H, W), np.uint8), "arrays are", "frames.transpose(1, 2, 3, 0)"),
        (torch.zeros((4, H, W, 3), dtype=torch.uint8), "tensors are", "frames.permute(0, 3, 1, 2)"),
        (torch.zeros((3, 4, H, W), dtype=torch.uint8), "tensors are", "frames.permute(1, 0, 2, 3)"),
        (np.zeros((1, 4, H, W, 3), np.uint8), "arrays are", "frames[0]"),
        (torch.zeros((2, 4, 3, H, W), dtype=torch.uint8), "tensors are", "frames[0]"),
        (np.zeros((H, W, 3), np.uint8), "arrays are", "frames[None]"),
        (np.zeros((4, H, W, 4), np.uint8), "arrays are", "frames[..., :3]"),
        (np.zeros((4, H, W), np.uint8), "arrays are", "three channels"),
        (np.zeros((0, H, W, 3), np.uint8), "empty", "at least one frame"),
        ([], "empty", "at least one frame"),
        ([np.zeros((H, W, 3), np.uint8), np.zeros((H, H, 3), np.uint8)], "have the shapes", "alike"),
        ([torch.zeros(3, H, W)], "no clip", "torch.stack"),
        ({"frames": 1}, "cannot be a dict", "Give a file"),
        (torch.zeros((4, 3, H, W), dtype=torch.uint8, device="meta"), "no values", ""),
    ],
)
def test_shapes_that_are_no_clip_are_refused_with_what_turns_them(cheap, clip, said, hint):
    with pytest.raises(UsageError) as raised:
        cheap(clip)
    assert said in str(raised.value)
    assert hint in (raised.value.hint or "")


PIXELS = np.arange(4 * H * W * 3, dtype=np.float64).reshape(4, H, W, 3) % 256


@pytest.mark.parametrize(
    "scaled",
    [
        PIXELS.astype(np.float32) / 255,
        (PIXELS / 127.5 - 1).astype(np.float32),
        PIXELS.astype(np.float32),
        PIXELS.astype(np.int64),
        torch.from_numpy(PIXELS).permute(0, 3, 1, 2).float() / 255,
        torch.from_numpy(PIXELS).permute(0, 3, 1, 2).half() / 255,
        torch.from_numpy(PIXELS).permute(0, 3, 1, 2).bfloat16(),
    ],
    ids=["unit", "signed", "float", "int64", "tensor", "half", "bfloat16"],
)
def test_the_hint_turns_what_is_no_uint8_into_what_was_meant(scaled):
    """The line of the message is run, and gives the pixels back."""
    with pytest.raises(UsageError) as raised:
        FramesInMemory(scaled)
    assert "not uint8" in str(raised.value)
    line = (raised.value.hint or "").rpartition(": ")[2].removesuffix(".")
    turned = eval(line, {"frames": scaled, "np": np, "torch": torch})
    [batch] = FramesInMemory(turned).showing(range(4))
    assert np.array_equal(batch.frames, PIXELS.astype(np.uint8))


def test_numbers_that_are_none_are_said():
    with pytest.raises(UsageError, match="not all of it numbers"):
        FramesInMemory(np.full((1, H, W, 3), np.nan, np.float32))


def test_pixels_of_0_and_1_are_warned_of_where_they_stand(cheap):
    bits = (PIXELS % 2).astype(np.uint8)
    with pytest.warns(UserWarning, match="every pixel of these frames is 0 or 1") as seen:
        cheap(bits)
    assert seen[0].filename == __file__
    with warnings.catch_warnings(action="error"):
        cheap(np.zeros_like(bits))  # a black clip is a black clip


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"fps": 0}, "no frame rate"),
        ({"fps": float("nan")}, "no frame rate"),
        ({"times": [0, 1]}, "do not fit 4 frames"),
        ({"times": [0, 1, 3, 2]}, "do not fit 4 frames"),
        ({"times": [1, 2, 3, 4]}, "do not fit 4 frames"),
    ],
)
def test_times_that_make_no_sense_are_refused(cheap, options, said):
    with pytest.raises(UsageError, match=said):
        cheap(np.zeros((4, H, W, 3), np.uint8), **options)


def test_a_file_has_its_own_times(cheap):
    with pytest.raises(UsageError, match="for frames in memory"):
        cheap(VIDEO, fps=10)
    with pytest.raises(UsageError, match="this video does not exist"):
        cheap("gone.mp4")


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("gone.png", "cannot be opened"),
        (VIDEO, "cannot be read"),
        (3, "cannot be a int"),
        (np.zeros((3, H, W), np.uint8), "a reference of the shape"),
        (np.zeros((H, W, 3), np.float32), "picture of float32"),
        (torch.zeros((H, W, 3), dtype=torch.uint8), "a reference of the shape"),
    ],
)
def test_references_that_are_no_picture_are_refused(cheap, reference, said):
    with pytest.raises(UsageError, match=said):
        cheap(np.zeros((4, H, W, 3), np.uint8), reference=reference)


def test_a_reference_without_a_face_is_the_reason_and_no_error(lite, frames):
    blank = np.full((64, 64, 3), 128, np.uint8)
    found = lite.only(["lite_identity"])(frames[:2], reference=blank)
    assert found.missing == {"lite_identity": "no face in the reference picture"}
    assert found.status == "scored"


def test_pictures_with_one_content_are_described_once_and_not_kept(lite, frames, tmp_path, monkeypatch):
    """By the content, so that a file that changes is another picture."""
    faces = lite.evaluators[0]
    described = []
    cache = ReferenceCache(lambda source: described.append(weakref.ref(source)) or describe(source), kept=2)
    describe = faces._describe_reference
    monkeypatch.setattr(faces, "_reference", cache)
    path = tmp_path / "face.png"
    path.write_bytes(FACE.read_bytes())
    only = lite.only(["lite_identity"])
    seen = {only(frames[:1], reference=one)["lite_identity"] for one in (path, str(path), FACE)}
    assert len(seen) == len(described) == 1
    Image.new("RGB", (64, 64)).save(path)
    assert only(frames[:1], reference=path)["lite_identity"] is None
    assert len(described) == 2
    assert [one() for one in described] == [None, None]
    for _ in range(2):
        only(frames[:1], reference=np.zeros((64, 64, 3), np.uint8))
    assert len(described) == 3
    only(frames[:1], reference=FACE)  # the one that was not used for longest was forgotten
    assert len(described) == 4


def test_a_target_takes_pictures_as_arrays(lite, index, frames):
    """The evaluators' own interface, without a scorer."""
    evaluator: Evaluator = lite.evaluators[0]
    picture = PictureInMemory.of_pixels(read_rgb(FACE))
    targets = [
        Target(sample_id="one", references=(reference,), prompt="")
        for reference in (Reference(path=FACE), Reference(path=Path("given"), in_memory=picture))
    ]
    values = []
    for target in targets:
        watching = evaluator.start(target, index.clip)
        watching.add([0], frames[:1])
        values.append([one.value for one in watching.finish()])
    assert values[0] == values[1]
    assert values[0][1] is not None


def test_an_array_is_taken_over_as_it_is_now():
    pixels = np.zeros((4, 4, 3), np.uint8)
    picture = PictureInMemory.of_pixels(pixels)
    pixels += 9
    assert not read_rgb(picture).any()
    assert picture == PictureInMemory.of_pixels(np.zeros((4, 4, 3), np.uint8))
    assert picture != PictureInMemory.of_pixels(np.zeros((2, 8, 3), np.uint8))


def test_some_metrics_share_the_networks_of_all(lite, cheap):
    assert [spec.name for spec in cheap.specs] == list(CHEAP)
    assert set(cheap.evaluators) < set(lite.evaluators)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_frames_on_a_gpu_serve_a_scorer_on_the_cpu(frames):
    scorer = Recipe(protocol="lite", metrics=CHEAP, device="cpu").build()
    clip = torch.from_numpy(frames).permute(0, 3, 1, 2)
    assert _numbers(scorer(clip.cuda())) == _numbers(scorer(clip))
