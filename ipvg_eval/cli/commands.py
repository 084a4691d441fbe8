"""Which subcommands there are; a module is imported when its command is on the command line."""

from __future__ import annotations

import importlib
import os
from collections.abc import Collection

import typer

COMMANDS = {
    "validate": (
        "validate:validate",
        "Check a submission before the upload. Exit 0 if it is valid, 1 if not.",
    ),
    "score": (
        "score:score",
        "Measure every video of a submission. Run it again to go on after an interruption.",
    ),
    "measure": ("measure:measure", "Measure any videos: one, a folder, a table; no test set is needed."),
    "report": ("report:report", "Write one self-contained page about a run."),
    "view": (
        "view:view",
        "Look at every sample with its video, prompt and numbers; one run, or several side by side.",
    ),
    "compare": (
        "compare:compare",
        "Say where two runs differ, by how much, and whether that is more than chance.",
    ),
    "audit": (
        "audit:audit",
        "Look for what metrics alone would reward: still, looped, repeated or pasted videos, hidden faces, "
        "text.",
    ),
    "verify": (
        "verify:verify",
        "Check that a run is what was measured: files, tables, signature, numbers. Exit 1 if not.",
    ),
    "sign": (
        "verify:sign",
        "Sign a run, so that anybody with the public key can see that it is as you published it.",
    ),
    "keygen": ("verify:keygen", "Make a pair of keys for `sign` and `verify --public-key`."),
    "rescore": (
        "rescore:rescore",
        "Recombine a run under another protocol, from what it kept. No video is decoded, no network runs.",
    ),
    "generate": (
        "generate:generate",
        "Make a baseline's videos for a test set. Run it again to go on after an interruption.",
    ),
    "select": (
        "select:select",
        "Build a submission out of the best video of each sample, and say who won how often.",
    ),
    "leaderboard": (
        "leaderboard:leaderboard",
        "Rank scored runs, with the votes of a user study, and write the ranking as a static site.",
    ),
    "elo": (
        "elo:elo",
        "Rate teams from votes alone: points, Bradley-Terry, Elo and the ranks they leave open.",
    ),
    "agree": (
        "agree:agree",
        "Say which metric agrees with people, beside chance and the annotators' own agreement.",
    ),
    "new-metric": (
        "new_metric:new_metric",
        "Write a package with a metric of your own: spec, maths, evaluator, card and tests that pass.",
    ),
    "protocols": ("protocols:app", "The protocols: which metrics run with which rules."),
    "study": ("study:app", "Let people compare the finalists' videos, pair by pair, or rate them."),
    "timeline": ("timeline:app", "Timelines: what should happen when."),
    "doctor": (
        "doctor:doctor",
        "Check this installation and whether its numbers are right. Exit 3 if something is missing or wrong.",
    ),
    "weights": ("weights:app", "Find, fetch and verify the published weights."),
}
"""Name to "module:attribute" in this package, and the line that `--help` shows."""

_COMPLETING = "_IPVG_EVAL_COMPLETE"  # set by the shell while it completes a command line


def add_commands(app: typer.Typer, words: Collection[str]) -> None:
    """Give an app its commands: those that the words name in full, of the others the name and a line."""
    everything = _COMPLETING in os.environ
    for name, (target, line) in COMMANDS.items():
        if not (everything or name in words):
            app.command(name, help=line)(_not_named)
            continue
        module, _, attribute = target.partition(":")
        command = getattr(importlib.import_module(f"ipvg_eval.cli.{module}"), attribute)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)


def _not_named() -> None:
    raise AssertionError("a command that is not on the command line was started")
