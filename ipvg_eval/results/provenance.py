"""Where a number comes from: tool, packages, machine."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from ipvg_eval.core.run import Provenance

_PACKAGES = (
    "av",
    "facenet-pytorch",
    "insightface",
    "numpy",
    "onnxruntime",
    "open_clip_torch",
    "opencv-python",
    "opencv-python-headless",
    "pandas",
    "pillow",
    "pyiqa",
    "pytorch-fid",
    "scikit-image",
    "scipy",
    "torch",
    "torchvision",
    "transformers",
    "vbench",
)


def tool_version() -> str:
    """Version of ipvg-eval."""
    return metadata.version("ipvg-eval")


def collect_provenance(others: Mapping[str, str] | None = None) -> Provenance:
    """Look at what is installed here.

    Args:
        others: versions of the packages that measure beside ipvg-eval, by name.
    """
    return Provenance(
        version=tool_version(),
        commit=_commit(),
        packages={**dict(_installed()), **(others or {})},
        python=platform.python_version(),
        platform=platform.platform(),
    )


def _installed() -> list[tuple[str, str]]:
    versions = []
    for name in _PACKAGES:
        try:
            versions.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            continue
    return versions


def _commit() -> str | None:
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    try:
        answer = subprocess.run(  # noqa: S603 - a fixed command
            ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip() or None
