"""File names that say who a page is about, whatever the team is called."""

from __future__ import annotations

import hashlib
import re
import unicodedata

_LONGEST = 40
_LIKE_A_HASH = re.compile(r"(^|-)[0-9a-f]{8}$")


def file_name(name: str) -> str:
    """A name of lower-case letters, digits and hyphens, different for every `name`.

    Names that are written that way already stay as they are; all others end in a hash of the name, so that no
    two names meet and none leaves its folder.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii").lower()
    plain = re.sub(r"[^a-z0-9]+", "-", plain)[:_LONGEST].strip("-")
    if plain == name and name and not _LIKE_A_HASH.search(name):
        return plain
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{plain}-{digest}" if plain else digest
