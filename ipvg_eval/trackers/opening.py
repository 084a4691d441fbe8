"""A tracker by its name; its package is imported before anything is measured."""

from __future__ import annotations

import importlib
from typing import Protocol

from ipvg_eval.core.errors import UsageError
from ipvg_eval.core.packages import PackageMissing, broken_package
from ipvg_eval.core.suggest import did_you_mean
from ipvg_eval.trackers.record import Record

TRACKERS = ("mlflow", "tensorboard", "trackio", "wandb")
"""Each has a module here, and is the name of the package that it needs."""


class Tracker(Protocol):
    """Something that keeps records of runs."""

    def log(self, record: Record) -> str:
        """Keep a record.

        Returns:
            Where it is, for people.

        Raises:
            Exception: whatever the tracker's package raises.
        """
        ...


def open_tracker(words: str) -> Tracker:
    """A tracker, as `--log-to` names it.

    Args:
        words: its name, perhaps a colon and the project it logs to: "wandb", "wandb:identity". The project of
            tensorboard is a folder.

    Raises:
        UsageError: no tracker has this name, or the project is empty.
        PackageMissing: its package is not installed, or broken.
    """
    name, colon, project = words.partition(":")
    if name not in TRACKERS:
        raise UsageError(f"--log-to {words}: no tracker is called so", hint=did_you_mean(name, TRACKERS))
    if colon and not project.strip():
        raise UsageError(f"--log-to {words}: the project has no name", hint=f"--log-to {name}:PROJECT")
    try:
        module = importlib.import_module(f"ipvg_eval.trackers.{name}")
    except ImportError as error:
        lacking = isinstance(error, ModuleNotFoundError) and error.name == name
        what = "is not installed" if lacking else f"is broken here ({error})"
        again = "" if lacking else "--force-reinstall "
        raise PackageMissing(
            f"--log-to {name}: the package {name} {what}", hint=f"Install it: pip install {again}{name}"
        ) from error
    except Exception as error:
        if found := broken_package(error):
            raise found from error
        raise
    tracker: Tracker = module.open_tracker(project) if project else module.open_tracker()
    return tracker
