from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pydantic
import pytest
import skimage.data
from PIL import Image

from ipvg_eval.core.errors import UnreadablePicture
from ipvg_eval.metrics.lite.faces import LiteFaces, LiteFacesOptions
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.target import Reference, Target


@pytest.fixture(scope="module")
def evaluator():
    return LiteFaces(LiteFacesOptions(), Runtime())


@pytest.fixture(scope="module")
def astronaut():
    return skimage.data.astronaut()


@pytest.fixture(scope="module")
def faceless():
    return cv2.resize(skimage.data.rocket(), (512, 512), interpolation=cv2.INTER_AREA)


def test_specs_say_what_the_numbers_mean(evaluator):
    coverage, identity = evaluator.specs
    assert (coverage.name, coverage.higher_is_better, coverage.bounds) == ("face_coverage", True, (0.0, 1.0))
    assert (identity.name, identity.higher_is_better, identity.bounds) == ("lite_identity", True, (-1.0, 1.0))
    assert identity.proxy
    assert not coverage.proxy
    assert set(identity.weights) == set(evaluator.weights)
    assert LiteFaces.required_weights(LiteFacesOptions()) == ()


def test_unknown_options_are_refused():
    with pytest.raises(pydantic.ValidationError):
        LiteFacesOptions.model_validate({"frame": 16})


def test_looks_at_sixteen_frames_by_the_published_rule(evaluator, clip_of, astronaut):
    clip = clip_of([astronaut] * 81)
    published = (0, 5, 10, 16, 21, 26, 32, 37, 42, 48, 53, 58, 64, 69, 74, 80)
    assert tuple(evaluator.frames(clip)) == published


def test_the_reference_itself_scores_one(evaluator, measure, target_with, astronaut):
    measured = measure(evaluator, [astronaut] * 3, target_with(astronaut))
    assert measured["face_coverage"].value == 1.0
    assert measured["lite_identity"].value == pytest.approx(1.0)
    assert measured["lite_identity"].per_frame.indices == (0, 1, 2)


def test_the_box_of_a_face_goes_with_it_and_keeps_its_share(evaluator, measure, target_with, astronaut):
    # The astronaut's face, and the same picture in the right half of one twice as wide.
    wide = np.zeros((512, 1024, 3), dtype=np.uint8)
    wide[:, 512:] = astronaut
    for frame, left, width in ((astronaut, 0.0, 1.0), (wide, 0.5, 0.5)):
        found = measure(evaluator, [frame, np.zeros_like(frame)], target_with(astronaut))["face_coverage"]
        box, nothing = found.per_frame.boxes
        assert nothing is None
        x, y = 223 / 512, 113 / 512  # the tip of her nose, by hand
        assert box[0] < left + width * x < box[2]
        assert box[1] < y < box[3]
        assert 0.1 < box[3] - box[1] < 0.35
        assert (box[2] - box[0]) / width == pytest.approx(0.18, abs=0.06)


def test_its_mirror_image_scores_one_too(evaluator, measure, target_with, astronaut):
    mirrored = np.ascontiguousarray(astronaut[:, ::-1])
    value = measure(evaluator, [mirrored], target_with(astronaut))["lite_identity"].value
    assert value > 0.8


def test_coverage_counts_frames_and_identity_skips_them(evaluator, measure, target_with, astronaut, faceless):
    video = [astronaut, faceless, astronaut, faceless, faceless]
    measured = measure(evaluator, video, target_with(astronaut))
    assert measured["face_coverage"].value == pytest.approx(2 / 5)
    assert measured["face_coverage"].per_frame.values == (1.0, 0.0, 1.0, 0.0, 0.0)
    assert measured["lite_identity"].value == pytest.approx(1.0)
    first, second, *rest = measured["lite_identity"].per_frame.values
    assert first == pytest.approx(1.0)
    assert second is None
    assert rest[0] == first
    assert rest[1:] == [None, None]


def test_the_mean_descriptor_is_kept_with_the_references(
    evaluator, measure, target_with, astronaut, faceless
):
    measured = measure(evaluator, [astronaut, faceless, astronaut], target_with(astronaut))["lite_identity"]
    kept = measured.features
    assert kept.indices == ()
    assert (kept.rows.shape, kept.reference.shape) == ((1, 8975), (2, 8975))
    # The face that is shown is the reference's, so that its cosine is the metric's value; as float32.
    assert float((kept.reference @ kept.rows[0]).max()) == pytest.approx(measured.value, abs=1e-5)
    nothing = measure(evaluator, [np.zeros_like(astronaut)], target_with(astronaut))["lite_identity"]
    assert nothing.features is None


def test_a_video_without_faces_has_coverage_zero_and_no_identity(evaluator, measure, target_with, astronaut):
    measured = measure(evaluator, [np.zeros_like(astronaut)] * 4, target_with(astronaut))
    assert measured["face_coverage"].value == 0.0
    assert measured["lite_identity"].value is None
    assert measured["lite_identity"].reason == "no face in any of 4 frames"


def test_a_reference_without_a_face_leaves_coverage(evaluator, measure, target_with, astronaut, faceless):
    measured = measure(evaluator, [astronaut], target_with(faceless))
    assert measured["face_coverage"].value == 1.0
    assert measured["lite_identity"].value is None
    assert measured["lite_identity"].reason == "no face in the reference picture"
    both = measure(evaluator, [astronaut], target_with(faceless, faceless))
    assert both["lite_identity"].reason == "no face in any reference picture"


def test_of_several_references_the_best_counts_frame_by_frame(
    evaluator, measure, target_with, people, faceless
):
    astronaut, hopper = people["astronaut"], people["hopper"][:512]
    video = [astronaut, hopper]
    measured = measure(evaluator, video, target_with(astronaut, hopper, faceless))
    assert measured["lite_identity"].value == pytest.approx(1.0)
    assert measured["lite_identity"].note == "no face in 1 of 3 reference pictures"
    one = measure(evaluator, video, target_with(astronaut))["lite_identity"]
    assert one.note is None
    assert one.per_frame.values[0] == pytest.approx(1.0)
    assert one.per_frame.values[1] < 0.6


def test_no_frame_at_all(evaluator, measure, target_with, astronaut):
    measured = measure(evaluator, [astronaut] * 3, target_with(astronaut), arriving=0)
    assert measured["face_coverage"].value is None
    assert measured["face_coverage"].reason == "no frame could be decoded"
    assert measured["lite_identity"].reason == "no frame could be decoded"


def test_a_damaged_tail_is_measured_as_far_as_it_goes(evaluator, measure, target_with, astronaut, faceless):
    video = [astronaut, faceless, astronaut, faceless]
    measured = measure(evaluator, video, target_with(astronaut), arriving=3)
    assert measured["face_coverage"].value == pytest.approx(2 / 3)
    assert measured["face_coverage"].per_frame.indices == (0, 1, 2)


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_batching_changes_nothing(evaluator, measure, target_with, people, faceless, batch):
    turned = np.rot90(people["astronaut"]).copy()
    video = [people["astronaut"], faceless, people["hopper"][:512], turned, people["cameraman"]]
    target = target_with(people["astronaut"])
    one, other = (measure(evaluator, video, target, batch=size) for size in (batch, 2))
    for name, found in one.items():
        expected = other[name]
        assert (found.value, found.per_frame) == (expected.value, expected.per_frame)
        assert (found.reason, found.note) == (expected.reason, expected.note)
    kept, same = (found["lite_identity"].features for found in (one, other))
    assert np.array_equal(kept.rows, same.rows)
    assert np.array_equal(kept.reference, same.reference)


def test_an_unreadable_reference_is_an_error_with_a_way_out(evaluator, clip_of, astronaut, tmp_path):
    broken = tmp_path / "image.png"
    broken.write_bytes(b"no picture")
    target = Target(sample_id="1", references=(Reference(path=broken),), prompt="")
    with pytest.raises(UnreadablePicture, match=r"image\.png") as caught:
        evaluator.start(target, clip_of([astronaut]))
    assert caught.value.hint


def test_a_reference_is_searched_once(evaluator, clip_of, target_with, astronaut):
    target = target_with(astronaut)
    evaluator.start(target, clip_of([astronaut]))
    target.references[0].path.unlink()
    evaluator.start(target, clip_of([astronaut]))


@pytest.mark.parametrize("person", ["astronaut", "hopper", "cameraman"])
def test_a_person_scores_above_everyone_else(evaluator, measure, target_with, people, alterations, person):
    target = target_with(people[person])
    own = [np.ascontiguousarray(alterations[change](people[person])) for change in ("turned left", "darker")]
    values = measure(evaluator, own, target)["lite_identity"].per_frame.values
    for name, stranger in people.items():
        if name != person:
            value = measure(evaluator, [stranger], target)["lite_identity"].value
            assert min(values) > value + 0.1, (name, values, value)


def test_the_wrong_person_drags_a_video_down_frame_by_frame(evaluator, measure, target_with, people):
    own, other = people["astronaut"], people["cameraman"]
    target = target_with(own)
    values = [
        measure(evaluator, [own] * (4 - wrong) + [other] * wrong, target)["lite_identity"].value
        for wrong in range(5)
    ]
    assert all(before > after for before, after in itertools.pairwise(values))


def test_a_generated_video_is_nearest_to_its_own_person(
    measure, target_with, shared_data, people, read_video
):
    evaluator = LiteFaces(LiteFacesOptions(frames=4), Runtime())
    frames = read_video(shared_data / "videos" / "generated_face_480p.mp4")
    own = measure(evaluator, frames[1:], target_with(frames[0]))["lite_identity"].value
    folders = sorted((shared_data / "testset_folder").iterdir())
    strangers = {
        folder.name: np.asarray(Image.open(folder / "image.png").convert("RGB")) for folder in folders
    }
    for name, picture in {**people, **strangers}.items():
        other = measure(evaluator, frames[1:], target_with(picture))["lite_identity"].value
        assert own > other + 0.15, (name, own, other)


def test_a_fresh_process_measures_the_same_bits(evaluator, measure, target_with, people, tmp_path):
    picture = people["astronaut"]
    target = target_with(people["hopper"])
    here = measure(evaluator, [picture], target)["lite_identity"].value
    reference = str(target.references[0].path)
    frame = tmp_path / "frame.npy"
    np.save(frame, picture)
    script = f"""
import numpy as np, torch
from pathlib import Path
from ipvg_eval.metrics.evaluator import ClipInfo
from ipvg_eval.metrics.lite.faces import LiteFaces, LiteFacesOptions
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.target import Reference, Target
torch.set_num_threads(1)
clip = ClipInfo(frame_count=1, width=512, height=512, fps=16.0, duration=0.1, times=(0.0,))
target = Target(sample_id="1", references=(Reference(path=Path({reference!r})),), prompt="")
measuring = LiteFaces(LiteFacesOptions(), Runtime()).start(target, clip)
measuring.add([0], np.load({str(frame)!r})[None])
print(measuring.finish()[1].value.hex())
"""
    root = Path(__file__).resolve().parents[3]
    fresh = subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        capture_output=True,
        text=True,
        cwd=root,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert fresh.stdout.strip() == here.hex()
