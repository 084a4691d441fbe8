"""Runs a command and prints the peaks of memory of it and of the largest process it opened files in, in MiB.

python peaks_of_a_command.py WORD...
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from pathlib import Path

from ipvg_eval.cli import main
from ipvg_eval.sandbox import LimitedProcess


def peak(process: str) -> float:
    """Of a process, by its number."""
    status = Path(f"/proc/{process}/status").read_text("utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def run(words: list[str]) -> dict[str, float]:
    """The command's peak, and the largest of its processes'."""
    peaks = [0.0]
    close = LimitedProcess.close

    def told(self: LimitedProcess) -> None:  # type: ignore[type-arg]
        if self._process is not None and self._process.poll() is None:
            peaks.append(peak(str(self._process.pid)))
        close(self)

    LimitedProcess.close = told  # type: ignore[method-assign]
    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
        main(words)
    return {"command": peak("self"), "process": max(peaks)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(sys.argv[1:])) + "\n")
