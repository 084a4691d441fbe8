"""Is what the commands need here, and does it start?"""

from __future__ import annotations

import importlib
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from ipvg_eval.core.errors import IpvgError
from ipvg_eval.core.packages import (
    EXTRAS,
    WITHOUT_THEIR_REQUIREMENTS,
    by_hand_line,
    by_hand_missing,
    install_line,
)
from ipvg_eval.doctor.measuring import SAMPLE
from ipvg_eval.metrics.weights.places import Places
from ipvg_eval.metrics.weights.sizes import readable_size

_OLDEST = (3, 11)
_SYSTEMS = ("Linux", "Darwin", "Windows")
_ROOM = 1 << 30
_DAY = 86_400.0


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        what: a word or two.
        state: "bad" makes the examination fail; "absent" is for what may be missing.
        detail: what was found.
        hint: what to do, or None.
    """

    what: str
    state: Literal["good", "bad", "absent"]
    detail: str
    hint: str | None = None


def good(what: str, detail: str) -> Finding:
    """A finding that needs nothing."""
    return Finding(what=what, state="good", detail=detail)


def bad(what: str, detail: str, hint: str | None = None) -> Finding:
    """A finding that must be mended."""
    return Finding(what=what, state="bad", detail=detail, hint=hint)


def examine_machine() -> Iterator[Finding]:
    """Python, decoder, packages, cache, disk, clock."""
    yield _python()
    yield _decoder()
    yield from _extras()
    yield _opencv()
    yield from _operators()
    yield _cache()
    yield _clock(time.time())


def _python() -> Finding:
    here = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.version_info < _OLDEST or platform.system() not in _SYSTEMS or sys.maxsize < 1 << 32:
        return bad("python", here, "Use a 64-bit Python 3.11, 3.12 or 3.13 on Linux, macOS or Windows.")
    return good("python", here)


def _decoder() -> Finding:
    from ipvg_eval.decoding import DecoderProcess
    from ipvg_eval.video import decoder_version

    try:
        with DecoderProcess() as decoder:
            confined = decoder.hello().confinement
            opened = decoder.open(SAMPLE / "clip.mp4")
            frames = sum(len(batch.indices) for batch in opened.batches([0, opened.clip.frame_count - 1]))
    except (IpvgError, ImportError, OSError) as error:
        return bad("decoder", f"it cannot open a good video: {error}", "pip install --force-reinstall av")
    if frames != 2:
        return bad(
            "decoder", f"{frames} of 2 frames of a good video came", "pip install --force-reinstall av"
        )
    lacking = f", without {'; '.join(confined.lacking)}" if confined.lacking else ""
    return good("decoder", f"{decoder_version()}; confined by {', '.join(confined.by)}{lacking}")


def _extras() -> Iterator[Finding]:
    for extra, packages in EXTRAS.items():
        lacking, broken = [], []
        for name in packages:
            state = _import(name)
            if state == "":
                lacking.append(name)
            elif state is not None:
                broken.append(f"{name} ({state})")
        what = f"[{extra}]"
        if broken:
            yield bad(what, f"broken: {'; '.join(broken)}", install_line(extra, again=True))
        elif lacking and len(lacking) < len(packages) and _own(extra, packages, lacking):
            yield bad(what, f"half installed: without {', '.join(lacking)}", install_line(extra))
        elif lacking:
            yield Finding(what=what, state="absent", detail="not installed", hint=install_line(extra))
        else:
            yield good(what, "installed")
            if extra == "metrics":
                yield _by_hand()


def _own(extra: str, packages: tuple[str, ...], lacking: list[str]) -> bool:
    """Whether what is there tells that the extra was meant: not what others bring along as well."""
    brought = {
        "pyarrow",
        "httpx",
        "fsspec",
        "huggingface_hub",
        "cryptography",
        "torch",
        "safetensors",
    }
    brought |= (
        {"tokenizers", "transformers", "accelerate", "ftfy", "onnx", "timm"} if extra != "metrics" else set()
    )
    return bool(set(packages) - set(lacking) - brought)


def _by_hand() -> Finding:
    if absent := by_hand_missing():
        return bad("networks", "; ".join(absent), by_hand_line())
    return good("networks", ", ".join(WITHOUT_THEIR_REQUIREMENTS))


def _import(name: str) -> str | None:
    """None if it imports, "" if it is not there, else why it cannot be imported."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            return "" if error.name == name else f"no {error.name}"
        except Exception as error:  # a broken package may raise anything
            return f"{type(error).__name__}: {error}".splitlines()[0]
    return None


def _opencv() -> Finding:
    names = (
        "opencv-python",
        "opencv-python-headless",
        "opencv-contrib-python",
        "opencv-contrib-python-headless",
    )
    found = []
    for name in names:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    if len(found) > 1:
        remove = " ".join(entry.split()[0] for entry in found)
        hint = f"pip uninstall -y {remove} && pip install opencv-python-headless"
        return bad("opencv", f"they overwrite each other: {', '.join(found)}", hint)
    return (
        good("opencv", found[0]) if found else Finding(what="opencv", state="absent", detail="not installed")
    )


def _operators() -> Iterator[Finding]:
    if _import("torch") is not None:
        return
    import torch

    yield good("torch", f"{torch.__version__}, {_devices()}")
    hint = "pip install --force-reinstall torch torchvision, both from one index"
    try:
        from torchvision.ops import nms

        kept = nms(torch.tensor([[0.0, 0, 2, 2], [0, 0, 2, 2.1]]), torch.tensor([0.9, 0.8]), 0.5)
    except (ImportError, RuntimeError) as error:
        yield bad(
            "torchvision", f"its operators do not load beside this torch: {error}".splitlines()[0], hint
        )
        return
    yield (
        good("torchvision", "operators load")
        if kept.tolist() == [0]
        else bad("torchvision", "nms is wrong", hint)
    )
    if _import("onnxruntime") is None:
        import onnxruntime

        providers = onnxruntime.get_available_providers()
        if torch.cuda.is_available() and "CUDAExecutionProvider" not in providers:
            yield bad(
                "onnxruntime", f"no CUDA: {providers}", "pip install onnxruntime-gpu, without onnxruntime"
            )
        else:
            yield good("onnxruntime", ", ".join(providers))


def _devices() -> str:
    import torch

    if not torch.cuda.is_available():
        return "CPU only"
    count = torch.cuda.device_count()
    return ", ".join(torch.cuda.get_device_name(index) for index in range(count))


def _cache() -> Finding:
    folder = Places.from_environment().target
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder):
            pass
        free = shutil.disk_usage(folder).free
    except OSError as error:
        hint = "Set IPVG_WEIGHTS_DIR and XDG_CACHE_HOME to folders that can be written to."
        return bad("cache", f"{folder} cannot be written ({error.strerror})", hint)
    if free < _ROOM:
        return bad("cache", f"{folder}: {readable_size(free)} free", "Free some space.")
    return good("cache", f"{folder}: {readable_size(free)} free")


def _clock(now: float) -> Finding:
    """A file that was just installed cannot be of tomorrow."""
    installed = Path(__file__).stat().st_mtime
    if installed > now + _DAY:
        days = (installed - now) / _DAY
        return bad("clock", f"{days:.0f} days before this package was installed", "Set the machine's clock.")
    return good("clock", time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(now)))


def memory() -> int | None:
    """Bytes of memory of this machine; None where the system does not say."""
    sysconf: Callable[[str], int] | None = getattr(os, "sysconf", None)
    if sysconf is None:
        return None
    try:
        return sysconf("SC_PAGE_SIZE") * sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        return None
