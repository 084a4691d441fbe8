"""The machine that a run would use: its device, memory and rate."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

import numpy as np

from ipvg_eval.reference_generator.estimate import device_rate
from ipvg_eval.reference_generator.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What the estimate needs to know.

    Attributes:
        device: "cpu" or "cuda:N".
        name: for people.
        device_gb: memory of the device in GB; of the machine where the device is the CPU.
        host_gb: the machine's memory in GB, None if unknown.
        tflops: rate to expect, in TFLOP/s.
    """

    device: str
    name: str
    device_gb: float | None
    host_gb: float | None
    tflops: float


def machine(settings: Settings) -> Machine:
    """The machine that these settings run on.

    Raises:
        ModelsMissing: the device does not exist here.
        SettingsError: the device's name is not understood.
    """
    from ipvg_eval.reference_generator.systems.features import resolve_device

    device = resolve_device(settings.runtime.device)
    host = host_memory()
    if device.type != "cuda":
        return Machine(device=str(device), name="CPU", device_gb=host, host_gb=host, tflops=cpu_rate())
    import torch

    facts = torch.cuda.get_device_properties(device)
    return Machine(
        device=str(device),
        name=facts.name,
        device_gb=facts.total_memory / 1e9,
        host_gb=host,
        tflops=device_rate(facts.name),
    )


def host_memory() -> float | None:
    """The machine's memory in GB, None where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    except (AttributeError, ValueError, OSError):
        return None


def cpu_rate() -> float:
    """TFLOP/s of a float32 matrix product here and now, measured in a tenth of a second."""
    side = 512
    matrix = np.ones((side, side), dtype=np.float32)
    matrix @ matrix
    count, begun = 0, time.perf_counter()
    while (seconds := time.perf_counter() - begun) < 0.1:
        matrix @ matrix
        count += 1
    return 2 * side**3 * count / seconds / 1e12
