"""Presets and changing them."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from pydantic import BaseModel, ValidationError

from ipvg_eval.reference_generator.errors import SettingsError
from ipvg_eval.reference_generator.preset import load_settings, preset_names
from ipvg_eval.reference_generator.published import differences
from ipvg_eval.reference_generator.settings import Settings

NAMES = {
    "vace-1.3b",
    "vace-14b",
    "tpige-paper",
    "tpige-code",
    "decoupled-ti2v-5b",
    "decoupled-a14b",
    "phantom-1.3b",
    "phantom-14b",
    "vace-fun-a14b",
    "skyreels-r2v-14b",
    "consisid",
    "tiny",
}


def test_every_system_has_a_preset_that_loads():
    assert set(preset_names()) == NAMES
    for name in NAMES:
        settings = load_settings(name)
        assert settings.name == name
        assert settings.tiny == (name == "tiny")
        assert bool(settings.sampling.negative_prompt) == (name not in ("skyreels-r2v-14b", "consisid"))


def test_presets_hold_the_published_settings():
    vace = load_settings("vace-14b")
    assert (vace.video.frames, vace.video.height, vace.video.width, vace.video.fps) == (81, 480, 832, 16)
    assert (vace.sampling.steps, vace.sampling.guidance, vace.sampling.shift) == (50, 5.0, 16.0)
    assert vace.sampling.seed == 2025
    tpige = load_settings("tpige-code")
    assert (tpige.identity.scale, tpige.identity.form, tpige.identity.skip_blocks) == (0.5, "code", (2,))
    assert tpige.model == vace.model
    ti2v = load_settings("decoupled-ti2v-5b")
    assert (ti2v.video.width, ti2v.video.height, ti2v.video.frames, ti2v.video.fps) == (1280, 704, 121, 24)
    assert (ti2v.picture.attempts, ti2v.picture.min_similarity) == (3, 0.5)
    a14b = load_settings("decoupled-a14b")
    assert (a14b.video.width, a14b.video.height, a14b.picture.prompt_from) == (1280, 720, "video")
    a14b = a14b.sampling
    assert (a14b.steps, a14b.guidance, a14b.guidance_low_noise, a14b.boundary) == (40, 3.5, 3.5, 0.9)
    large = load_settings("phantom-14b")
    assert (large.video.frames, large.video.fps, large.video.width) == (121, 24, 832)
    phantom = load_settings("phantom-1.3b")
    assert (phantom.phantom.image_guidance, phantom.sampling.guidance) == (5.0, 7.5)


@pytest.mark.parametrize("name", sorted(NAMES - {"tiny"}))
def test_a_preset_says_where_it_differs_from_what_it_is_named_after(name):
    settings = load_settings(name)
    assert settings.source
    rows = differences(settings)
    assert len(rows) >= 8
    assert [row.what for row in rows if row.published != row.here and not row.why] == []


def test_old_names_of_presets_keep_working(tmp_path):
    assert load_settings("std-a14b") == load_settings("decoupled-a14b")
    path = tmp_path / "mine.yaml"
    path.write_text("extends: std-ti2v-5b\n")
    assert load_settings(str(path)).model == load_settings("decoupled-ti2v-5b").model


@pytest.mark.parametrize(
    ("change", "read"),
    [
        ("sampling.steps=7", lambda s: s.sampling.steps == 7),
        ("steps=7", None),
        ("crf=20", lambda s: s.video.crf == 20),
        ("sampling.negative_prompt=a: b", None),
        ("sampling.negative_prompt='a: b'", lambda s: s.sampling.negative_prompt == "a: b"),
        ("runtime.lora=[{path: x.safetensors}]", lambda s: s.runtime.lora[0].scale == 1.0),
        ("identity.skip_blocks=[]", lambda s: s.identity.skip_blocks == ()),
    ],
)
def test_any_value_can_be_changed(change, read):
    if read is None:
        with pytest.raises(SettingsError):
            load_settings("vace-1.3b", [change])
    else:
        assert read(load_settings("vace-1.3b", [change]))


@pytest.mark.parametrize(
    ("preset", "changes", "hint"),
    [
        ("vace-13b", [], "'vace-1.3b'"),
        ("vace-1.3b", ["sampling.step=3"], "'sampling.steps'"),
        ("vace-1.3b", ["guidence=3"], "'sampling.guidance'"),
        ("vace-1.3b", ["steps=3"], "sampling.steps, picture.steps"),
        ("vace-1.3b", ["sampling.steps"], "key=value"),
    ],
)
def test_unknown_names_suggest_the_nearest(preset, changes, hint):
    with pytest.raises(SettingsError) as raised:
        load_settings(preset, changes)
    assert hint in (raised.value.hint or "")
    assert raised.value.exit_code == 2


MOVING = {
    "phantom-1.3b": ("weights_revision",),
    "phantom-14b": ("weights_revision",),
    "vace-fun-a14b": ("revision",),
    "skyreels-r2v-14b": ("revision",),
    "consisid": ("revision",),
}
"""Revisions that no record names for certain, and that therefore stay at `main`."""


@pytest.mark.parametrize("name", sorted(NAMES - {"tiny"}))
def test_models_are_pinned_to_commits(name):
    settings = load_settings(name)
    revisions = {"revision": settings.model.revision}
    if settings.model.weights_repo is not None:
        revisions["weights_revision"] = settings.model.weights_revision
    if settings.picture.use != "none":
        revisions["picture"] = settings.picture.revision
    moving = {use for use, revision in revisions.items() if not re.fullmatch("[0-9a-f]{40}", revision)}
    assert moving == set(MOVING.get(name, ()))


def test_another_repository_does_not_keep_a_pinned_revision():
    """A commit of one repository is none of another."""
    other = load_settings("decoupled-a14b", ["model.repo=a/b", "picture.repo=c/d"])
    assert (other.model.revision, other.picture.revision) == ("main", "main")
    named = load_settings("vace-1.3b", ["model.repo=a/b", "model.revision=v1"])
    assert named.model.revision == "v1"
    weights = load_settings("phantom-1.3b", ["model.weights_repo=a/b"]).model
    assert (weights.weights_revision, weights.revision) == (
        "main",
        load_settings("phantom-1.3b").model.revision,
    )


def test_no_number_of_the_settings_may_be_endless_or_none():
    """Every field that takes a fraction refuses NaN and both infinities."""
    seen = 0
    for section in Settings.model_fields.values():
        kind = section.annotation
        if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
            continue
        for name, field in kind.model_fields.items():
            if "float" not in str(field.annotation):
                continue
            seen += 1
            for value in (float("nan"), float("inf"), float("-inf")):
                with pytest.raises(ValidationError) as raised:
                    kind.model_validate({name: value})
                assert any(error["loc"] == (name,) for error in raised.value.errors()), name
    assert seen >= 15


@pytest.mark.parametrize(
    ("preset", "change", "message"),
    [
        ("vace-1.3b", "video.frames=80", "such as 77 or 81"),
        ("vace-1.3b", "video.width=100", "steps of 16 pixels"),
        ("vace-1.3b", "sampling.steps=0", "sampling.steps"),
        ("decoupled-a14b", "identity.scale=0.5", "needs a vace or phantom system"),
        ("phantom-1.3b", "sampling.guidance=1", "above 1"),
        ("vace-1.3b", "picture.use=first_frame", "decoupled"),
        ("vace-1.3b", "runtime.offload=disk", "runtime.offload"),
        ("decoupled-ti2v-5b", "video.height=720", "1280x720 is none. Near it: 1280x704 or 1280x736"),
        ("decoupled-ti2v-5b", "video.width=144", "144x704 is none. Near it: 128x704 or 160x704"),
        ("vace-1.3b", "sampling.guidance=.nan", "sampling.guidance: Input should be a finite number"),
        ("vace-1.3b", "identity.scale=.inf", "identity.scale: Input should be a finite number"),
        ("vace-1.3b", "runtime.lora=[{path: x, scale: -.inf}]", "scale: Input should be a finite number"),
    ],
)
def test_impossible_values_are_refused_with_the_reason(preset, change, message):
    with pytest.raises(SettingsError, match=message):
        load_settings(preset, [change])


def test_a_preset_file_extends_a_shipped_one(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("extends: vace-14b\ntitle: Mine\nsampling: {steps: 8, guidance: 1.0}\n")
    settings = load_settings(str(path))
    assert (settings.name, settings.title, settings.sampling.steps) == ("mine", "Mine", 8)
    assert settings.sampling.shift == 16.0
    path.write_text("extends: vace-14b\nsampling: {stepz: 8}\n")
    with pytest.raises(SettingsError, match=r"sampling\.stepz") as raised:
        load_settings(str(path))
    assert "sampling.steps" in (raised.value.hint or "")


def test_preset_files_that_extend_each_other_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text("extends: b.yaml\n")
    (tmp_path / "b.yaml").write_text("extends: a.yaml\n")
    with pytest.raises(SettingsError, match="circle"):
        load_settings("a.yaml")


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_tiny_variant_keeps_what_makes_the_system(name):
    full, tiny = load_settings(name), load_settings(name, tiny=True)
    assert tiny.tiny
    assert tiny.model.repo.startswith("tiny-")
    assert tiny.model.weights is None
    assert (tiny.system, tiny.identity, tiny.phantom) == (full.system, full.identity, full.phantom)
    assert tiny.sampling.guidance == full.sampling.guidance
    assert tiny.picture.use == full.picture.use


def test_a_tiny_variant_still_takes_changes():
    assert load_settings("tiny", ["sampling.steps=5"]).sampling.steps == 5
    assert load_settings("phantom-14b", ["tiny=true"]).model.architecture == "tiny-wan"


def test_reading_presets_imports_no_model_library():
    code = (
        "import sys; from ipvg_eval.reference_generator import machine, run, selection;"
        "from ipvg_eval.reference_generator.preset import load_settings;"
        "load_settings('tiny'); sys.exit('torch' in sys.modules or 'diffusers' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
