"""Look every pinned dependency up among known vulnerabilities, by pip-audit.

Where the data cannot be reached, say so and exit 0; where one is known, list it and exit 1.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

_OPTIONS = ("--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json")


def look_up(pins: list[str]) -> tuple[list[dict[str, Any]] | None, str]:
    """What is known of the pinned packages; None and the reason where the data cannot be reached."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "requirements.txt"
        file.write_text("\n".join(pins) + "\n")
        done = subprocess.run(  # noqa: S603 - a fixed command
            [sys.executable, "-m", "pip_audit", "-r", str(file), *_OPTIONS],
            capture_output=True,
            text=True,
            check=False,
        )
    try:
        found: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        return None, (done.stderr.strip().splitlines() or ["no answer"])[-1]
    if not any("vulns" in entry for entry in found):
        return None, str(found[0].get("skip_reason", "no answer")) if found else "no answer"
    return found, ""


def main(requirements: Path) -> int:
    """Try one package first, so that an unreachable service is asked once only."""
    pins = [line for line in requirements.read_text().splitlines() if line and line[0] not in "#- "]
    for part in (pins[:1], pins):
        found, reason = look_up(part)
        if found is None:
            sys.stdout.write(f"Skipped: the vulnerability data cannot be reached ({reason[:300]}).\n")
            return 0
    assert found is not None
    known = [(e["name"], e["version"], v["id"], v["fix_versions"]) for e in found for v in e.get("vulns", ())]
    for name, version, identifier, fixed in known:
        sys.stdout.write(f"{name} {version}: {identifier}, fixed in {', '.join(fixed) or 'no version'}\n")
    skipped = sum("vulns" not in entry for entry in found)
    sys.stdout.write(
        f"{len(found) - skipped} packages looked up, {skipped} not known, {len(known)} findings\n"
    )
    return 1 if known else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
