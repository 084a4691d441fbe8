"""What each extra installs, and the line that installs it."""

from __future__ import annotations

from importlib import metadata

from ipvg_eval.core.errors import Unavailable

WITHOUT_THEIR_REQUIREMENTS = ("vbench==0.1.5", "pyiqa==0.1.16", "insightface==2.1", "decord==0.6.0")
"""What the published metrics take networks from, but whose own requirements cannot be met together: vbench
pins transformers 4.33 and numpy 1, pyiqa asks for pytest and ruff, insightface for a second OpenCV, and
`pip check` calls decord's wheel unsupported where it works."""

EXTRAS: dict[str, tuple[str, ...]] = {
    "lite": ("torch", "torchvision", "facenet_pytorch", "cv2", "skimage", "ruptures"),
    "metrics": (
        "huggingface_hub",
        "onnx",
        "onnxruntime",
        "open_clip",
        "pytorch_fid",
        "safetensors",
        "timm",
        "tokenizers",
        "transformers",
    ),
    "generator": ("accelerate", "diffusers", "ftfy", "httpx", "peft", "sentencepiece"),
    "study": ("fastapi", "uvicorn"),
    "ray": ("ray",),
    "remote": ("fsspec", "gcsfs", "s3fs"),
    "sign": ("cryptography",),
}
"""Import names by extra; what an extra takes over from another stands at the other."""

_BY_HAND = {requirement.split("==")[0] for requirement in WITHOUT_THEIR_REQUIREMENTS}


class PackageMissing(Unavailable):
    """A package is not installed."""


def install_line(extra: str) -> str:
    """The command that installs an extra, and for the published metrics the step after it."""
    line = f"pip install 'ipvg-eval[{extra}]'"
    return f"{line} && {by_hand_line()}" if extra in ("metrics", "all") else line


def by_hand_line() -> str:
    """The command for the packages that are installed without their requirements."""
    return f"pip install --no-deps {' '.join(WITHOUT_THEIR_REQUIREMENTS)}"


def by_hand_missing() -> tuple[str, ...]:
    """Those of `WITHOUT_THEIR_REQUIREMENTS` that are not installed in this version, with what is."""
    lacking = []
    for requirement in WITHOUT_THEIR_REQUIREMENTS:
        name, _, version = requirement.partition("==")
        try:
            here = metadata.version(name)
        except metadata.PackageNotFoundError:
            lacking.append(f"{name} is not installed")
        else:
            if here != version:
                lacking.append(f"{name} is {here}, not {version}")
    return tuple(lacking)


def extra_of(package: str) -> str | None:
    """The extra that brings an import name, None for a package of no extra."""
    if package in _BY_HAND:
        return "metrics"
    return next((extra for extra, packages in EXTRAS.items() if package in packages), None)


def package_missing(error: ImportError, *, extra: str | None = None) -> PackageMissing:
    """The error to raise in place of an ImportError.

    Args:
        error: what `import` raised.
        extra: what was to be used; told from the package's name if left out.
    """
    package = (error.name or "").partition(".")[0]
    half = not isinstance(error, ModuleNotFoundError) or not package
    what = f"the package {package or error} " + (f"is broken here ({error})" if half else "is not installed")
    found = extra_of(package) if extra in (None, "lite") else extra
    if package in _BY_HAND:
        return PackageMissing(what, hint=f"Install it: {by_hand_line()}")
    return PackageMissing(what, hint=f"Install it: {install_line(found)}" if found else None)
