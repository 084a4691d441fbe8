"""The evaluator from pictures to scores, against insightface's FaceAnalysis and plain library calls."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from insightface.app import FaceAnalysis
from insightface.utils import face_align
from PIL import Image
from pydantic import ValidationError
from torchvision import transforms

from ipvg_eval.core.errors import UnreadablePicture
from ipvg_eval.core.measurement import Frames
from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.faces.face_similarity import FaceSimilarity, FaceSimilarityOptions
from ipvg_eval.metrics.faces.random_onnx import write_detector
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.target import Reference, Target

# insightface calls functions that skimage, numpy and onnxruntime have deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def runtime(tmp_path_factory, small_pack, weights_from, curricular, imagenet, fid_network) -> Runtime:
    """Every weight as a file: full-size torch networks, small ONNX ones."""
    folder = tmp_path_factory.mktemp("weights")
    files = {name: small_pack / name for name in ("det_10g.onnx", "w600k_r50.onnx")}
    for name, encoder, classes in (
        ("curricularface_r101", curricular, 0),
        ("inception_v3_imagenet", imagenet, 1000),
        ("inception_v3_fid", fid_network, 1008),
    ):
        state = dict(encoder._network.state_dict())
        if classes:
            state |= {"fc.weight": torch.zeros(classes, 2048), "fc.bias": torch.zeros(classes)}
        files[name] = folder / f"{name}.pth"
        torch.save(state, files[name])
    return weights_from(files)


@pytest.fixture(scope="module")
def faces(runtime: Runtime) -> FaceSimilarity:
    return FaceSimilarity(FaceSimilarityOptions(), runtime)


@pytest.fixture(scope="module")
def reference(tmp_path_factory, pictures) -> Path:
    path = tmp_path_factory.mktemp("reference") / "face.png"
    Image.fromarray(pictures[2]).save(path)
    return path


@pytest.fixture(scope="module")
def frames(pictures) -> Frames:
    """Three frames, the second one black: a face is found there only inside the grey border of the retry."""
    return np.stack([pictures[0], np.zeros_like(pictures[0]), pictures[1]])


def _target(*paths: Path, labels=(None,)) -> Target:
    references = tuple(Reference(path=path, label=label) for path, label in zip(paths, labels, strict=False))
    return Target(sample_id="a", references=references, prompt="a person")


def _measure(faces: FaceSimilarity, target: Target, clip, frames: Frames, grouping: int):
    run = faces.start(target, clip)
    wanted = faces.frames(clip)
    for begin in range(0, len(frames), grouping):
        part = slice(begin, begin + grouping)
        run.add(wanted[part], frames[part])
    return {measurement.name: measurement for measurement in run.finish()}


class Published:
    """The published procedure in plain library calls: what ConsisID's script does to one picture."""

    def __init__(self, pack: Path, curricular: torch.nn.Module, inception: torch.nn.Module) -> None:
        self.analysis = FaceAnalysis(name=str(pack), providers=["CPUExecutionProvider"])
        self.analysis.prepare(ctx_id=0, det_size=(320, 320))
        self.curricular, self.inception = curricular, inception
        self.retried = 0

    def largest(self, bgr: Frames):
        found = self.analysis.get(bgr)
        areas = [(face.bbox[2] - face.bbox[0]) * (face.bbox[3] - face.bbox[1]) for face in found]
        return found[int(np.argmax(areas))] if found else None

    @torch.inference_mode()
    def encode(self, rgb: Frames) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
        face, shift = self.largest(bgr), (0, 0)
        if face is None:
            self.retried += 1
            height, width = bgr.shape[:2]
            shift = (width // 4, height // 4)
            grey = cv2.copyMakeBorder(
                bgr, shift[1], shift[1], shift[0], shift[0], cv2.BORDER_CONSTANT, value=(128, 128, 128)
            )
            face = self.largest(grey)
        crop = face_align.norm_crop(bgr, landmark=face.kps - np.array(shift), image_size=224)[..., ::-1]
        to_unit = transforms.Compose([transforms.ToTensor(), transforms.Normalize([0.5] * 3, [0.5] * 3)])
        cur = self.curricular(to_unit(cv2.resize(np.ascontiguousarray(crop), (112, 112)))[None])[0]
        large = transforms.Resize((299, 299))(Image.fromarray(np.ascontiguousarray(crop)))
        feature = self.inception(transforms.ToTensor()(large)[None])[0]
        return face.embedding, cur.numpy(), feature.numpy()


def test_scores_equal_the_published_procedure(
    faces, small_pack, reference, frames, curricular, imagenet, clip_of
):
    published = Published(small_pack, curricular._network, imagenet._network)
    expected_reference = published.encode(np.asarray(Image.open(reference).convert("RGB")))
    rows = [published.encode(frame) for frame in frames]
    assert published.retried == 1
    found = _measure(faces, _target(reference), clip_of(3), frames, 3)
    for name, position in (("arc_score", 0), ("cur_score", 1)):
        similar = [
            max(0.0, float(F.cosine_similarity(*map(torch.from_numpy, pair), dim=0)))
            for pair in ((row[position], expected_reference[position]) for row in rows)
        ]
        # Landmarks in float32 there and float64 here move one pixel of several thousand by one grey level.
        assert found[name].per_frame.values == pytest.approx(similar, abs=3e-5), name
        assert found[name].value == pytest.approx(np.mean(_repeated(similar)), abs=3e-5)
        expected_rows = np.stack([row[position] for row in rows])
        kept = _unit_rows(found[name].features.rows)
        np.testing.assert_allclose(kept, _unit_rows(expected_rows), atol=1e-4)
        assert max(similar) > 0.01
    distances = [float(np.square(row[2] - expected_reference[2]).sum()) for row in rows]
    assert found["face_feature_distance"].per_frame.values == pytest.approx(distances, rel=1e-4)
    assert found["face_feature_distance"].value == pytest.approx(np.mean(_repeated(distances)), rel=1e-4)
    assert found["face_coverage"].value == 1.0
    assert found["face_fid_samples"].features.rows.shape == (3, 2048)


def _unit_rows(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _repeated(values: list[float]) -> list[float]:
    """Three frames under the published rule for sixteen: floor(linspace(0, 2, 16)) is 8 x 0, 7 x 1, 1 x 2."""
    return [values[0]] * 8 + [values[1]] * 7 + [values[2]]


def test_results_do_not_depend_on_how_frames_come(faces, reference, frames, clip_of):
    together = _measure(faces, _target(reference), clip_of(3), frames, 3)
    single = _measure(faces, _target(reference), clip_of(3), frames, 1)
    for name, measurement in together.items():
        assert single[name].value == measurement.value
        assert single[name].per_frame == measurement.per_frame


def test_random_networks_of_full_size_measure_everything(random_runtime, reference, pictures, clip_of):
    faces = FaceSimilarity(FaceSimilarityOptions(frames=1), random_runtime)
    assert set(faces.weights.values()) == {"random:0"}
    found = _measure(faces, _target(reference), clip_of(1), pictures[:1], 1)
    assert [spec.name for spec in faces.specs] == list(found)
    assert all(measurement.value is not None for measurement in found.values())


def test_frames_of_81_are_the_published_table(faces, clip_of):
    expected = (0, 5, 10, 16, 21, 26, 32, 37, 42, 48, 53, 58, 64, 69, 74, 80)
    assert faces.frames(clip_of(81)) == expected
    assert faces.frames(clip_of(0)) == ()


@pytest.fixture(scope="module")
def blind(tmp_path_factory, runtime, weights_from) -> FaceSimilarity:
    """An evaluator whose detector finds nothing."""
    path = tmp_path_factory.mktemp("blind") / "det.onnx"
    write_detector(path, 0, planes=(16, 16, 16, 16), blocks=(1, 1, 1, 1), neck=16, head=16, score_bias=-50.0)
    options = FaceSimilarityOptions(no_face="zero", feature_distance=False, corpus_fid=False)
    recognisers = {name: runtime.weights.path(name) for name in ("w600k_r50.onnx", "curricularface_r101")}
    return FaceSimilarity(options, weights_from({**recognisers, "det_10g.onnx": path}))


def test_a_reference_without_a_face_is_missing_even_where_no_face_counts_as_zero(
    blind, reference, frames, clip_of
):
    found = _measure(blind, _target(reference), clip_of(3), frames, 3)
    assert found["cur_score"].value is None
    assert found["cur_score"].reason == "no face in the reference picture"
    assert found["face_coverage"].value == 0.0


def test_options_decide_which_networks_are_needed(blind):
    assert set(blind.weights) == {"det_10g.onnx", "w600k_r50.onnx", "curricularface_r101"}
    assert [spec.name for spec in blind.specs] == [
        "cur_score",
        "arc_score",
        "face_coverage",
        "cur_score_all_frames",
        "arc_score_all_frames",
    ]
    everything = FaceSimilarity.required_weights(FaceSimilarityOptions())
    assert set(everything) == {
        "det_10g.onnx",
        "w600k_r50.onnx",
        "curricularface_r101",
        "inception_v3_imagenet",
        "inception_v3_fid",
    }


def test_unclamped_scores_declare_their_range(runtime):
    options = FaceSimilarityOptions(clamp=False, feature_distance=False, corpus_fid=False)
    bounds = {spec.name: spec.bounds for spec in FaceSimilarity(options, runtime).specs}
    assert bounds["cur_score"] == (-1.0, 1.0)
    assert bounds["face_coverage"] == (0.0, 1.0)


@pytest.mark.parametrize(
    "options", [{"frame": 16}, {"frames": 0}, {"no_face": "skip"}, {"retry": "yes"}, {"zero_frames": "drop"}]
)
def test_unknown_options_are_refused(options):
    with pytest.raises(ValidationError):
        FaceSimilarityOptions.model_validate(options)


def test_without_weights_it_says_so():
    with pytest.raises(WeightsMissing):
        FaceSimilarity(FaceSimilarityOptions(), Runtime())


def test_an_unreadable_reference_is_an_error_with_its_path(faces, tmp_path, clip_of):
    path = tmp_path / "broken.png"
    path.write_bytes(b"no picture")
    with pytest.raises(UnreadablePicture, match=r"broken\.png"):
        faces.start(_target(path), clip_of(3))


def test_as_stored_ignores_orientation_and_transparency_and_as_seen_heeds_them(
    runtime, pictures, tmp_path, clip_of
):
    """The same pixels, turned by a tag or seen through, are the plain picture to the published scripts."""
    plain, turned, glass = (tmp_path / name for name in ("plain.png", "turned.png", "glass.png"))
    picture = Image.fromarray(pictures[2])
    picture.save(plain)
    tag = Image.Exif()
    tag[0x0112] = 6
    picture.save(turned, exif=tag)
    alpha = Image.fromarray(np.tile(np.uint8([[40, 255]]), (180, 160)))
    Image.merge("RGBA", (*picture.split(), alpha)).save(glass)
    sliver = np.zeros((1, 2, 1000, 3), dtype=np.uint8)  # no face in it, so only references are encoded
    small = {"feature_distance": False, "corpus_fid": False, "frames": 1}
    embeddings = {}
    for pixels in ("as_stored", "as_seen"):
        faces = FaceSimilarity(FaceSimilarityOptions(reference_pixels=pixels, **small), runtime)
        for path in (plain, turned, glass):
            found = _measure(faces, _target(path), clip_of(1), sliver, 1)
            embeddings[pixels, path.stem] = found["arc_score"].features.reference
    plain_one = embeddings["as_stored", "plain"]
    assert np.array_equal(embeddings["as_stored", "turned"], plain_one)
    assert np.array_equal(embeddings["as_stored", "glass"], plain_one)
    assert np.array_equal(embeddings["as_seen", "plain"], plain_one)
    assert not np.array_equal(embeddings["as_seen", "turned"], plain_one)
    assert not np.array_equal(embeddings["as_seen", "glass"], plain_one)


def test_the_first_person_is_found_by_label_or_by_folder(runtime, pictures, tmp_path, clip_of):
    options = FaceSimilarityOptions(
        reference="first_person", feature_distance=False, corpus_fid=False, frames=1
    )
    faces = FaceSimilarity(options, runtime)
    (tmp_path / "crop_woman").mkdir()
    ball, woman = tmp_path / "ball.png", tmp_path / "crop_woman" / "1.png"
    Image.fromarray(pictures[0]).save(ball)
    Image.fromarray(pictures[0]).save(woman)
    same = pictures[:1]
    by_folder = _measure(faces, _target(ball, woman, labels=("ball", None)), clip_of(1), same, 1)
    by_label = _measure(faces, _target(woman, ball, labels=("ball", "man")), clip_of(1), same, 1)
    assert by_folder["arc_score"].value == pytest.approx(1.0, abs=1e-6)
    assert by_label["arc_score"].value == pytest.approx(1.0, abs=1e-6)
    nobody = _measure(faces, _target(ball, labels=("ball",)), clip_of(1), same, 1)
    assert nobody["arc_score"].value is None
    assert "person" in nobody["arc_score"].reason
