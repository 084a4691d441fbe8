"""The list of commands that `--help` shows without importing them."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys

import pytest
import typer

from ipvg_eval.cli.app import build_app
from ipvg_eval.cli.commands import COMMANDS

HEAVY = ("av", "cv2", "numpy", "pandas", "pyarrow", "pydantic", "scipy", "torch", "huggingface_hub")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_of_itself_what_the_list_says(name):
    target, line = COMMANDS[name]
    module, attribute = target.split(":")
    command = getattr(importlib.import_module(f"ipvg_eval.cli.{module}"), attribute)
    own = command.info.help if isinstance(command, typer.Typer) else inspect.getdoc(command)
    assert own.splitlines()[0] == line


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_import_nothing_heavy(option, tmp_path):
    program = f"""
import sys
from ipvg_eval.cli import main
try:
    main([{option!r}])
except SystemExit as end:
    assert not end.code, end.code
found = [name for name in {HEAVY!r} if name in sys.modules]
assert not found, found
"""
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_named_command_has_its_own_options():
    command = typer.main.get_command(build_app(["validate", "x"]))
    assert "deep" in {option.name for option in command.commands["validate"].params}
    assert list(command.commands) == list(COMMANDS)


def test_completion_sees_every_command(monkeypatch):
    monkeypatch.setenv("_IPVG_EVAL_COMPLETE", "complete_bash")
    command = typer.main.get_command(build_app([]))
    assert "pull" in command.commands["weights"].commands
