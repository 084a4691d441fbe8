"""Reference pictures: reading, fitting, and making new ones with several tries."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from ipvg_eval.reference_generator.errors import ModelsMissing, UnreadableReference
from ipvg_eval.reference_generator.picture_stage import PictureModel, best_picture
from ipvg_eval.reference_generator.pictures import covering, fitted, read_picture
from ipvg_eval.reference_generator.preset import load_settings
from ipvg_eval.reference_generator.record import read_record, record_path, records_folder
from ipvg_eval.reference_generator.run import generate
from ipvg_eval.reference_generator.segmentation import cut_out, wanted_label
from ipvg_eval.reference_generator.system_loading import load_system, models_of
from ipvg_eval.reference_generator.systems.system import VideoSystem
from ipvg_eval.reference_generator.task import Clip


def test_pictures_are_read_as_people_see_them(tmp_path):
    half = Image.new("RGBA", (4, 2), (255, 0, 0, 255))
    half.putpixel((0, 0), (0, 0, 0, 0))
    half.save(tmp_path / "clear.png")
    seen = read_picture(tmp_path / "clear.png")
    assert (seen.mode, seen.getpixel((0, 0)), seen.getpixel((1, 0))) == (
        "RGB",
        (255, 255, 255),
        (255, 0, 0),
    )
    turned = Image.new("RGB", (4, 2))
    exif = turned.getexif()
    exif[0x0112] = 6  # to be turned by a quarter
    turned.save(tmp_path / "turned.jpg", exif=exif)
    assert read_picture(tmp_path / "turned.jpg").size == (2, 4)


@pytest.mark.parametrize("content", [b"", b"text", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_is_named(tmp_path, content):
    path = tmp_path / "x.png"
    path.write_bytes(content)
    with pytest.raises(UnreadableReference, match=r"x\.png"):
        read_picture(path)


def test_fitting_keeps_the_whole_and_covering_fills_the_frame():
    stripes = Image.fromarray(np.repeat(np.array([[[255, 0, 0], [0, 0, 255]]], np.uint8), 2, 0).repeat(8, 1))
    assert stripes.size == (16, 2)
    whole = np.asarray(fitted(stripes, 32, 32))
    assert (whole[0] == 255).all()
    assert whole[16, 0].tolist() == [255, 0, 0]
    assert whole[16, 31].tolist() == [0, 0, 255]
    filled = covering(stripes, 32, 32)
    assert filled.size == (32, 32)
    assert not (np.asarray(filled) == 255).all(-1).any()


def shade(value):
    return Image.new("RGB", (4, 4), (value, value, value))


def try_pictures(similarities, threshold=0.5, attempts=3):
    """Draw one shade per try; the similarity of the n-th is given."""
    drawn = []

    def draw(_reference, prompt, seed):
        drawn.append((prompt, seed))
        return shade(len(drawn))

    def similarity(_reference, made):
        return similarities[int(made[0, 0, 0]) - 1]

    outcome = best_picture(
        shade(0), "p", 10, draw=draw, similarity=similarity, attempts=attempts, threshold=threshold
    )
    return outcome, drawn


@pytest.mark.parametrize(
    ("similarities", "best", "attempts"),
    [
        ([0.6], 1, 1),
        ([0.4, 0.5], 2, 2),
        ([0.3, 0.4, 0.2], 2, 3),
        ([None, 0.1, None], 2, 3),
        ([-0.2, None, -0.1], 3, 3),
        ([0.4, 0.4, 0.4], 1, 3),
    ],
)
def test_trying_ends_at_the_threshold_and_keeps_the_best(similarities, best, attempts):
    outcome, drawn = try_pictures(similarities)
    assert outcome.picture.getpixel((0, 0))[0] == best
    assert outcome.similarity == similarities[best - 1]
    assert outcome.attempts == attempts
    assert drawn == [("p", 10 + n) for n in range(attempts)]


def test_no_face_in_any_try_gives_no_picture():
    outcome, _ = try_pictures([None, None, None])
    assert (outcome.picture, outcome.similarity, outcome.attempts) == (None, None, 3)


def test_the_picture_model_draws_in_the_videos_size(picture):
    settings = load_settings("decoupled-ti2v-5b", ["video.width=96", "video.height=64"], tiny=True)
    model = PictureModel(models_of(settings)["picture"].path, settings)
    first, again, other = (np.asarray(model.draw(picture(), "a man", seed)) for seed in (1, 1, 2))
    assert first.shape == (64, 96, 3)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_model_that_takes_no_picture_is_refused():
    settings = load_settings("phantom-1.3b", tiny=True)
    with pytest.raises(ModelsMissing, match="WanPipeline takes no picture"):
        PictureModel(models_of(settings)["video"].path, settings)


@pytest.mark.parametrize(
    ("values", "note"),
    [
        ([0.9], None),
        ([0.1, 0.3, 0.2], "face similarity of the picture is 0.30 at best"),
        ([None, None, None], "no face in 3 pictures; the reference itself is used"),
    ],
)
def test_a_run_makes_first_frames_and_records_how_good_they_are(jobs, fast, tmp_path, values, note):
    answers = iter(values)
    used = []

    def load(settings, found):
        system = load_system(settings, found)
        make = system.make
        system.make = lambda task: used.append(task.first_frame) or make(task)
        return system

    settings = load_settings("decoupled-ti2v-5b", fast, tiny=True)
    out = tmp_path / "out"
    outcome = generate(jobs[:1], settings, out, similarity=lambda *_: next(answers), load=load)
    record = read_record(record_path(out, jobs[0]))
    assert record.notes == ((note,) if note else ())
    assert "pictures" in record.seconds
    assert not outcome.failed
    (saved,) = records_folder(out).rglob("*.png")
    assert np.array_equal(np.asarray(used[0]), np.asarray(read_picture(saved)))
    reference = np.asarray(read_picture(jobs[0].references[0]))
    assert (np.asarray(used[0]).shape == reference.shape) == (values == [None] * 3)


def test_pictures_of_an_interrupted_run_are_not_drawn_again(jobs, fast, tmp_path):
    settings, out, compared = load_settings("decoupled-ti2v-5b", fast, tiny=True), tmp_path / "out", []

    def interrupted(*_):
        raise KeyboardInterrupt

    def similarity(*_):
        compared.append(1)
        return 0.2

    with pytest.raises(KeyboardInterrupt):
        generate(jobs[:2], settings, out, similarity=similarity, load=interrupted)
    assert len(compared) == 2 * 3
    outcome = generate(jobs[:2], settings, out, similarity=similarity)
    assert len(compared) == 2 * 3
    assert outcome.made[0].notes == ("face similarity of the picture is 0.20 at best",)


def test_an_enhanced_reference_takes_the_first_ones_place(jobs, fast, tmp_path):
    used = []

    def load(settings, found):
        system = load_system(settings, found)
        make = system.make
        system.make = lambda task: used.append(task.references) or make(task)
        return system

    settings = load_settings("tpige-paper", [*fast, "picture.use=reference"], tiny=True)
    generate(jobs[:1], settings, tmp_path / "out", similarity=lambda *_: 1.0, load=load)
    original = np.asarray(read_picture(jobs[0].references[0]))
    assert np.asarray(used[0][0]).shape != original.shape


def test_what_bears_the_label_is_kept_and_the_rest_is_white(picture):
    left = np.zeros((64, 64), dtype=np.uint8)
    left[:, :32] = 255
    segments = [
        {"label": "person", "mask": Image.fromarray(left)},
        {"label": "dog-other-merged", "mask": Image.fromarray(255 - left)},
    ]
    whole = picture(64)
    person, dog = (np.asarray(cut_out(whole, segments, label)) for label in ("person", "dog"))
    assert np.array_equal(person[:, :32], np.asarray(whole)[:, :32])
    assert (person[:, 32:] == 255).all()
    assert np.array_equal(dog[:, 32:], np.asarray(whole)[:, 32:])
    assert cut_out(whole, segments, "cat") is None


@pytest.mark.parametrize(
    ("said", "label"), [(None, "person"), ("", "person"), ("Old man", "person"), ("brown Dog", "dog")]
)
def test_labels_are_turned_into_what_models_say(said, label):
    assert wanted_label(said) == label


def test_segmented_references_reach_the_video_and_are_kept(jobs, fast, tmp_path):
    seen = []

    class Watching(VideoSystem):
        def __init__(self):
            pass

        def make(self, task):
            seen.append(task.references)
            return Clip(pictures=np.zeros((5, 64, 64, 3), dtype=np.uint8))

        def _pass(self, task, part, known, options):
            raise NotImplementedError

    out = tmp_path / "out"
    settings = load_settings("vace-1.3b", [*fast, "references.segment=true"], tiny=True)
    job = replace(jobs[0], references=jobs[0].references * 2, labels=("woman", "zebra"))
    outcome = generate([job], settings, out, load=lambda *_: Watching())
    kept = sorted(records_folder(out).rglob("*.png"))
    assert len(kept) == 2
    for used, file in zip(seen[0], kept, strict=True):
        with Image.open(file) as saved:
            assert np.array_equal(np.asarray(used), np.asarray(saved))
    name = job.references[0].name
    assert outcome.made[0].notes[-1] == f"no zebra was found in {name}, which is used as it is"
    assert np.array_equal(np.asarray(seen[0][1]), np.asarray(read_picture(job.references[1])))
