"""The machine that a run would use: its device, memory and rate."""

from __future__ import annotations

import os
from dataclasses import dataclass

from ipvg_eval.reference_generator.estimate import Estimate, memory_advice
from ipvg_eval.reference_generator.gpus import ERROR, Gpu, find_gpu
from ipvg_eval.reference_generator.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What the estimate needs to know.

    Attributes:
        name: of the device, for people.
        gpus: how many share the work.
        device_gb: memory of the device in GB; of the machine where the device is the CPU.
        host_gb: the machine's memory in GB, None if unknown.
        tflops: rate to expect, in TFLOP/s; None where nothing is known of the device.
        basis: where the rate is from.
    """

    name: str
    gpus: int = 1
    device_gb: float | None
    host_gb: float | None
    tflops: float | None
    basis: str


def machine(settings: Settings) -> Machine:
    """The machine that these settings run on.

    Raises:
        ModelsMissing: the device does not exist here.
        SettingsError: the device's name is not understood.
    """
    from ipvg_eval.reference_generator.systems.features import resolve_device

    device, host = resolve_device(settings.runtime.device), host_memory()
    if device.type != "cuda":
        return Machine(
            name="CPU", device_gb=host, host_gb=host, tflops=None, basis="a CPU's rate is not known here"
        )
    import torch

    facts = torch.cuda.get_device_properties(device)
    found = find_gpu(facts.name)
    return Machine(
        name=facts.name,
        device_gb=facts.total_memory / 1e9,
        host_gb=host,
        tflops=None if found is None else found.tflops,
        basis=f"{facts.name} is not in the table of GPUs" if found is None else _basis(found),
    )


def planned_machine(gpu: Gpu, count: int) -> Machine:
    """A machine that is not this one."""
    return Machine(
        name=gpu.name,
        gpus=count,
        device_gb=gpu.memory_gb,
        host_gb=None,
        tflops=gpu.tflops,
        basis=_basis(gpu),
    )


def _basis(gpu: Gpu) -> str:
    if gpu.measured:
        return f"within {ERROR:.0%} of the published times of Wan's models on this GPU"
    return f"scaled from GPUs like the {gpu.family} ones; no published time to compare"


def check_fit(guess: Estimate, here: Machine, settings: Settings) -> str | None:
    """What does not fit, in words; None if all does or nothing is known."""
    if here.device_gb is not None and guess.device_gb > here.device_gb:
        return (
            f"about {guess.device_gb:.0f} GB are needed on the device and {here.name} has "
            f"{here.device_gb:.0f} GB. {memory_advice(settings)}"
        )
    if here.host_gb is not None and guess.host_gb > here.host_gb:
        return f"about {guess.host_gb:.0f} GB of main memory are needed and there are {here.host_gb:.0f} GB."
    return None


def host_memory() -> float | None:
    """The machine's memory in GB, None where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    except (AttributeError, ValueError, OSError):
        return None
