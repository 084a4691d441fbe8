"""The files of the project as its distributions should hold them, and the building of these, offline."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINKED = ("metrics", "leaderboard", "reference_generator")
FOLDERS = ("ipvg_eval", *LINKED)


def configuration() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]


def source_files(*, python: bool) -> dict[str, Path]:
    """Every file of the four folders by its place in the wheel: Python files, or the data beside them."""
    found = {}
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            inside = path.relative_to(ROOT)
            linked = folder == "ipvg_eval" and len(inside.parts) > 1 and inside.parts[1] in LINKED
            kept = path.is_file() and "__pycache__" not in inside.parts and path.suffix != ".md"
            if kept and not linked and (path.suffix == ".py") is python:
                name = inside if folder == "ipvg_eval" else "ipvg_eval" / inside
                found[name.as_posix()] = path
    return found


def build(tree: Path, kind: str, out: Path) -> Path:
    """A wheel or an sdist of a tree, made by the build backend itself."""
    done = subprocess.run(
        [sys.executable, "-c", f"from setuptools import build_meta as b; b.build_{kind}({str(out)!r})"],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (built,) = out.glob("*.whl" if kind == "wheel" else "*.tar.gz")
    return built
