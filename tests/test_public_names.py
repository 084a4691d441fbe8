"""The names of docs/api.md: each is there, and its docstring names whatever it takes."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

import ipvg_eval
from ipvg_eval import torchmetrics, training

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "api.md").read_text("utf-8")
PUBLIC = {
    name: getattr(module, name) for module in (ipvg_eval, torchmetrics, training) for name in module.__all__
}
MEASURING = (
    ipvg_eval.measure,
    ipvg_eval.measure_all,
    ipvg_eval.score,
    ipvg_eval.compare,
    ipvg_eval.Scorer.__call__,
    ipvg_eval.Recipe.build,
    training.EveryNSteps.evaluate,
)


def _functions(thing):
    """The function, or a class's public methods; those that dataclasses write are told by the class."""
    if not inspect.isclass(thing):
        return [thing]
    written = "__dataclass_fields__" in vars(thing)
    return [
        method
        for name, method in vars(thing).items()
        if inspect.isfunction(method)
        and (name[0] != "_" or name == "__call__" or (name == "__init__" and not written))
    ]


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_is_on_the_page_and_says_what_it_takes(name):
    assert name in PAGE
    found = PUBLIC[name]
    assert inspect.getdoc(found)
    for fields in getattr(found, "__dataclass_fields__", {}):
        assert fields[0] == "_" or f"{fields}:" in inspect.getdoc(found)
    for function in _functions(found):
        told = inspect.getdoc(function) or ""
        taken = [one for one in inspect.signature(function).parameters if one != "self" and one[0] != "_"]
        assert told, function
        if len(taken) > 2:  # fewer are told of in a sentence
            assert not [one for one in taken if f"{one}:" not in told], function


@pytest.mark.parametrize("function", MEASURING, ids=lambda function: function.__qualname__)
def test_what_measures_says_what_it_raises(function):
    assert "Raises:" in inspect.getdoc(function)
