"""Weights from the Hugging Face hub, through its own client, which is imported when first used."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ipvg_eval.core.packages import install_line
from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.weight_file import FOLDER_SUFFIXES, HubFile, HubFolder
from ipvg_eval.metrics.weights.errors import PullFailed
from ipvg_eval.metrics.weights.places import WEIGHTS_DIR


def cached(source: HubFile | HubFolder, cache: Path) -> Path | None:
    """The file or folder in the hub's cache, or None. Never connects."""
    if not cache.is_dir():
        return None
    try:
        client = _client()
    except WeightsMissing:
        return None
    path = source.path if isinstance(source, HubFile) else "config.json"
    found = client.try_to_load_from_cache(source.repository, path, cache_dir=cache, revision=source.revision)
    if not isinstance(found, str):
        return None
    return Path(found) if isinstance(source, HubFile) else Path(found).parent


def download(source: HubFile | HubFolder, cache: Path) -> Path:
    """Bring a file or folder into the hub's cache; an earlier partial download goes on.

    HF_ENDPOINT names another hub server, HF_TOKEN signs in.

    Raises:
        WeightsMissing: the client is not installed.
        PullFailed: the hub did not deliver.
    """
    client = _client()
    arguments: dict[str, Any] = {
        "revision": source.revision,
        "cache_dir": cache,
        "endpoint": os.environ.get("HF_ENDPOINT") or None,
    }
    try:
        with _bars_on_terminals_only():
            if isinstance(source, HubFile):
                return Path(client.hf_hub_download(source.repository, source.path, **arguments))
            patterns = [f"*{suffix}" for suffix in FOLDER_SUFFIXES]
            return Path(client.snapshot_download(source.repository, allow_patterns=patterns, **arguments))
    # The client lets through what its network library raises; each of these means the same here.
    except Exception as error:
        raise PullFailed(
            f"{source}: {error}".strip(),
            hint="Run the command again: what arrived is kept. Without access to the hub, use --mirror BASE, "
            f"or put the file into a folder and name that folder in {WEIGHTS_DIR}.",
        ) from error


@contextmanager
def _bars_on_terminals_only() -> Iterator[None]:
    bars: Any = importlib.import_module("huggingface_hub.utils")
    if sys.stderr.isatty() or bars.are_progress_bars_disabled():
        yield
        return
    bars.disable_progress_bars()
    try:
        yield
    finally:
        bars.enable_progress_bars()


def _client() -> Any:
    try:
        import huggingface_hub
    except ImportError as error:
        raise WeightsMissing(
            "the package huggingface_hub is not installed", hint=install_line("metrics")
        ) from error
    return huggingface_hub
