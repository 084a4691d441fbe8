"""Where a number comes from: tool, packages, machine."""

from __future__ import annotations

import platform
import subprocess
from importlib import metadata
from pathlib import Path

from pydantic import BaseModel, ConfigDict

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


class Provenance(BaseModel):
    """The software and machine of a run.

    Attributes:
        version: version of ipvg-eval.
        commit: its git commit where it runs from a checkout, with "-dirty" where files were changed.
        packages: versions of the packages that can change a number.
        python: version of Python.
        platform: operating system and processor.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str
    commit: str | None
    packages: dict[str, str]
    python: str
    platform: str


def tool_version() -> str:
    """Version of ipvg-eval."""
    return metadata.version("ipvg-eval")


def collect_provenance() -> Provenance:
    """Look at what is installed here."""
    return Provenance(
        version=tool_version(),
        commit=_commit(),
        packages=dict(_installed()),
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
