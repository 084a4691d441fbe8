"""Filling a torch network from a checkpoint file, or with seeded random numbers."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Collection
from typing import Final

import torch
from torch import nn

from ipvg_eval.metrics.checkpoint import fill
from ipvg_eval.metrics.runtime import Runtime, weight_source

_DTYPES: Final = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


def build(
    make: Callable[[], nn.Module], name: str, runtime: Runtime, *, damped: Collection[str] = ()
) -> nn.Module:
    """A network with its declared weights, ready for inference.

    Args:
        make: builds the network; called under the meta device, so that no memory is filled twice and
            the global random state stays as it was.
        name: the declared weight.
        runtime: device, dtype and where weights come from.
        damped: ends of parameter names that random filling scales down (the last normalisation of
            residual branches, so that activations stay finite through many blocks).

    Returns:
        The network in eval mode, without gradients, on the device in the dtype.

    Raises:
        WeightsMissing: the file is missing or is not this network's state dict.
    """
    source = weight_source(runtime, name)
    with torch.device("meta"):
        network = make()
    if source.random_seed is not None:
        network.to_empty(device="cpu")
        fill_randomly(network, stream_seed(source.random_seed, name), damped=damped)
    else:
        fill(network, source.path(name), assign=True)
    network.eval().requires_grad_(False)
    return network.to(device=runtime.device, dtype=_DTYPES[runtime.dtype])


def stream_seed(seed: int, name: str) -> int:
    """A seed of 63 bits for one named network, so that networks of one run differ."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{name}".encode()).digest()[:8], "big") >> 1


@torch.no_grad()
def fill_randomly(network: nn.Module, seed: int, *, damped: Collection[str] = ()) -> None:
    """Fill every parameter and buffer in place: He-normal weights, normalisations that change little.

    Args:
        network: on the CPU; its memory may be uninitialised.
        seed: seeds a generator of its own.
        damped: ends of parameter names that are scaled by 0.3.
    """
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in [*network.named_parameters(), *network.named_buffers()]:
        if not tensor.is_floating_point():
            tensor.zero_()
        elif tensor.ndim > 1:
            fan_in = math.prod(tensor.shape[1:])
            tensor.normal_(0.0, math.sqrt(2.0 / fan_in), generator=generator)
        elif name.endswith("running_var"):
            tensor.uniform_(0.8, 1.2, generator=generator)
        elif name.endswith("weight"):
            tensor.uniform_(0.8, 1.2, generator=generator)
            if any(name.endswith(end) for end in damped):
                tensor.mul_(0.3)
        else:
            tensor.normal_(0.0, 0.1, generator=generator)
