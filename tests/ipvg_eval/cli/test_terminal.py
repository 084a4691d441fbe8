"""Hostile names in a real terminal: what tmux shows is text, and its title and screen stay ours."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
# Sets the window's title, clears the screen, moves up, turns the text around, rings, and ends the line.
HOSTILE = "\x1b]2;owned\x07\x1b[2J\x1b[9A\u202eevil\u2066\x9b2J\r\x08\x1bPq\x1b\\team"

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


@pytest.fixture
def screen(tmp_path):
    """Runs a command in a terminal of 100 columns until a text stands there: the screen, and its title."""
    tmux = ["tmux", "-u", "-S", str(tmp_path / "socket"), "-f", "/dev/null"]

    def ask(*words):
        return subprocess.run([*tmux, *words], check=True, capture_output=True, text=True, timeout=30).stdout

    def run(*words, until):
        line = " ".join(f"'{word}'" for word in (sys.executable, "-m", "ipvg_eval", *words))
        ask("new-session", "-d", "-x", "100", "-y", "60", f"echo BEFORE; {line}; echo AFTER; sleep 600")
        for _ in range(1200):
            if until in (shown := ask("capture-pane", "-p")):
                return shown, ask("display-message", "-p", "#{pane_title}")
            time.sleep(0.1)
        pytest.fail(f"{until!r} never came:\n{shown}")

    yield run
    subprocess.run([*tmux, "kill-server"], check=False, capture_output=True)


def test_a_team_s_name_is_shown_and_not_obeyed(screen, tmp_path):
    for name in ("careful", "careless"):
        run = Path(shutil.copytree(ROOT / "tests/golden/runs" / name, tmp_path / name))
        for file in ("run.json", "summary.json"):
            content = json.loads((run / file).read_text("utf-8"))
            content["team"] = HOSTILE + name
            (run / file).write_text(json.dumps(content), "utf-8")
    words = ("compare", str(tmp_path / "careful"), str(tmp_path / "careless"), "--most", "0")
    shown, title = screen(*words, until="AFTER")
    assert shown.startswith("BEFORE"), "the screen was cleared, or the cursor moved up"
    assert r"\x1b]2;owned\x07\x1b[2J\x1b[9A\u202eevil\u2066\x9b2J\r\x08\x1bPq\x1b\teamcareful" in shown
    assert "lite_identity" in shown
    assert "owned" not in title
