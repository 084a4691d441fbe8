"""Networks with published weights, or at full size with seeded random ones."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import torch

from metrics.errors import WeightsMissing
from metrics.runtime import Runtime

Network = TypeVar("Network", bound=torch.nn.Module)


def load_network(
    make: Callable[[], Network], *, weights: str, runtime: Runtime, key: str | None = None
) -> tuple[Network, Mapping[str, str]]:
    """A network on the runtime's device, in evaluation mode and without gradients.

    Args:
        make: builds it with random weights.
        weights: name of the declared weight that fills it.
        runtime: device and source of weights. The network stays float32 whatever the dtype.
        key: entry of the checkpoint that holds the tensors; None where it holds nothing else.

    Returns:
        The network, and sha256 by weight name ("random:SEED" for random weights).

    Raises:
        WeightsMissing: the file is not on this machine, or does not hold this network.
    """
    source = runtime.weights
    if source is None:
        raise WeightsMissing(f"{weights} is needed", hint=f"Run: ipvg-eval weights pull {weights}")
    if source.random_seed is None:
        network = make()
        _fill(network, source.path(weights), key=key)
    else:
        network = _seeded(make, source.random_seed)
    return network.to(runtime.device).eval().requires_grad_(False), {weights: source.sha256(weights)}


def _seeded(make: Callable[[], Network], seed: int) -> Network:
    with torch.random.fork_rng(devices=[]):
        # torch.manual_seed would also reseed every GPU, which the fork does not undo.
        torch.default_generator.manual_seed(seed)
        return make()


def _fill(network: torch.nn.Module, path: Path, *, key: str | None) -> None:
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
        tensors = checkpoint if key is None else checkpoint[key]
        network.load_state_dict({name.removeprefix("module."): value for name, value in tensors.items()})
    except (AttributeError, EOFError, KeyError, OSError, RuntimeError, pickle.UnpicklingError) as error:
        raise WeightsMissing(
            f"{path}: not the checkpoint of {type(network).__module__}.{type(network).__name__} ({error})",
            hint="Run: ipvg-eval weights verify",
        ) from error
