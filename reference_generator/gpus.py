"""GPUs by name: their memory, and what of their rate a video model gets."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ipvg_eval.core.suggest import did_you_mean
from ipvg_eval.reference_generator.errors import SettingsError


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """One kind of GPU.

    Attributes:
        name: short.
        peak: dense 16-bit TFLOP/s that its maker states.
        memory_gb: of the largest variant.
        family: whose efficiency it has, see `EFFICIENCY`.
        measured: whether published times of Wan models exist for it; else its efficiency is its family's.
    """

    name: str
    peak: float
    memory_gb: float
    family: str
    measured: bool = False

    @property
    def tflops(self) -> float:
        """TFLOP/s of the matrix products of a video model."""
        return self.peak * EFFICIENCY[self.family]


EFFICIENCY = {"Ampere": 0.58, "Ada": 0.68, "Hopper": 0.425, "H20": 0.75}
"""Share of the peak that Wan's own tables show, the middle of the largest and smallest. They give the total
time of a video for Wan2.1 (1.3B, 14B) and Wan2.2 (TI2V 5B, A14B). A low peak, as the H20's, is reached more
fully."""

ERROR = 0.19
"""Largest relative difference of the estimates from those tables; `tests` hold it."""

_ROWS = (
    ("GB300", 2500.0, 288.0, "Hopper", False),
    ("GB200", 2500.0, 186.0, "Hopper", False),
    ("B300", 2250.0, 288.0, "Hopper", False),
    ("B200", 2250.0, 180.0, "Hopper", False),
    ("GH200", 989.0, 144.0, "Hopper", False),
    ("H200", 989.0, 141.0, "Hopper", False),
    ("H100 PCIe", 756.0, 80.0, "Hopper", False),
    ("H100", 989.0, 80.0, "Hopper", True),
    ("H800", 989.0, 80.0, "Hopper", True),
    ("H20", 148.0, 96.0, "H20", True),
    ("A100", 312.0, 80.0, "Ampere", True),
    ("A800", 312.0, 80.0, "Ampere", True),
    ("A6000", 155.0, 48.0, "Ampere", False),
    ("A40", 150.0, 48.0, "Ampere", False),
    ("A10", 125.0, 24.0, "Ampere", False),
    ("3090", 71.0, 24.0, "Ampere", False),
    ("6000 Ada", 364.0, 48.0, "Ada", False),
    ("L40S", 362.0, 48.0, "Ada", False),
    ("L40", 181.0, 48.0, "Ada", False),
    ("L4", 121.0, 24.0, "Ada", False),
    ("4090", 165.0, 24.0, "Ada", True),
    ("5090", 210.0, 32.0, "Ada", False),
    ("PRO 6000", 504.0, 96.0, "Ada", False),
)
GPUS = tuple(
    Gpu(name=name, peak=peak, memory_gb=memory, family=family, measured=measured)
    for name, peak, memory, family, measured in _ROWS
)


def find_gpu(name: str) -> Gpu | None:
    """The GPU of a name as drivers and people write it; None for one that is not in the table."""
    words = set(_words(name))
    fitting = [gpu for gpu in GPUS if words.issuperset(_words(gpu.name))]
    return max(fitting, key=lambda gpu: len(_words(gpu.name)), default=None)


def named_gpus(text: str) -> tuple[Gpu, int]:
    """GPU and number of "NAME" or "NAMExN", such as "H100x8".

    Raises:
        SettingsError: the name is not in the table, or the number is none.
    """
    found = re.fullmatch(r"(.+?)(?:[xX]([0-9]{1,4}))?", text.strip())
    count = int(found[2] or 1) if found else 0
    gpu = find_gpu(found[1]) if found else None
    if gpu is None or count < 1:
        names = [one.name for one in GPUS]
        raise SettingsError(
            f"nothing is known of a GPU {text!r}, so neither is its time",
            hint=did_you_mean(text, names) + " Or give its rate: --set runtime.tflops=N.",
        )
    return gpu, count


def _words(name: str) -> list[str]:
    return re.findall(r"[A-Z0-9]+", name.upper())
