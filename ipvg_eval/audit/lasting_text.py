"""Text that stays where it is from frame to frame."""

from __future__ import annotations

from collections.abc import Sequence


def lasting_text(
    frames: Sequence[Sequence[tuple[float, int]]], glyphs: int, *, apart: float = 0.02
) -> tuple[float, int]:
    """Text that stays where it is.

    Args:
        frames: rows of each frame, from `text_rows`.
        glyphs: letters in a row from which on it counts.
        apart: how far a row may move, as a share of the height.

    Returns:
        Share of the frames that show a row at the same height, and the most letters in such a row; (0, 0)
        for none.
    """
    best = (0.0, 0)
    for centre in {centre for rows in frames for centre, count in rows if count >= glyphs}:
        counts = [
            max((n for at, n in rows if abs(at - centre) <= apart and n >= glyphs), default=0)
            for rows in frames
        ]
        best = max(best, (sum(count > 0 for count in counts) / len(counts), max(counts)))
    return best
