"""The recipe: one carrier of every setting, from the command or Python to the networks."""

from __future__ import annotations

import inspect
from dataclasses import fields

import pytest

from ipvg_eval import Recipe, score
from ipvg_eval.cli.score import score as command
from ipvg_eval.core.errors import UsageError

FAST = ["dynamic_degree_lite"]


def test_the_command_has_an_option_for_every_setting_with_the_same_default():
    options = inspect.signature(command).parameters
    assert {field.name: field.default for field in fields(Recipe)} == {
        field.name: options[field.name].default for field in fields(Recipe)
    }


def test_a_recipe_and_a_protocol_contradict_each_other(fixtures):
    careful, testset = fixtures / "submissions" / "careful", fixtures / "testset"
    with pytest.raises(UsageError, match="recipe and a protocol"):
        score(careful, testset=testset, recipe=Recipe(protocol="lite"), protocol="ipvg")


def test_every_setting_reaches_the_networks():
    recipe = Recipe(protocol="lite", metrics=FAST, frames=3, device="cpu", dtype="float16", batch_size=5)
    built = recipe.build()
    runtime = built.runtime
    assert (runtime.device, runtime.dtype, runtime.batch_size, runtime.compiled) == (
        "cpu",
        "float16",
        5,
        False,
    )
    assert [spec.name for spec in built.specs] == FAST
    assert built.protocol.definition.evaluators[0].options == {"triplets": 3}


def test_a_loaded_recipe_needs_no_file_any_more(tmp_path):
    """A worker on another machine builds the same scorer from it."""
    file = tmp_path / "own.yaml"
    file.write_text("name: own\nversion: 1\ntitle: Own\nevaluators: [{kind: lite_motion}]\n")
    recipe = Recipe(protocol=str(file), metrics=FAST, frames=3, device="cpu")
    loaded = recipe.loaded()
    sha256 = recipe.load_protocol().sha256
    file.unlink()
    assert loaded.build().protocol.sha256 == sha256
    assert loaded.loaded().load_protocol().sha256 == sha256
