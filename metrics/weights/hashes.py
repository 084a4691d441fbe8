"""sha256 of files, computed once per version of a file."""

from __future__ import annotations

import contextlib
import hashlib
import json
import tempfile
from pathlib import Path

from filelock import FileLock, Timeout


def sha256_of(path: Path) -> str:
    """sha256 of a file's bytes, in lower-case hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class HashCache:
    """Remembers sha256 by path, size and time of modification, also between runs.

    Args:
        record: JSON file that keeps the hashes; where it cannot be written they are only kept in memory.
        fresh: hash everything anew, whatever the record says.
    """

    def __init__(self, record: Path, *, fresh: bool = False) -> None:
        self._record = record
        self._known = {} if fresh else _read(record)

    def sha256(self, path: Path) -> str:
        """sha256 of a file.

        Raises:
            OSError: it cannot be read.
        """
        stat = path.stat()
        key = str(path.resolve())
        known = self._known.get(key)
        if known is not None and known[:2] == [stat.st_size, stat.st_mtime_ns]:
            return str(known[2])
        digest = sha256_of(path)
        self._known[key] = [stat.st_size, stat.st_mtime_ns, digest]
        self._save()
        return digest

    def _save(self) -> None:
        # A read-only home costs time, not correctness: the files are hashed again next time.
        with contextlib.suppress(OSError, Timeout):
            self._record.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{self._record}.lock", timeout=5):
                merged = _read(self._record) | self._known
                with tempfile.NamedTemporaryFile(
                    "w", dir=self._record.parent, suffix=".tmp", delete=False
                ) as file:
                    json.dump(merged, file, indent=0)
                Path(file.name).replace(self._record)


def _read(record: Path) -> dict[str, list[int | str]]:
    try:
        content = json.loads(record.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(content, dict):
        return {}
    return {key: value for key, value in content.items() if isinstance(value, list) and len(value) == 3}
