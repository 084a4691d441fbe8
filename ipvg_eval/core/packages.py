"""What each extra installs, and the line that installs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
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
    "torchmetrics": ("torchmetrics",),
    "plot": ("matplotlib",),
    "talking": ("dlib",),
}
"""Import names by extra; what an extra takes over from another stands at the other."""

_BY_HAND = {requirement.split("==")[0] for requirement in WITHOUT_THEIR_REQUIREMENTS}


class PackageMissing(Unavailable):
    """A package is not installed."""


def install_line(extra: str, *, again: bool = False) -> str:
    """The command that installs an extra (again), and for the published metrics the step after it."""
    line = f"pip install {'--force-reinstall ' if again else ''}'ipvg-eval[{extra}]'"
    return f"{line} && {by_hand_line()}" if extra in ("metrics", "talking", "all") else line


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


def broken_package(error: Exception) -> PackageMissing | None:
    """The error to raise in place of what a package raised while it was imported; None if it was not that.

    Compiled packages that do not fit raise anything: torchvision a RuntimeError beside a wrong torch.
    """
    package, trace = None, error.__traceback__
    while trace is not None:
        frame, trace = trace.tb_frame, trace.tb_next
        name = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if frame.f_code.co_name == "<module>" and name not in ("__main__", "ipvg_eval"):
            package = name
    if package is None:
        return None
    what = f"the package {package} is broken here ({type(error).__name__}: {error})"
    extra = extra_of(package)
    line = install_line(extra, again=True) if extra else f"pip install --force-reinstall {package}"
    return PackageMissing(what, hint=f"See what `pip check` says, and install it again: {line}")


@contextmanager
def working_packages() -> Iterator[None]:
    """Raise `PackageMissing` for whatever a package raises while it is imported."""
    try:
        yield
    except ImportError as error:
        raise package_missing(error) from error
    except Exception as error:
        if found := broken_package(error):
            raise found from error
        raise
