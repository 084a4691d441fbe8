"""Where weight files may lie on this machine."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

WEIGHTS_DIR = "IPVG_WEIGHTS_DIR"
"""Environment variable: a folder of weight files, searched first and pulled into."""

_TRUE = {"1", "on", "true", "yes"}


@dataclass(frozen=True, kw_only=True)
class Places:
    """The folders that are searched, in this order.

    Attributes:
        weights_dir: $IPVG_WEIGHTS_DIR; searched at any depth and by hash. None if not set.
        cache_dir: our own cache, `ipvg-eval/weights` in the platform's cache folder.
        hub_cache: the Hugging Face cache (HF_HUB_CACHE, HF_HOME).
        shared: folders where torch, pyiqa, vbench and insightface keep what they download.
    """

    weights_dir: Path | None
    cache_dir: Path
    hub_cache: Path
    shared: tuple[Path, ...] = ()

    @property
    def target(self) -> Path:
        """The folder that files are pulled into."""
        return self.weights_dir or self.cache_dir

    @classmethod
    def from_environment(cls) -> Places:
        """The places that the environment variables of the moment say."""
        xdg = _folder("XDG_CACHE_HOME", Path.home() / ".cache")
        torch_hub = _folder("TORCH_HOME", xdg / "torch") / "hub"
        vbench = _folder("VBENCH_CACHE_DIR", Path.home() / ".cache" / "vbench")
        named = os.environ.get("HUGGINGFACE_HUB_CACHE")
        hub = Path(named).expanduser() if named else _folder("HF_HOME", xdg / "huggingface") / "hub"
        weights_dir = os.environ.get(WEIGHTS_DIR)
        return cls(
            weights_dir=Path(weights_dir).expanduser() if weights_dir else None,
            cache_dir=_platform_cache(xdg) / "ipvg-eval" / "weights",
            hub_cache=_folder("HF_HUB_CACHE", hub),
            shared=(
                torch_hub / "checkpoints",
                torch_hub / "pyiqa",
                vbench / "amt_model",
                vbench / "pyiqa_model",
                Path.home() / ".insightface" / "models" / "buffalo_l",
            ),
        )


def free_space(folder: Path) -> int:
    """Free bytes of the disk that a folder is on, or will be."""
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    return shutil.disk_usage(there).free


def hub_offline() -> bool:
    """Whether HF_HUB_OFFLINE (or TRANSFORMERS_OFFLINE) forbids downloads."""
    value = os.environ.get("HF_HUB_OFFLINE") or os.environ.get("TRANSFORMERS_OFFLINE") or ""
    return value.lower() in _TRUE


def _folder(variable: str, default: Path) -> Path:
    value = os.environ.get(variable)
    return Path(os.path.expandvars(value)).expanduser() if value else default


def _platform_cache(xdg: Path) -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    if sys.platform == "win32":
        return _folder("LOCALAPPDATA", Path.home() / "AppData" / "Local")
    return xdg
