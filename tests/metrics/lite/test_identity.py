from __future__ import annotations

import cv2
import numpy as np
import pytest

from ipvg_eval.metrics.faces.alignment import align
from ipvg_eval.metrics.faces.detection import find_faces
from ipvg_eval.metrics.lite.identity import face_descriptor, similarity


@pytest.fixture(scope="module")
def crop_of(detector):
    def crop(picture):
        picture = np.ascontiguousarray(picture)
        (found,) = find_faces(detector, picture[None])
        assert found is not None
        return align(picture, found.face.points)

    return crop


@pytest.fixture(scope="module")
def crops(people, crop_of):
    return {name: crop_of(picture) for name, picture in people.items()}


def test_a_face_is_itself(crops):
    for crop in crops.values():
        descriptor = face_descriptor(crop)
        assert np.linalg.norm(descriptor) == pytest.approx(1.0)
        assert similarity(descriptor, descriptor[None]) == pytest.approx(1.0)


def test_similarity_is_symmetric_and_within_bounds(crops):
    descriptors = [face_descriptor(crop) for crop in crops.values()]
    for one in descriptors:
        for other in descriptors:
            forth, back = similarity(one, other[None]), similarity(other, one[None])
            assert forth == pytest.approx(back)
            assert -1.0 <= forth <= 1.0


def test_the_best_of_several_references_counts():
    face = np.array([1.0, 0.0])
    references = np.array([[0.6, 0.8], [0.0, 1.0], [-1.0, 0.0]])
    assert similarity(face, references) == pytest.approx(0.6)
    assert similarity(face, references[1:]) == 0.0
    assert similarity(face, references[2:]) == -1.0


def test_a_crop_without_structure_matches_nothing(crops):
    grey = face_descriptor(np.full((112, 112, 3), 90, dtype=np.uint8))
    assert not grey.any()
    assert similarity(grey, face_descriptor(crops["astronaut"])[None]) == 0.0


def test_exposure_changes_nothing_much(crops):
    for crop in crops.values():
        half = (crop // 2).astype(np.uint8)
        assert similarity(face_descriptor(half), face_descriptor(crop)[None]) > 0.9


def test_colour_is_not_part_of_it(crops):
    crop = crops["astronaut"]
    luma = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    np.testing.assert_array_equal(face_descriptor(np.repeat(luma[..., None], 3, 2)), face_descriptor(crop))


@pytest.mark.parametrize("shape", [(224, 224, 3), (112, 112), (112, 100, 3)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="aligned crop"):
        face_descriptor(np.zeros(shape, dtype=np.uint8))


def test_different_people_are_far_from_the_same_picture(crops):
    """Without the centring of both parts, most strangers would be above 0.3, or 0.5 with neither."""
    descriptors = np.stack([face_descriptor(crop) for crop in crops.values()])
    strangers = (descriptors @ descriptors.T)[~np.eye(len(descriptors), dtype=bool)]
    assert strangers.max() < 0.6
    assert np.median(strangers) < 0.2


@pytest.fixture(scope="module")
def similarities(people, crops, crop_of, alterations):
    """(person, alteration, reference) -> similarity, everyone against everyone."""
    references = {
        name: np.stack([face_descriptor(crop), face_descriptor(np.ascontiguousarray(crop[:, ::-1]))])
        for name, crop in crops.items()
    }
    values = {}
    for name, picture in people.items():
        for change, alter in alterations.items():
            altered = face_descriptor(crop_of(alter(picture)))
            for reference, descriptors in references.items():
                values[name, change, reference] = similarity(altered, descriptors)
    return values


@pytest.mark.parametrize("name", ["astronaut", "hopper", "cameraman"])
def test_every_altered_picture_matches_its_own_person_best(similarities, people, alterations, name):
    for change in alterations:
        own = similarities[name, change, name]
        strangers = [similarities[name, change, other] for other in people if other != name]
        assert own > max(strangers) + 0.05, (change, own, max(strangers))


def test_everyone_matches_their_own_reference_best(similarities, people, alterations):
    """On average over the alterations, also for faces seen at an angle; the right pair wins both ways."""
    mean = {
        (person, reference): np.mean([similarities[person, change, reference] for change in alterations])
        for person in people
        for reference in people
    }
    for name in people:
        strangers = [mean[pair] for pair in mean if (pair[0] == name) != (pair[1] == name)]
        assert mean[name, name] > max(strangers) + 0.1, (name, mean[name, name], max(strangers))
