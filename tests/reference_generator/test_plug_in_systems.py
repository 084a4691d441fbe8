"""Systems of other packages, real files of an installed distribution each, and any pipeline of diffusers."""

from __future__ import annotations

import sys

import pytest

from ipvg_eval.reference_generator.errors import SettingsError, SystemUnusable
from ipvg_eval.reference_generator.preset import load_settings
from ipvg_eval.reference_generator.run import generate
from ipvg_eval.reference_generator.system_loading import models_of
from ipvg_eval.reference_generator.systems.registry import plug_ins

GOOD = """
import numpy as np
from pydantic import BaseModel
from ipvg_eval.reference_generator.task import Clip
from ipvg_eval.reference_generator.video_file import write_mp4

class Options(BaseModel, extra="forbid"):
    grey: int = 10
    as_file: bool = False

class Lab:
    Options = Options

    def __init__(self, settings):
        self.options, self.video = Options(**settings.options), settings.video

    def make(self, task):
        assert task.texts and task.references and task.desk.files
        shape = (self.video.frames, self.video.height, self.video.width, 3)
        pictures = np.full(shape, self.options.grey, np.uint8)
        if not self.options.as_file:
            return Clip(pictures=pictures, notes=("made in the lab",))
        out = task.desk.scratch / "made.mp4"
        write_mp4(out, pictures, fps=self.video.fps)
        return out
"""
SIZE = ("video.width=64", "video.height=64", "video.frames=5")


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Gives a function that installs a package with a system called `lab`."""

    def install(code=GOOD, attribute="Lab"):
        site = tmp_path / "site"
        about = site / "lab-1.2.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text("Metadata-Version: 2.1\nName: lab\nVersion: 1.2\n")
        (about / "entry_points.txt").write_text(f"[ipvg_eval.systems]\nlab = lab_of_a_test:{attribute}\n")
        (site / "lab_of_a_test.py").write_text(code)
        monkeypatch.syspath_prepend(str(site))
        monkeypatch.delitem(sys.modules, "lab_of_a_test", raising=False)
        plug_ins.cache_clear()

    yield install
    plug_ins.cache_clear()


def test_an_installed_system_is_a_system_by_its_name(install, jobs, tmp_path):
    install()
    settings = load_settings("lab", SIZE)
    out = tmp_path / "out"
    outcome = generate(jobs, settings, out)
    assert [record.notes for record in outcome.made] == [("made in the lab",)] * 3
    assert generate(jobs, settings, out).finished_before == 3
    other = load_settings("lab", [*SIZE, "options.as_file=true"])
    assert len(generate(jobs[:1], other, out, overwrite=True).made) == 1, "its options count"


def test_options_are_checked_by_its_own_model(install):
    install()
    with pytest.raises(SettingsError, match=r"options.grey: .*integer"):
        load_settings("lab", ["options.grey=dark"])
    with pytest.raises(SettingsError, match=r"options.gray: Extra"):
        load_settings("lab", ["options.gray=1"])
    with pytest.raises(SettingsError) as raised:
        load_settings("labb")
    assert "'lab'" in raised.value.hint


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import a_package_nobody_has", "cannot be loaded .ModuleNotFoundError"),
        ("Lab = int", r"has no make\(task\)"),
        (GOOD.replace("def __init__(self, settings):", "def __init__(self):"), "cannot be loaded .TypeError"),
    ],
)
def test_a_broken_package_is_named_and_nobody_else_is_blamed(install, jobs, tmp_path, code, reason):
    install(code)
    with pytest.raises(SystemUnusable, match=f"the system lab.*{reason}") as raised:
        generate(jobs, load_settings("lab", SIZE), tmp_path / "out")
    assert raised.value.exit_code == 3


def test_what_is_no_clip_is_refused_with_what_it_is(install, jobs, tmp_path):
    install(GOOD.replace("np.uint8", "np.float32"))
    outcome = generate(jobs[:1], load_settings("lab", SIZE), tmp_path / "out")
    assert "no array of uint8" in outcome.failed[0].reason


@pytest.fixture
def any_pipeline(tmp_path):
    """A preset of kind "diffusers" on a tiny text-to-video pipeline."""
    folder = models_of(load_settings("phantom-1.3b", tiny=True))["video"].path
    path = tmp_path / "any.yaml"
    path.write_text(
        f"title: Any pipeline\nkind: diffusers\nmodel: {{path: {folder}}}\n"
        "video: {width: 64, height: 64, frames: 5, fps: 16}\nruntime: {dtype: float32}\n"
        "diffusers:\n  pipeline: WanPipeline\n  arguments: {prompt: '{prompt}', width: '{width}', "
        "height: '{height}', num_frames: '{frames}', num_inference_steps: 1, guidance_scale: '{guidance}'}\n"
    )
    return str(path)


def test_a_pipeline_of_diffusers_is_called_with_the_arguments_that_are_named(
    any_pipeline, jobs, tmp_path, files
):
    out = tmp_path / "out"
    assert len(generate(jobs[:2], load_settings(any_pipeline), out).made) == 2
    one, other = files(out).values()
    assert one != other, "the seed is the sample's own"


@pytest.mark.parametrize(
    ("change", "reason", "hint"),
    [
        ("diffusers.pipeline=WanPipelin", "has no pipeline", "WanPipeline"),
        ("diffusers.arguments={promt: x}", "takes no argument 'promt'", "prompt"),
        ("diffusers.arguments={prompt: '{promt}'}", "no placeholder", None),
        ("runtime.quantisation=torchao-int8", "knows neither", None),
    ],
)
def test_a_pipeline_or_argument_that_is_not_there_suggests_the_nearest(
    any_pipeline, jobs, tmp_path, change, reason, hint
):
    with pytest.raises(SettingsError, match=reason) as raised:
        generate(jobs, load_settings(any_pipeline, [change]), tmp_path / "out")
    assert hint is None or hint in raised.value.hint
