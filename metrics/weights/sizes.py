"""Sizes as people read them."""

from __future__ import annotations


def readable_size(size: int | None) -> str:
    """Bytes in decimal units, such as "16.9 MB"; "size unknown" for None."""
    if size is None:
        return "size unknown"
    value = float(size)
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < 999.95 or unit == "GB":
            return f"{size} bytes" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1000
    raise AssertionError("the last unit has no bound")
