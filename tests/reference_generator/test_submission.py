"""What every system's tiny variant makes is a valid submission that can be scored."""

from __future__ import annotations

import pytest

from ipvg_eval.reference_generator.job import Job
from ipvg_eval.reference_generator.preset import load_settings, preset_names
from ipvg_eval.reference_generator.run import generate
from ipvg_eval.scoring import Recipe, score
from ipvg_eval.submission import load_submission
from ipvg_eval.testset import load_testset
from ipvg_eval.validation import validate


@pytest.fixture(scope="module")
def lite():
    return Recipe(protocol="lite").build()


@pytest.fixture
def testset(tmp_path, picture):
    folder = tmp_path / "testset" / "id001"
    folder.mkdir(parents=True)
    picture(96).save(folder / "image.png")
    (folder / "prompt1.txt").write_text("a woman walks on the beach")
    return folder.parent


@pytest.mark.parametrize("name", preset_names())
def test_a_tiny_variant_validates_and_is_scored(name, testset, tmp_path, lite):
    loaded = load_testset(testset)
    jobs = [
        Job(id=s.id, prompt=s.prompt, references=tuple(r.path for r in s.references), video=s.video)
        for s in loaded.samples
    ]
    out = tmp_path / "submission"
    outcome = generate(jobs, load_settings(name, ["sampling.steps=1"], tiny=True), out)
    assert not outcome.failed
    report = validate(load_submission(out), testset=loaded)
    assert list(report.findings) == []
    run = score(load_submission(out), testset=testset, recipe=lite, team=name, out=tmp_path / "run")
    assert run.summary.counts.scored == 1
