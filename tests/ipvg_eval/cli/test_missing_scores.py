"""A score that no sample has: the reason once, below the table, and how many samples have that reason."""

from __future__ import annotations

import shutil

import pytest
from PIL import Image

from ipvg_eval.cli.app import main


@pytest.fixture
def said(fixtures, tmp_path, monkeypatch, capsys):
    """What `score` prints where no reference shows a face; the second identity has no video."""
    for identity in ("id001", "id002"):
        (tmp_path / "testset" / identity).mkdir(parents=True)
        Image.new("RGB", (80, 80), "teal").save(tmp_path / "testset" / identity / "image.png")
        for prompt in (1, 2):
            (tmp_path / "testset" / identity / f"prompt{prompt}.txt").write_text("A person walks.")
    (tmp_path / "sub" / "id001").mkdir(parents=True)
    for prompt in (1, 2):
        video = fixtures / "submissions" / "careful" / "id001" / f"prompt{prompt}.mp4"
        shutil.copy(video, tmp_path / "sub" / "id001")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(
            [
                "score",
                "sub",
                "--protocol",
                "lite",
                "--metrics",
                "lite_identity,face_coverage",
                "--frames",
                "2",
            ]
        )
    out, err = capsys.readouterr()
    return ended.value.code, out, err


def test_the_reason_stands_once_below_the_table_with_its_count(said):
    code, out, err = said
    assert code == 4
    assert "0/4" in out
    lines = [line for line in out.splitlines() if line.startswith("lite_identity has no value: ")]
    assert len(lines) == 1
    reasons = lines[0].partition(": ")[2].split("; ")
    assert sorted(reasons) == [
        "no face in the reference picture (2 of 4)",
        "the video itself is not scored (2 of 4)",
    ]
    assert "face_coverage has no value" not in out
    assert err.count("id001/image.png: No face is found") == 1
