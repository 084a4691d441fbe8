"""Subjects by whole frames: arithmetic by hand, parity with vbench's loop, the full-size network."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data
import timm
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import load_file
from vbench.subject_consistency import subject_consistency
from weight_files import WeightFiles

from ipvg_eval.core.errors import UnreadablePicture
from ipvg_eval.core.measurement import ClipInfo
from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.subject.consistency import frame_consistency, reference_similarities
from ipvg_eval.metrics.subject.dino import DinoEncoder, dino_pixels
from ipvg_eval.metrics.subject.evaluator import SubjectMetrics, SubjectOptions
from ipvg_eval.metrics.target import NO_REFERENCE, Reference, Target
from ipvg_eval.metrics.timeline.passes import SubjectsPass


@pytest.fixture(scope="module")
def evaluator(runtime):
    return SubjectMetrics(SubjectOptions(frame_count=4, detector="none"), runtime)


@pytest.fixture(scope="module")
def frames():
    photograph = skimage.data.astronaut()
    return np.stack([photograph[20 * i : 20 * i + 120, 10 * i : 10 * i + 160] for i in range(4)])


@pytest.fixture
def target(tmp_path):
    Image.fromarray(skimage.data.astronaut()).save(tmp_path / "man.png")
    Image.fromarray(skimage.data.coffee()).save(tmp_path / "cup.webp")
    references = (
        Reference(path=tmp_path / "man.png", label="man"),
        Reference(path=tmp_path / "cup.webp", label="cup"),
    )
    return Target(sample_id="s", references=references, prompt="")


CLIP = ClipInfo(frame_count=4, width=160, height=120, fps=4.0, duration=1.0, times=(0.0, 0.25, 0.5, 0.75))


def test_consistency_by_hand():
    """Cosines with the frame before: 0, 0 (clipped from -1), 1; with the first: 0, 0, 0."""
    rows = np.array([[2.0, 0.0], [0.0, 1.0], [0.0, -3.0], [0.0, -1.0]])
    assert frame_consistency(rows).tolist() == [0.0, 0.0, 0.5]
    assert frame_consistency(np.ones((3, 5))) == pytest.approx([1, 1])


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 8), st.integers(0, 1000))
def test_consistency_is_vbenchs(count, seed):
    """The published loop, fed with the frames' features through a network that changes nothing."""
    rows = torch.from_numpy(np.random.default_rng(seed).standard_normal((count, 6)))

    def images(_path):
        return rows

    import vbench.subject_consistency as published

    before = published.load_video, published.dino_transform
    published.load_video, published.dino_transform = images, lambda _size: lambda pictures: pictures
    try:
        expected, _ = subject_consistency(lambda x: x, ["v"], "cpu", read_frame=False)
    finally:
        published.load_video, published.dino_transform = before
    assert frame_consistency(rows.numpy()).mean() == pytest.approx(expected)


def test_similarities_by_hand():
    found = reference_similarities(np.array([[3.0, 0.0], [1.0, 1.0]]), np.array([[1.0, 0.0], [0.0, 2.0]]))
    assert found == pytest.approx(np.array([[1, 0], [0.5**0.5, 0.5**0.5]]))


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [(240, 320, (224, 294)), (320, 240, (294, 224)), (100, 100, (224, 224)), (10, 2000, (14, 896))],
)
def test_pictures_are_neither_cropped_nor_squeezed(height, width, expected):
    picture = np.full((height, width, 3), 255, dtype=np.uint8)
    pixels = dino_pixels(picture)
    assert pixels.shape == (*expected, 3)
    assert (pixels == 255).all()


def test_both_metrics_from_the_full_size_network(evaluator, frames, target):
    """DINOv2 ViT-B/14 with seeded random weights, in any batches."""
    results = []
    for size in (1, 4):
        looking = evaluator.start(target, CLIP)
        for first in range(0, 4, size):
            looking.add(range(first, first + size), frames[first : first + size])
        results.append({m.name: m for m in looking.finish()})
    similarity, consistency = results[0]["subject_similarity"], results[0]["subject_consistency"]
    assert similarity.value == results[1]["subject_similarity"].value
    assert consistency.value == results[1]["subject_consistency"].value
    assert evaluator.weights == {"dinov2_vitb14": "random:0"}
    assert consistency.features.rows.shape == (4, 768)
    assert "the whole frame is the crop" in similarity.note
    assert "man " in similarity.note
    assert "cup " in similarity.note
    assert -1 <= similarity.value <= 1
    assert 0 <= consistency.value <= 1
    assert consistency.per_frame.values[0] is None


def test_a_video_of_its_own_reference_is_perfect(evaluator, tmp_path):
    picture = skimage.data.coffee()
    Image.fromarray(picture).save(tmp_path / "cup.png")
    target = Target(sample_id="s", references=(Reference(path=tmp_path / "cup.png"),), prompt="")
    looking = evaluator.start(target, CLIP)
    looking.add(range(4), np.stack([picture] * 4))
    assert [m.value for m in looking.finish()] == pytest.approx([1, 1], abs=1e-6)


def test_without_a_reference_there_is_nothing_to_compare_with(evaluator, frames):
    looking = evaluator.start(Target(sample_id="s", references=(), prompt=""), CLIP)
    looking.add([0, 1, 2, 3], frames)
    assert {m.reason for m in looking.finish()} == {NO_REFERENCE}
    joined = SubjectsPass(looking, [0])
    joined.add([0, 1], frames[:2])
    assert (joined.appearances, joined.problem) == (None, NO_REFERENCE)


def test_missing_frames_and_pictures(evaluator, frames, target, tmp_path):
    looking = evaluator.start(target, CLIP)
    assert [m.reason for m in looking.finish()] == ["no frame could be read"] * 2
    looking = evaluator.start(target, CLIP)
    looking.add([0], frames[:1])
    similarity, consistency = looking.finish()
    assert "1 of 4 frames could be read" in similarity.note
    assert consistency.reason == "fewer than 2 frames could be read"
    gone = Target(sample_id="s", references=(Reference(path=tmp_path / "none.png"),), prompt="")
    with pytest.raises(UnreadablePicture):
        evaluator.start(gone, CLIP)


def test_weights_come_from_a_local_file(frames, dino_file, tmp_path):
    encoder = DinoEncoder(Runtime(weights=WeightFiles(dino_file)))
    pixels = dino_pixels(frames[0])
    resized = timm.create_model(
        "vit_base_patch14_dinov2", pretrained=False, num_classes=0, dynamic_img_size=True
    )
    resized.load_state_dict(load_file(dino_file))
    normalised = (pixels / 255 - np.array([0.485, 0.456, 0.406])) / [0.229, 0.224, 0.225]
    with torch.inference_mode():
        batch = torch.from_numpy(normalised.transpose(2, 0, 1).astype(np.float32))[None]
        expected = resized.eval()(batch).numpy()
    assert encoder.images([pixels]) == pytest.approx(expected, rel=1e-4, abs=1e-6)
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"nothing")
    with pytest.raises(WeightsMissing, match="not the checkpoint"):
        DinoEncoder(Runtime(weights=WeightFiles(path)))
