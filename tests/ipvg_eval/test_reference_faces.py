"""Reference pictures without a face, with several, a tiny or a turned one are told, each once."""

from __future__ import annotations

import json
import shutil

import pytest
from PIL import Image

from ipvg_eval import load_run, load_testset
from ipvg_eval.cli.app import main
from ipvg_eval.reference_faces import look_at_reference_faces
from ipvg_eval.results.references import findings_of


def _face(fixtures, number=1, size=280):
    (path,) = (fixtures / "testset" / f"id00{number}").glob("image.*")
    return Image.open(path).convert("RGB").resize((size, size))


def _two(fixtures):
    """A larger face at left, a smaller one at right."""
    picture = Image.new("RGB", (520, 300), "grey")
    picture.paste(_face(fixtures, 1, 280), (10, 10))
    picture.paste(_face(fixtures, 1, 160), (330, 60))
    return picture


def _small(fixtures):
    picture = Image.new("RGB", (640, 640), "grey")
    picture.paste(_face(fixtures, 1, 56), (300, 300))
    return picture


PICTURES = {
    "ordinary": (_face, None, ""),
    "none": (lambda _: Image.new("RGB", (300, 300), "teal"), "reference-without-face", "No face"),
    "two": (_two, "reference-several-faces", "2 faces; the larger at left is used"),
    "mirrored": (
        lambda f: _two(f).transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        "reference-several-faces",
        "the larger at right",
    ),
    "tiny": (_small, "reference-tiny-face", "tiny"),
    "upside down": (lambda f: _face(f).rotate(180), "reference-turned", "upside down"),
    "on its side": (lambda f: _face(f).rotate(90), "reference-turned", "turned to the side"),
}


@pytest.fixture(scope="module")
def testset(fixtures, tmp_path_factory):
    """One identity per picture, with two prompts each."""
    root = tmp_path_factory.mktemp("faces") / "testset"
    for number, (make, _, _) in enumerate(PICTURES.values(), start=1):
        folder = root / f"id{number:03d}"
        folder.mkdir(parents=True)
        make(fixtures).save(folder / "image.png")
        for prompt in (1, 2):
            (folder / f"prompt{prompt}.txt").write_text("a person walks")
    return root


@pytest.fixture(scope="module")
def found(testset):
    return look_at_reference_faces(load_testset(testset))


@pytest.mark.parametrize("case", PICTURES)
def test_every_kind_of_picture_is_told_once(found, case):
    number = list(PICTURES).index(case) + 1
    _, code, says = PICTURES[case]
    finding = {one.path: one for one in findings_of(found)}.get(f"id{number:03d}/image.png")
    assert (finding.code if finding else None) == code
    if finding:
        assert says in finding.message
        assert finding.action


# Where each face was pasted, in shares of the picture; a face fills most of the fixture's picture.
PASTED = {
    "ordinary": (0, 0, 1, 1), "none": None, "two": (10 / 520, 10 / 300, 290 / 520, 290 / 300),
    "mirrored": (230 / 520, 10 / 300, 510 / 520, 290 / 300),
    "tiny": (300 / 640, 300 / 640, 356 / 640, 356 / 640),
}  # fmt: skip


@pytest.mark.parametrize("case", PASTED)
def test_the_box_is_where_the_face_is(found, case):
    number = list(PICTURES).index(case) + 1
    (face,) = (one for one in found if one.path == f"id{number:03d}/image.png")
    pasted = PASTED[case]
    assert face.first
    assert (face.box is None) == (pasted is None)
    if face.box and pasted:
        left, top, right, bottom = face.box
        assert pasted[0] <= left < right <= pasted[2]
        assert pasted[1] <= top < bottom <= pasted[3]
        assert (right - left) * (bottom - top) > (pasted[2] - pasted[0]) * (pasted[3] - pasted[1]) / 10


def test_things_that_are_no_people_owe_no_face(tmp_path):
    Image.new("RGB", (64, 64), "red").save(tmp_path / "ball.png")
    item = {
        "img_paths": ["ball.png"],
        "class_label": ["ball"],
        "global_prompt": "a ball rolls",
        "temporal_captions": [{"start": 0, "end": 2, "description": "rolls"}],
    }
    (tmp_path / "eval.json").write_text(json.dumps([item]))
    assert look_at_reference_faces(load_testset(tmp_path)) == ()


def test_validate_and_score_say_it(fixtures, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(fixtures / "testset" / "id001", tmp_path / "testset" / "id001")
    (tmp_path / "testset" / "id001" / "image.png").unlink()
    _two(fixtures).save(tmp_path / "testset" / "id001" / "image.png")
    shutil.copytree(fixtures / "submissions" / "careful" / "id001", tmp_path / "sub" / "id001")
    with pytest.raises(SystemExit) as ended:
        main(["validate", "sub", "--faces", "--json"])
    assert not ended.value.code
    (finding,) = json.loads(capsys.readouterr().out)["testset_findings"]
    assert finding["code"] == "reference-several-faces"
    with pytest.raises(SystemExit):
        main(["score", "sub", "--protocol", "lite", "--metrics", "lite_identity", "--limit", "1", "--json"])
    assert capsys.readouterr().err.count("2 faces; the larger at left is used") == 1
    (face,) = load_run("runs/sub-lite").folder.read_reference_faces()
    assert face.finding.message == finding["message"]
    with pytest.raises(SystemExit):
        main(["report", "runs/sub-lite"])
    page = (tmp_path / "runs/sub-lite/report.html").read_text("utf-8")
    assert page.count("2 faces; the larger at left is used") == 1
    left, top, right, bottom = (100 * share for share in face.box)
    assert f'x="{left:.2f}" y="{top:.2f}" width="{right - left:.2f}" height="{bottom - top:.2f}"' in page
