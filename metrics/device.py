"""Which device networks run on."""

from __future__ import annotations

import os
import platform
import re

from ipvg_eval.core.errors import UsageError
from ipvg_eval.metrics.errors import DeviceUnavailable


def resolve_device(wanted: str) -> str:
    """The device a name stands for on this machine.

    Args:
        wanted: "auto" (the first GPU, else the CPU), "cpu", "cuda" or "cuda:N".

    Returns:
        "cpu" or "cuda:N".

    Raises:
        UsageError: the name is not understood.
        DeviceUnavailable: there is no such device here.
    """
    check_device_name(wanted)
    import torch

    if wanted == "auto":
        return "cuda:0" if torch.cuda.is_available() else "cpu"
    if wanted == "cpu":
        return wanted
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    index = int(wanted.partition(":")[2] or "0")
    if index >= count:
        raise DeviceUnavailable(
            f"device {wanted!r} was asked for, but this machine has {count} usable CUDA devices",
            hint="Use --device auto or cpu, or check the driver with nvidia-smi.",
        )
    return f"cuda:{index}"


def check_device_name(name: str) -> None:
    """See that this could be a device, here or elsewhere.

    Raises:
        UsageError: the name is not understood.
    """
    if name not in ("auto", "cpu") and not re.fullmatch(r"cuda(:[0-9]{1,4})?", name):
        raise UsageError(f"there is no device {name!r}", hint="Use auto, cpu, cuda or cuda:N.")


def device_name(device: str) -> str:
    """The device's model name for provenance."""
    import torch

    if device.startswith("cuda"):
        return torch.cuda.get_device_name(device)
    return platform.processor() or platform.machine()


def make_deterministic() -> None:
    """Have torch use algorithms that give the same bits every time, on GPUs too, and no TF32.

    An operation that has no such algorithm raises when it is used. For the whole process, and only
    reliable before the first CUDA call.
    """
    import torch

    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False


def require_compiler(device: str) -> None:
    """See that torch can compile for a device, by compiling something small.

    Raises:
        DeviceUnavailable: it cannot: there is no C++ compiler, or no Triton for a GPU.
    """
    import torch

    try:
        doubled = torch.compile(lambda x: x * 2 + 1)(torch.ones(8, device=device))
        torch.testing.assert_close(doubled.cpu(), torch.full((8,), 3.0))
    except Exception as error:  # the compiler's back ends share no base class
        needed = "Triton and a C compiler" if device.startswith("cuda") else "a C++ compiler, such as g++"
        raise DeviceUnavailable(
            f"torch cannot compile for {device} here ({_first_line(error)})",
            hint=f"Leave out --compile, or install {needed}.",
        ) from error


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__
