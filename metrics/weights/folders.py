"""Weights that are several files: a model folder with configuration, tokenizer and shards."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path

from ipvg_eval.metrics.weight_file import FOLDER_SUFFIXES

SUMS = "SHA256SUMS"
"""File in a model folder that lists its hashes, in the format of the tool `sha256sum`."""

_SUMS_LINE = re.compile(r"([0-9a-f]{64}) [ *]([^/\\\n]+)")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def model_files(folder: Path) -> tuple[str, ...]:
    """Names of the top-level files that make up a model, sorted."""
    return tuple(
        sorted(item.name for item in folder.iterdir() if item.suffix in FOLDER_SUFFIXES and item.is_file())
    )


def missing_part(folder: Path) -> str | None:
    """What a model folder lacks, in plain words; None if it is whole."""
    if not (folder / "config.json").is_file():
        return "config.json is missing"
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return None if (folder / "model.safetensors").is_file() else "model.safetensors is missing"
    try:
        shards = set(json.loads(index.read_text("utf-8"))["weight_map"].values())
    except (ValueError, KeyError, AttributeError, TypeError):
        return f"{index.name} is not a list of shards"
    absent = sorted(shard for shard in shards if not (folder / shard).is_file())
    return f"{len(absent)} of {len(shards)} shards are missing: {', '.join(absent)}" if absent else None


def digest(sums: Mapping[str, str]) -> str:
    """One hash for several files: sha256 of the lines "HASH  NAME", sorted by name."""
    return hashlib.sha256(format_sums(sums).encode()).hexdigest()


def format_sums(sums: Mapping[str, str]) -> str:
    """Hashes by file name as `sha256sum` prints them."""
    return "".join(f"{sums[name]}  {name}\n" for name in sorted(sums))


def parse_sums(text: str) -> dict[str, str]:
    """Hashes by file name.

    Raises:
        ValueError: a line has another format, or a name is not that of a plain file.
    """
    sums = {}
    for line in text.splitlines():
        match = _SUMS_LINE.fullmatch(line)
        if match is None or match[2].startswith("."):
            raise ValueError(f"not a line of {SUMS}: {line!r}")
        sums[match[2]] = match[1]
    return sums


def recorded_sums(folder: Path) -> dict[str, str]:
    """The hashes a folder is known by: its SHA256SUMS, else those the hub's cache stores files under.

    Raises:
        ValueError: SHA256SUMS is damaged.
    """
    listing = folder / SUMS
    if listing.is_file():
        return parse_sums(listing.read_text("utf-8"))
    # The hub's cache links each large file to a blob that is named by its sha256.
    names = {name: (folder / name).resolve().name for name in model_files(folder)}
    return {name: blob for name, blob in names.items() if _SHA256.fullmatch(blob)}
