"""Tiny models on disk, built at their first use."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path

from ipvg_eval.reference_generator.cache import cache_folder
from ipvg_eval.reference_generator.models import Found

REVISION = "tiny-1"
"""Raised when other tiny models are built."""


def tiny_model(kind: str) -> Found:
    """A tiny pipeline's folder in the cache. Two processes may build it at once; one wins.

    Args:
        kind: see `parts.save_tiny`.
    """
    from ipvg_eval.reference_generator.tiny.parts import save_tiny

    versions = [f"{package} {version(package)}" for package in ("torch", "diffusers", "transformers")]
    key = hashlib.sha256("\n".join([REVISION, *versions]).encode()).hexdigest()[:12]
    folder = cache_folder() / "tiny-models" / key / kind
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{kind}-", dir=folder.parent))
        try:
            save_tiny(kind, temporary)
            temporary.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return Found(path=folder, revision=f"{REVISION}-{key}")
