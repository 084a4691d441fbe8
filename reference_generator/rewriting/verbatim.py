"""Whether a rewritten caption is the caption with something put in."""

from __future__ import annotations

_FIRST_WITHOUT_SPACES = 0x2E80  # East Asian scripts begin here
_QUOTES = (('"', '"'), ("'", "'"), ("`", "`"), ("“", "”"))


def inserted_text(caption: str, rewritten: str) -> str | None:
    """What was put into the caption, in one place between words; None if anything else changed.

    The length of white space may differ. Quotation marks around the whole answer do not count.

    Args:
        caption: the original.
        rewritten: the answer.

    Returns:
        The insertion, "" if there is none.
    """
    old, new = " ".join(caption.split()), " ".join(_unquoted(rewritten.strip(), caption).split())
    if old == new:
        return ""
    before = _shared(old, new)
    after = _shared(old[::-1], new[::-1])
    for place in range(before, len(old) - after - 1, -1):
        insertion = new[place : len(new) - (len(old) - place)]
        if insertion and not _glued(old[:place], insertion) and not _glued(insertion, old[place:]):
            return insertion.strip()
    return None


def _shared(one: str, other: str) -> int:
    """How many characters two texts share from their start."""
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count


def _glued(left: str, right: str) -> bool:
    """Whether a word would run on from one part into the other, in scripts that put spaces between words."""
    ends = left[-1:] + right[:1]
    return len(ends) == 2 and all(end.isalnum() and ord(end) < _FIRST_WITHOUT_SPACES for end in ends)


def _unquoted(text: str, caption: str) -> str:
    for opening, closing in _QUOTES:
        if len(text) > 1 and text[0] == opening and text[-1] == closing and not caption.startswith(opening):
            return text[1:-1]
    return text
