"""Networks with published weights, or at full size with seeded random ones."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch

from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.runtime import Runtime, weight_source

Network = TypeVar("Network", bound=torch.nn.Module)
Result = TypeVar("Result")


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
    source = weight_source(runtime, weights)
    if source.random_seed is None:
        network = make()
        fill(network, source.path(weights), key=key)
    else:
        network = with_seed(source.random_seed, make)
    return network.to(runtime.device).eval().requires_grad_(False), {weights: source.sha256(weights)}


def with_seed(seed: int, make: Callable[[], Result]) -> Result:
    """What `make` gives when torch's CPU generator starts from a seed; the global state stays as it was."""
    with torch.random.fork_rng(devices=[]):
        # torch.manual_seed would also reseed every GPU, which the fork does not undo.
        torch.default_generator.manual_seed(seed)
        return make()


def fill(network: torch.nn.Module, path: Path, *, key: str | None = None, assign: bool = False) -> None:
    """Load a checkpoint into a network, every tensor of it; nothing but tensors is ever unpickled.

    Args:
        network: what is filled.
        path: a .safetensors file, or a pickle that loads with weights_only.
        key: entry of the checkpoint that holds the tensors; None where it holds nothing else.
        assign: take the file's tensors instead of copying them, for a network on the meta device.

    Raises:
        WeightsMissing: the file does not hold this network.
    """
    try:
        checkpoint = _read(path)
        tensors = checkpoint if key is None else checkpoint[key]
        named = {name.removeprefix("module."): value for name, value in tensors.items()}
        network.load_state_dict(named, assign=assign)
    except (
        AttributeError,
        EOFError,
        KeyError,
        OSError,
        RuntimeError,
        TypeError,
        ValueError,
        pickle.UnpicklingError,
    ) as error:
        raise WeightsMissing(
            f"{path}: not the checkpoint of {type(network).__module__}.{type(network).__name__} "
            f"({str(error)[:300]})",
            hint="Run: ipvg-eval weights verify",
        ) from error


def _read(path: Path) -> Mapping[str, Any]:
    if path.suffix == ".safetensors":
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return load_file(path)
        except SafetensorError as error:
            raise ValueError(error) from error
    state: Mapping[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return state
