"""Files in a submission's folder that are named like libraries and would tell if they were imported."""

from __future__ import annotations

from pathlib import Path

_NAMES = ("av", "cv2", "metrics", "numpy", "PIL", "pydantic", "ray", "torch", "yaml")
_PACKAGES = ("leaderboard", "metrics", "reference_generator")


def plant(folder: Path, sign: Path) -> None:
    """Put modules and packages into a folder, each of which leaves a file when it is imported.

    Args:
        folder: where they go.
        sign: the file that they leave, outside of it.
    """
    content = f"open({str(sign)!r}, 'a').write(__name__ + ' was imported\\n')\nraise ImportError('planted')\n"
    for name in _NAMES:
        (folder / f"{name}.py").write_text(content)
    for name in _PACKAGES:
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(content)
