"""A process with secrets whose child tries every attack; prints what stopped each, as JSON.

python attacked_parent.py confined|free
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from attacks import ATTACKS, Attempt, Outcome

from ipvg_eval.sandbox import LimitedProcess


def main(mode: str) -> None:
    """Give every attack a victim of its own."""
    results = {}
    with socket.create_server(("127.0.0.1", 0)) as server, tempfile.TemporaryDirectory() as root:
        for number, attack in enumerate(ATTACKS):
            folder = Path(root, str(number))
            folder.mkdir()
            victim = folder / "victim"
            victim.write_bytes(b"precious")
            request = Attempt(attack=attack, victim=str(victim), port=server.getsockname()[1])
            results[attack] = _tried(mode, request).stopped_by
            if mode == "confined":
                assert [path.name for path in folder.iterdir()] == ["victim"]
                assert victim.read_bytes() == b"precious"
                assert victim.stat().st_mode & 0o777 != 0o777
    sys.stdout.write(json.dumps(results))


def _tried(mode: str, request: Attempt) -> Outcome:
    if mode == "confined":
        with LimitedProcess("attacks", Outcome) as process:
            process.ask(request)
            return process.answer()
    done = subprocess.run(
        [sys.executable, "-c", "import attacks, sys; "
         "print(attacks.attempt(attacks.Attempt.model_validate_json(sys.argv[1])).model_dump_json())",
         request.model_dump_json()],
        stdout=subprocess.PIPE, check=True, text=True,
    )  # fmt: skip
    # A process that became another program says nothing.
    return Outcome.model_validate_json(done.stdout) if done.stdout else Outcome(stopped_by=None)


if __name__ == "__main__":
    main(sys.argv[1])
