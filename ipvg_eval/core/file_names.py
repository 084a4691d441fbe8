"""File names made from names that people chose: ids, identities, teams, questions."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from pathlib import Path

_LONGEST = 40
_LONGEST_FOLDER = 80
_LIKE_A_HASH = re.compile(r"(^|-)[0-9a-f]{16}$")
_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)", re.IGNORECASE)
_FORBIDDEN = re.compile(r'[<>:"/\\|?*]')


def file_name(name: str) -> str:
    """A name of lower-case letters, digits and hyphens, at most 57 long, different for every `name`.

    Names that are written that way already stay as they are; all others end in a hash of the whole name, so
    that no two names meet, none leaves its folder, and file systems that ignore case or forbid characters
    take it.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii").lower()
    plain = re.sub(r"[^a-z0-9]+", "-", plain)[:_LONGEST].strip("-")
    if plain == name and name and not _LIKE_A_HASH.search(name) and not _DEVICES.match(name):
        return plain
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{plain}-{digest}" if plain else digest


def folder_name(name: str) -> str:
    """The name itself where every file system takes it as a folder's, else `file_name` of it."""
    return name if suits_every_system(name) and len(name.encode()) <= _LONGEST_FOLDER else file_name(name)


def suits_every_system(name: str) -> bool:
    """Whether Linux, macOS and Windows take this as the name of one file or folder."""
    return (
        name.isprintable()
        and not _FORBIDDEN.search(name)
        and not _DEVICES.match(name)
        and not name.startswith((".", " "))
        and not name.endswith((".", " "))
        and 0 < len(name.encode("utf-8")) <= 255
    )


def as_stored(folder: Path, relative: str) -> Path:
    """A file below a folder in the Unicode form its name is stored in; as it is written if none is there.

    Names typed and those of macOS' files look alike and are other bytes.

    Raises:
        OSError, ValueError: no system has such a name.
    """
    written = folder / relative
    forms = (folder / unicodedata.normalize(form, relative) for form in ("NFC", "NFD"))
    return written if written.exists() else next((path for path in forms if path.exists()), written)
