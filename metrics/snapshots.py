"""Networks of transformers from a snapshot folder, or at full size with seeded random weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from ipvg_eval.metrics.checkpoint import with_seed
from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.third_party import published_module

VERIFY = "Run: ipvg-eval weights verify"


def transformers(module: str = "") -> Any:
    """The package, or one of its modules.

    Raises:
        WeightsMissing: it is not installed.
    """
    return published_module(f"transformers{module}", package="transformers")


def random_network(cls: Any, config: Any, *, seed: int, dtype: torch.dtype, device: str) -> Any:
    """A network of a configuration with seeded random weights, in evaluation mode and without gradients."""
    network = with_seed(seed, lambda: cls._from_config(config, dtype=dtype))
    return network.eval().requires_grad_(False).to(device)


def load_snapshot(cls: Any, folder: Path, *, dtype: torch.dtype, device: str) -> Any:
    """A network from config.json and safetensors of a folder; none of its code is run.

    Args:
        cls: its class in transformers.
        folder: the snapshot.
        dtype: floating-point type of the network.
        device: where it goes.

    Returns:
        The network, in evaluation mode and without gradients.

    Raises:
        WeightsMissing: files are missing, or the checkpoint does not fill the network.
    """
    try:
        with _quiet():
            network, report = cls.from_pretrained(
                folder, local_files_only=True, use_safetensors=True, dtype=dtype, output_loading_info=True
            )
    except (OSError, ValueError, RuntimeError) as error:
        raise WeightsMissing(f"{folder}: this snapshot cannot be loaded ({error})", hint=VERIFY) from error
    wrong = sorted(report["missing_keys"]) + sorted(str(key) for key in report["mismatched_keys"])
    if wrong:
        raise WeightsMissing(f"{folder}: the checkpoint lacks {', '.join(wrong[:3])}", hint=VERIFY)
    return network.eval().requires_grad_(False).to(device)


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bar and no table of what was loaded: what is wrong is raised."""
    logging = transformers(".utils.logging")
    level, bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bar:
            logging.enable_progress_bar()
