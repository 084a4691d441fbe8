"""Every column of every output with hostile values, read by what people read it with."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
import sys
import time
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hostile_run import HOSTILE, write_hostile_run
from PIL import Image
from playwright.sync_api import Browser

from ipvg_eval.core.printable import printable
from ipvg_eval.results.folder import RunFolder

ROOT = Path(__file__).resolve().parents[2]
FORMULAS = ("=", "+", "-", "@", "\t", "\r")
NUMBER = re.compile(r"[-+]?\d+(\.\d*)?(e[-+]?\d+)?", re.I)
SHOW_RUNS = """
import sys
from pathlib import Path
from ipvg_eval.cli.consoles import STDOUT
from ipvg_eval.cli.tables import print_failures, print_runs
from ipvg_eval.results import load_run
runs = [load_run(Path(path)) for path in sys.argv[1:]]
for shown in (runs[:1], runs):
    print_runs(shown, STDOUT)
    print_failures(shown[0], STDOUT)
"""
"""What `score` ends with."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two hostile runs with pictures, votes on them, and everything that is written about them."""
    root = tmp_path_factory.mktemp("outputs")
    teams, samples = [], []
    for name in ("careful", "careless"):
        run = RunFolder(write_hostile_run(ROOT / "tests" / "golden" / "runs" / name, root / name))
        rows = run.journal.read()
        teams.append(run.read_info().team)
        samples = list(rows)
        for sample in samples:
            picture = run.thumbnail(sample)
            picture.parent.mkdir(exist_ok=True)
            Image.new("RGB", (64, 36), "red").save(picture)
    with (root / "votes.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow(("sample", "team_a", "team_b", "winner", "annotator", "question"))
        for number, sample in enumerate(samples):
            for person in "123456":
                winner = "ab"[number % 3 == 0]
                writer.writerow((sample, *teams, winner, HOSTILE + person, HOSTILE))
    for words in (*commands(root), ("report", root / "careful"), ("report", root / "careless")):
        done = ipvg_eval(*words)
        assert done.returncode in (0, 1), done.stderr
        assert "[/red][link=x]" in done.stdout or words[0] in ("verify", "report"), words
    return root


def commands(root: Path) -> list[tuple[str | Path, ...]]:
    runs, votes = (root / "careful", root / "careless"), ("--votes", root / "votes.csv")
    return [
        ("verify", runs[0]),
        ("compare", *runs, "--most", "3"),
        ("leaderboard", *runs, *votes, "--unofficial", "--out", root / "site"),
        ("agree", *runs, *votes, "--out", root / "agreement"),
        ("elo", root / "votes.csv"),
        ("audit", *runs, "--no-faces"),
    ]


def ipvg_eval(*words: str | Path) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "ipvg_eval", *map(str, words)]
    return subprocess.run(line, capture_output=True, text=True, check=False)


def unseen(text: str, keep: str = "\n") -> set[str]:
    """What a terminal obeys, a page turns round or nobody sees."""
    odd = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    return {character for character in text if unicodedata.category(character) in odd} - set(keep)


def cells_of(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_text("utf-8"), newline="")))


def test_every_cell_of_every_csv_is_text_or_a_number(folder: Path) -> None:
    paths = [path for path in sorted(folder.rglob("*.csv")) if path.name != "votes.csv"]  # not ours
    assert {"samples.csv", "timings.csv", "facial-ranking.csv", "facial-samples.csv"} <= {
        p.name for p in paths
    }
    hostile = 0
    for path in paths:
        rows = cells_of(path)
        assert len({len(row) for row in rows}) == 1, path
        for cell in (cell for row in rows for cell in row):
            assert not cell.startswith(FORMULAS) or NUMBER.fullmatch(cell), (path, cell)
            assert not unseen(cell, keep="\n\t"), (path, cell)
            hostile += "cmd|" in cell
    assert hostile > 100


def test_every_json_is_strict_and_says_the_same(folder: Path) -> None:
    paths = sorted(folder.rglob("*.json"))
    assert {"run.json", "summary.json", "audit.json", "leaderboard.json", "site.json"} <= {
        p.name for p in paths
    }
    for path in paths:
        text = path.read_text("utf-8")
        assert not unseen(text), path
        found = texts(json.loads(text, parse_constant=pytest.fail))
        assert HOSTILE in found or path.name == "site.json", path  # the list of a folder's files
    for words in commands(folder):
        done = ipvg_eval(*words, "--json")
        assert not unseen(done.stdout), words
        assert json.loads(done.stdout)


def texts(content: object) -> str:
    """Every text of a JSON value, one after the other."""
    if isinstance(content, dict):
        return "".join(key + texts(value) for key, value in content.items())
    if isinstance(content, list):
        return "".join(map(texts, content))
    return content if isinstance(content, str) else ""


def test_latex_and_markdown_keep_every_value_in_its_cell(folder: Path) -> None:
    tex, markdown = sorted(folder.rglob("*.tex")), sorted(folder.rglob("*.md"))
    assert len(tex) >= 3
    assert len(markdown) >= 3
    for path in tex:
        text = path.read_text("utf-8")
        assert not unseen(text), path
        lines = [
            line for line in text.splitlines() if not line.startswith("%")
        ]  # comments end with their line
        assert not re.search(r"\\input|(?<!\\)[#%]", "".join(lines)), path
        rows = [line for line in lines if line.endswith(r"\\")]
        assert len({len(re.findall(r"(?<!\\)&", row)) for row in rows}) == 1, path
    for path in markdown:
        text = path.read_text("utf-8")
        assert not unseen(text), path
        assert not re.search(r"(?<!\\)<", text), path
        tables = [line for line in text.splitlines() if line.startswith("|")]
        assert tables
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in tables}) == 1, path


def test_every_page_shows_them_as_text_in_a_browser(folder: Path, chromium: Browser) -> None:
    pages = sorted(folder.rglob("*.html"))
    assert {"report.html", "index.html"} <= {page.name for page in pages}
    assert len(pages) >= 6  # two reports, a board with two teams, an agreement
    for page in pages:
        context = chromium.new_context()
        tab = context.new_page()
        requests, dialogs = [], []
        tab.on("request", lambda request, to=requests: to.append(request.url))
        tab.on("dialog", lambda dialog, to=dialogs: (to.append(dialog), dialog.dismiss()))
        tab.goto(page.as_uri())
        assert tab.evaluate("window.hacked") is None, page
        assert [url for url in requests if not url.startswith(("file://", "data:"))] == []
        assert dialogs == []
        # All that is in the page: text, attributes, and the data that its own script reads.
        source = tab.evaluate("document.documentElement.outerHTML")
        assert not unseen(source, keep="\n\t"), page
        assert "cmd|" in tab.locator("body").inner_text()
        cells = tab.locator("td, th").all_text_contents()
        assert cells
        assert not tab.locator("td script:not([nonce]), th img[onerror], td img[onerror]").count()
        context.close()


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Callable[[str], tuple[str, str]]]:
    """Runs a line in a terminal of 100 columns: everything that was shown, and the window's title."""
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    tmux = ["tmux", "-u", "-S", str(tmp_path / "socket"), "-f", "/dev/null"]

    def ask(*words: str) -> str:
        return subprocess.run([*tmux, *words], check=True, capture_output=True, text=True).stdout

    def run(line: str) -> tuple[str, str]:
        script = tmp_path / "line.sh"
        script.write_text(f"echo BEFORE\n{line}\necho AFTER $?\nsleep 600\n")
        ask("start-server", ";", "set-option", "-g", "history-limit", "50000", ";", "new-session", "-d", "-x",
            "100", "-y", "50", f"sh {script}")  # fmt: skip
        while "\nAFTER" not in (shown := ask("capture-pane", "-p", "-S", "-")):
            time.sleep(0.2)
        return shown, ask("display-message", "-p", "#{pane_title}")

    yield run
    subprocess.run([*tmux, "kill-server"], check=False, capture_output=True)


def test_every_table_shows_them_in_a_terminal(folder: Path, tmp_path: Path, terminal: Callable) -> None:
    script = tmp_path / "show.py"
    script.write_text(SHOW_RUNS)
    lines = [[sys.executable, "-m", "ipvg_eval", *map(str, words)] for words in commands(folder)]
    lines.append([sys.executable, str(script), str(folder / "careful"), str(folder / "careless")])
    shown, title = terminal("\n".join(" ".join(f"'{word}'" for word in line) for line in lines))
    assert shown.startswith("BEFORE"), "the screen was cleared, or the cursor moved up"
    assert "owned" not in title
    assert not unseen(shown)
    assert "Traceback" not in shown
    flat = "".join(shown.split())
    # As often as it begins, it is there to its end: nothing of it was taken as an order or as markup.
    whole = "".join(printable(HOSTILE, longest=None, keep="\n\t").split())
    assert flat.count(whole) > 50
    assert flat.count("[/red][link=x]") >= flat.count(whole)
