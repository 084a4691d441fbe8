"""Settings under which a system's tiny variant runs in seconds on a CPU."""

from __future__ import annotations

from typing import Any

from ipvg_eval.reference_generator.architectures import ARCHITECTURES
from ipvg_eval.reference_generator.errors import SettingsError
from ipvg_eval.reference_generator.systems.registry import kind_of


def shrunk(system: str, architecture: str) -> dict[str, Any]:
    """What to change in a system's settings.

    The video stays long and large enough to pass validation without a warning. Nothing that a person chose
    for its meaning is touched: the kind of guidance, its scale, the schedule's shift.

    Raises:
        SettingsError: this kind of system has no tiny variant.
    """
    kind = kind_of(system)
    tiny = architecture if architecture.startswith("tiny-") else kind.tiny(architecture)
    if tiny is None:
        raise SettingsError(f"a system of kind {system} has no tiny variant", hint="Leave out --tiny.")
    further = kind.tiny_settings()
    return {
        "model": {
            "repo": tiny,
            "revision": "built here",
            "architecture": tiny if tiny in ARCHITECTURES else None,
            "weights": None,
            "weights_repo": None,
            "stored_gb": None,
        },
        "video": {"width": 128, "height": 128, "frames": 17, "fps": 16},
        "sampling": {"steps": 2, "text_length": 32},
        "prompt": {"rewriter": "none"},
        "picture": {"repo": "tiny-picture", "revision": "built here", "steps": 2, "stored_gb": None}
        | further.get("picture", {}),
        "references": {"repo": "tiny-segmenter", "revision": "built here", "path": None},
        "runtime": {"device": "cpu", "dtype": "float32"},
    }
