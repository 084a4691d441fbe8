"""Regional compilation: torch compiles a transformer's block once, for all its repetitions."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn

from metrics.errors import DeviceUnavailable

FEWEST_REPETITIONS = 3


def compile_blocks(network: nn.Module) -> int:
    """Mark every repeated block of a network for compilation; it happens at the first forward pass.

    Blocks of one tower are of one class and differ in their weights alone, so that the code compiled for
    the first serves the rest. Compiled code may round differently from the network as it was.

    Args:
        network: a transformer; changed in place.

    Returns:
        How many blocks were marked.
    """
    blocks = list(repeated_blocks(network))
    for block in blocks:
        block.compile()
    return len(blocks)


def repeated_blocks(network: nn.Module) -> Iterator[nn.Module]:
    """The blocks of every stack: at least three modules of one class in a list, each made of others."""
    for module in network.modules():
        if isinstance(module, nn.ModuleList | nn.Sequential):
            blocks = list(module)
            alike = len({type(block) for block in blocks}) == 1
            if alike and len(blocks) >= FEWEST_REPETITIONS and any(blocks[0].children()):
                yield from blocks


def require_compiler(device: str) -> None:
    """See that torch can compile for a device, by compiling something small.

    Raises:
        DeviceUnavailable: it cannot: there is no C++ compiler, or no Triton for a GPU.
    """
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
