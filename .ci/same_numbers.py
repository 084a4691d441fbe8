"""Do two journals hold the same numbers, to what decoders and libraries round differently?

python .ci/same_numbers.py EXPECTED.jsonl FOUND.jsonl
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

_TOLERANCE = 1e-6


def values(journal: Path) -> dict[tuple[str, str], float | None]:
    """Every measured value by sample and metric."""
    rows = [json.loads(line) for line in journal.read_text("utf-8").splitlines() if line]
    return {(row["sample"], m["name"]): m.get("value") for row in rows for m in row.get("measurements", ())}


def main(expected: Path, found: Path) -> int:
    """Name every value that differs; 1 if one does, or one is missing."""
    old, new = values(expected), values(found)
    different = 0
    for key, value in old.items():
        other = new.get(key)
        same = value is other is None or (
            value is not None
            and other is not None
            and math.isclose(value, other, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
        )
        if not same:
            different += 1
            sys.stdout.write(f"{' '.join(key)}: {value} expected, {other} found\n")
    if not old:
        sys.stdout.write(f"{expected}: no values\n")
    return 1 if different or not old else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
