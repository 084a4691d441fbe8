"""Weights from the Hugging Face hub, through its own client, which is imported when first used."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

from ipvg_eval.core.packages import install_line
from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.weight_file import FOLDER_SUFFIXES, HubFile, HubFolder
from ipvg_eval.metrics.weights.errors import PullFailed
from ipvg_eval.metrics.weights.places import WEIGHTS_DIR
from ipvg_eval.metrics.weights.progress import Advanced, Progress


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


def download(
    source: HubFile | HubFolder, cache: Path, *, progress: Progress, size: int | None = None
) -> Path:
    """Bring a file or folder of `size` bytes into the hub's cache; an earlier partial download goes on.

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
        "tqdm_class": _bar(str(source), size, progress),
    }
    try:
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


def _bar(what: str, size: int | None, progress: Progress) -> Any:
    """The client's bar: not drawn; the first one that counts bytes is heard by `progress`."""
    tqdm: Any = importlib.import_module("tqdm").tqdm

    heard: list[Advanced] = []

    class Heard(tqdm):  # type: ignore[misc]
        def __init__(self, *arguments: Any, **settings: Any) -> None:
            super().__init__(*arguments, **{**settings, "disable": True})
            self._advanced: Advanced | None = None
            if settings.get("unit") == "B" and not heard:
                total = size or settings.get("total") or None
                self._advanced = progress.started(what, settings.get("initial") or 0, total)
                heard.append(self._advanced)

        def update(self, n: float | None = 1) -> bool | None:
            if self._advanced is not None and n:
                self._advanced(int(n))
            return None

    return Heard


def _client() -> Any:
    try:
        import huggingface_hub
    except ImportError as error:
        raise WeightsMissing(
            "the package huggingface_hub is not installed", hint=install_line("metrics")
        ) from error
    return huggingface_hub
