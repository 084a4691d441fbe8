"""Things planted in frames: what the metrics must say of them, from real pixels and a real network.

The detector is replaced by one that finds borders of a colour, exactly: every expected value is known.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from planted_things import ColourDetector, ToldDetector, clip_of, framed, quick_dino, scene
from safetensors.torch import save_file
from weight_files import WeightFiles

from ipvg_eval.core.measurement import FrameValues
from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.similarity import cosines
from ipvg_eval.metrics.subject import dino
from ipvg_eval.metrics.subject.boxes import Boxes
from ipvg_eval.metrics.subject.detection.loading import is_here
from ipvg_eval.metrics.subject.dino import DinoEncoder, dino_pixels
from ipvg_eval.metrics.subject.evaluator import SubjectMetrics, SubjectOptions
from ipvg_eval.metrics.subject.measurements import WHOLE_FRAME
from ipvg_eval.metrics.target import Reference, Target
from ipvg_eval.metrics.weights import RandomWeights


@pytest.fixture(scope="module", autouse=True)
def _quick_network():
    """Two blocks of DINOv2 ViT-B/14: many scenes stay quick. With all of its layer scales at 1 random weights
    tell pictures apart, which they do not at the published start of 1e-5."""
    with quick_dino():
        yield


@pytest.fixture(scope="module")
def runtime():
    return Runtime(weights=RandomWeights(), batch_size=3)


@pytest.fixture(scope="module")
def encoder(runtime):
    return DinoEncoder(runtime)


@pytest.fixture(scope="module")
def make(runtime):
    def build(**options):
        return SubjectMetrics(SubjectOptions(frame_count=2, **options), runtime, detector=ColourDetector())

    return build


@pytest.fixture(scope="module")
def evaluator(make):
    return make()


@pytest.fixture
def target(tmp_path):
    def build(*pictures, subjects=None):
        references = []
        for k, (label, picture) in enumerate(pictures):
            path = tmp_path / f"{len(list(tmp_path.iterdir()))}.png"
            Image.fromarray(picture).save(path)
            subject = None if subjects is None else subjects[k]
            references.append(Reference(path=path, label=label, subject=subject))
        return Target(sample_id="s", references=tuple(references), prompt="")

    return build


@pytest.fixture(scope="module")
def measure():
    def run(evaluator, target, frames, batch=2):
        looking = evaluator.start(target, clip_of(2))
        for first in range(0, len(frames), batch):
            part = np.stack(frames[first : first + batch])
            looking.add(range(first, first + len(part)), part)
        return {m.name: m for m in looking.finish()}

    return run


@pytest.fixture(scope="module")
def things():
    return {
        "eileen": framed("man", "astronaut"),
        "camera": framed("man", "camera"),
        "coffee": framed("ball", "coffee"),
        "cat": framed("ball", "chelsea"),
    }


def values(found):
    names = ("subject_similarity", "subject_similarity_all_frames", "subject_coverage")
    return [found[name].value for name in names]


def test_two_subjects_in_every_frame_are_perfect_wherever_they_are(evaluator, target, measure, things):
    sample = target(("man", scene((things["eileen"], 3, 5))), ("ball", things["coffee"]))
    frames = [
        scene((things["eileen"], 10 * i, 7), (things["coffee"], 130, 5 * i), ground=40 * i) for i in range(2)
    ]
    found = measure(evaluator, sample, frames)
    assert values(found) == pytest.approx([1, 1, 1], abs=1e-6)
    assert "man 1.000 in 2 of 2 frames, ball 1.000 in 2 of 2 frames" in found["subject_similarity"].note
    assert found["subject_coverage"].per_frame == FrameValues(indices=(0, 1), values=(1.0,) * 2)
    # The moving ground is what whole frames are compared by.
    assert found["subject_consistency"].value < 1 - 1e-4
    one_by_one = measure(evaluator, sample, frames, batch=1)
    assert [m.value for m in one_by_one.values()] == [m.value for m in found.values()]


def test_a_subject_that_leaves_costs_coverage_and_not_similarity(evaluator, target, measure, things):
    sample = target(("man", things["eileen"]), ("ball", things["coffee"]))
    both = scene((things["eileen"], 0, 0), (things["coffee"], 100, 0))
    alone = scene((things["eileen"], 0, 0))
    found = measure(evaluator, sample, [both, alone])
    assert values(found) == pytest.approx([1, 0.75, 0.75], abs=1e-6)
    assert found["subject_coverage"].per_frame.values == (1.0, 0.5)
    assert "ball 1.000 in 1 of 2 frames" in found["subject_coverage"].note


def test_subjects_that_never_come(evaluator, target, measure, things):
    found = measure(evaluator, target(("man", things["eileen"])), [scene()] * 2)
    assert values(found) == [None, 0.0, 0.0]
    assert found["subject_similarity"].reason == "no subject found in any of 2 frames"
    assert found["subject_similarity"].per_frame.values == (None,) * 2
    assert "man in 0 of 2 frames" in found["subject_coverage"].note


def test_another_thing_of_the_class_is_found_and_is_not_alike(evaluator, target, measure, things, encoder):
    sample = target(("ball", things["coffee"]))
    found = measure(evaluator, sample, [scene((things["cat"], 20, 20))] * 2)
    rows = [encoder.images([dino_pixels(things[name])])[0] for name in ("coffee", "cat")]
    expected = float(cosines(rows[1][None], rows[0])[0])
    assert expected < 1 - 1e-3
    assert values(found) == pytest.approx([expected, expected, 1], abs=1e-6)
    # Of another class it is not found at all.
    assert values(measure(evaluator, target(("man", things["eileen"])), [scene()] * 2))[2] == 0.0


def test_two_of_a_label_are_matched_one_to_one(evaluator, target, measure, things, encoder):
    first, second = things["eileen"], things["camera"]
    sample = target(("man", first), ("man", second))
    crossed = scene((second, 0, 0), (first, 120, 50))
    assert values(measure(evaluator, sample, [crossed] * 2)) == pytest.approx([1, 1, 1], abs=1e-6)
    turned = target(("man", second), ("man", first))
    assert values(measure(evaluator, turned, [crossed] * 2)) == pytest.approx([1, 1, 1], abs=1e-6)
    # The same man twice is one of them, and a poor picture of the other.
    rows = [encoder.images([dino_pixels(thing)])[0] for thing in (first, second)]
    cosine = float(cosines(rows[0][None], rows[1])[0])
    twice = measure(evaluator, sample, [scene((first, 0, 0), (first, 120, 50))] * 2)
    assert values(twice) == pytest.approx([(1 + cosine) / 2, (1 + cosine) / 2, 1], abs=1e-6)
    # Alone he covers one subject of two.
    alone = measure(evaluator, sample, [scene((first, 0, 0))] * 2)
    assert values(alone) == pytest.approx([1, 0.5, 0.5], abs=1e-6)


def test_bystanders_of_the_class_change_nothing(evaluator, target, measure, things):
    sample = target(("man", things["eileen"]))
    crowd = scene((things["camera"], 0, 0), (things["eileen"], 70, 0), (things["camera"], 140, 60))
    assert values(measure(evaluator, sample, [crowd] * 2)) == pytest.approx([1, 1, 1], abs=1e-6)


def test_several_pictures_of_one_subject_ask_for_one(evaluator, target, measure, things):
    pictures = (("man", things["camera"]), ("man", things["eileen"]))
    frames = [scene((things["eileen"], 30, 30))] * 2
    one = measure(evaluator, target(*pictures, subjects=(0, 0)), frames)
    assert values(one) == pytest.approx([1, 1, 1], abs=1e-6)
    two = measure(evaluator, target(*pictures), frames)
    assert values(two) == pytest.approx([1, 0.5, 0.5], abs=1e-6)


def test_a_match_must_be_alike_enough(make, target, measure, things):
    strict = make(min_similarity=0.9999)
    sample = target(("ball", things["coffee"]))
    assert values(measure(strict, sample, [scene((things["cat"], 9, 9))] * 2)) == [None, 0.0, 0.0]
    assert values(measure(strict, sample, [scene((things["coffee"], 9, 9))] * 2)) == pytest.approx(
        [1, 1, 1], abs=1e-6
    )


def test_a_reference_without_its_label_counts_whole_and_one_without_a_label_is_an_object(
    evaluator, target, measure, things
):
    plain = np.clip(things["coffee"][4:-4, 4:-4], 10, 240)
    found = measure(evaluator, target(("ball", plain)), [scene((things["coffee"], 0, 0))] * 2)
    assert (
        "not found in its own reference picture, all of which counts: ball"
        in found["subject_similarity"].note
    )
    assert 0 < found["subject_similarity"].value < 1
    thing = framed("object", "rocket")
    for label in (None, "", " "):
        nameless = measure(evaluator, target((label, thing)), [scene((thing, 60, 40))] * 2)
        assert values(nameless) == pytest.approx([1, 1, 1], abs=1e-6)
        assert "reference 1 1.000 in 2 of 2 frames" in nameless["subject_similarity"].note


def test_frames_that_never_come(evaluator, target, measure, things):
    sample = target(("man", things["eileen"]))
    nothing = measure(evaluator, sample, [])
    assert {m.reason for m in nothing.values()} == {"no frame could be read"}
    some = measure(evaluator, sample, [scene((things["eileen"], 0, 0))])
    assert values(some) == pytest.approx([1, 1, 1], abs=1e-6)
    assert "1 of 2 frames could be read" in some["subject_coverage"].note
    assert some["subject_consistency"].reason == "fewer than 2 frames could be read"


def test_pictures_and_labels_as_hostile_as_they_come(evaluator, target, measure, things):
    """A picture of one pixel, a label without end, a blank one, thirty references."""
    dot = np.zeros((1, 1, 3), dtype=np.uint8)
    pictures = [("man", dot), ("x" * 1000, dot), ("\n", dot)] + [("ball", things["coffee"])] * 27
    found = measure(
        evaluator, target(*pictures), [scene((things["coffee"], 9, 9), (things["cat"], 90, 9))] * 2
    )
    assert found["subject_coverage"].value == pytest.approx(2 / 30)
    note = found["subject_coverage"].note
    assert "a class label is longer than the detector reads and was cut" in note
    assert "ball 27 " in note
    assert len(note) < 4000


def test_boxes_outside_empty_and_broken(runtime, target, measure, things):
    odd = [[-50, -50, 0, 0], [500, 0, 600, 90], [5, 5, 5, 50], [-20, -20, 20.5, 1000]]
    boxes = Boxes(
        corners=np.array(odd, dtype=np.float64),
        scores=np.array([0.9, 0.8, 0.7, 0.2]),
        labels=np.zeros(4, dtype=np.int64),
    )
    told = SubjectMetrics(SubjectOptions(frame_count=2), runtime, detector=ToldDetector(boxes))
    frames = [scene((things["eileen"], 0, 0))] * 2
    sample = target(("man", frames[0]))
    assert values(measure(told, sample, frames)) == pytest.approx([1, 1, 1], abs=1e-6)
    for field in ("corners", "scores"):
        broken = replace(boxes, **{field: getattr(boxes, field) * np.nan})
        lost = SubjectMetrics(SubjectOptions(frame_count=2), runtime, detector=ToldDetector(broken))
        found = measure(lost, sample, frames)
        assert found["subject_coverage"].reason == "the network's output is not finite"
        assert found["subject_similarity"].value is None
        assert found["subject_consistency"].value == pytest.approx(1)


def test_without_a_detector_whole_frames_are_compared_and_the_row_says_so(
    tmp_path_factory, runtime, target, measure, things
):
    file = tmp_path_factory.mktemp("weights") / "model.safetensors"
    save_file(dino._build().state_dict(), file)

    options = SubjectOptions(frame_count=2, detector="auto")
    assert SubjectMetrics.required_weights(options) == ("dinov2_vitb14",)
    assert SubjectMetrics.optional_weights(options) == ("owlv2_base",)
    assert not is_here("owlv2", Runtime())
    automatic = SubjectMetrics(options, Runtime(weights=WeightFiles(dinov2_vitb14=file)))
    # What a run records tells it from one with a detector.
    assert automatic.weights == {"dinov2_vitb14": "hash of dinov2_vitb14"}
    assert "weights are not on this machine" in automatic.notice
    frames = [scene((things["eileen"], 0, 0))] * 2
    sample = target(("man", frames[0]), ("man", frames[0]))
    found = measure(automatic, sample, frames)
    assert found["subject_similarity"].value == pytest.approx(1)
    assert found["subject_similarity"].note == f"{WHOLE_FRAME}; man 1 1.000, man 2 1.000"
    assert {found[name].reason for name in ("subject_coverage", "subject_similarity_all_frames")} == {
        WHOLE_FRAME
    }
    with pytest.raises(WeightsMissing):
        SubjectMetrics(SubjectOptions(detector="owlv2"), Runtime(weights=WeightFiles(dinov2_vitb14=file)))
    whole = SubjectMetrics(SubjectOptions(frame_count=2, detector="none"), runtime)
    assert [spec.name for spec in whole.specs] == ["subject_similarity", "subject_consistency"]
    assert whole.notice is None
    assert measure(whole, target(("man", frames[0])), frames)["subject_similarity"].note == WHOLE_FRAME
