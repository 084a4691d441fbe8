"""Regional compilation: torch compiles a transformer's block once, for all its repetitions."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn

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
