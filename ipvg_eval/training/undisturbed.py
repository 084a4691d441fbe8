"""What a training must find as it left it."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


@contextmanager
def training_undisturbed(pipeline: Any) -> Iterator[None]:
    """Without gradients, modules in eval mode, a scheduler to spoil; afterwards all is as it was before.

    Args:
        pipeline: a module, or whatever has modules: a pipeline of diffusers (`components`), an object with
            modules for attributes.
    """
    modes = {part: part.training for module in _modules(pipeline) for part in module.modules()}
    scheduler = getattr(pipeline, "scheduler", None)
    python, legacy = random.getstate(), np.random.get_state()  # noqa: NPY002
    devices = [torch.cuda.current_device()] if gpu_in_use() else []
    try:
        for part in modes:
            part.training = False
        if scheduler is not None:
            pipeline.scheduler = copy.deepcopy(scheduler)
        with torch.random.fork_rng(devices), torch.no_grad():
            yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy)  # noqa: NPY002
        if scheduler is not None:
            pipeline.scheduler = scheduler
        for part, mode in modes.items():
            part.training = mode


def gpu_in_use() -> bool:
    """Whether this process has begun to use one."""
    return bool(torch.cuda.is_initialized())  # type: ignore[no-untyped-call]


def _modules(pipeline: Any) -> list[torch.nn.Module]:
    if isinstance(pipeline, torch.nn.Module):
        return [pipeline]
    parts = getattr(pipeline, "components", None)
    if not isinstance(parts, dict):
        parts = getattr(pipeline, "__dict__", {})
    return [part for part in parts.values() if isinstance(part, torch.nn.Module)]
