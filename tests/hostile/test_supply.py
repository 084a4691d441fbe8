"""Looking dependencies up fails softly where the data cannot be reached, and loudly on a known problem."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / ".ci" / "audit_deps.py"


@pytest.fixture(scope="module")
def audit_deps():
    spec = importlib.util.spec_from_file_location("audit_deps", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_an_unreachable_service_is_said_and_is_no_failure(tmp_path):
    pytest.importorskip("pip_audit")
    (tmp_path / "requirements.txt").write_text("six==1.17.0\n")
    nowhere = dict.fromkeys(("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"), "http://127.0.0.1:9")
    done = subprocess.run(
        [sys.executable, SCRIPT, tmp_path / "requirements.txt"],
        env={**os.environ, **nowhere, "NO_PROXY": "", "no_proxy": "", "PIP_AUDIT_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Skipped: the vulnerability data cannot be reached")


def answering(monkeypatch, audit_deps, dependencies):
    """The service cannot be had here, so its answer is put in pip-audit's place, in its own format."""
    asked = []

    def run(words, **_):
        asked.append(Path(words[words.index("-r") + 1]).read_text().split())
        answer = json.dumps({"dependencies": dependencies})
        return subprocess.CompletedProcess(words, 0, stdout=answer, stderr="")

    monkeypatch.setattr(audit_deps.subprocess, "run", run)
    return asked


def test_a_known_vulnerability_fails_and_is_named(audit_deps, monkeypatch, tmp_path, capsys):
    bad = {"id": "PYSEC-1", "fix_versions": ["2.0"], "description": ""}
    answer = [{"name": "a", "version": "1.0", "vulns": [bad]}, {"name": "b", "version": "1", "vulns": []}]
    asked = answering(monkeypatch, audit_deps, answer)
    (tmp_path / "requirements.txt").write_text("# pins\na==1.0\nb==1\n")
    assert audit_deps.main(tmp_path / "requirements.txt") == 1
    assert "a 1.0: PYSEC-1, fixed in 2.0" in capsys.readouterr().out
    assert asked == [["a==1.0"], ["a==1.0", "b==1"]]


def test_a_service_that_knows_no_package_counts_as_unreachable(audit_deps, monkeypatch, tmp_path, capsys):
    asked = answering(monkeypatch, audit_deps, [{"name": "a", "skip_reason": "not found"}])
    (tmp_path / "requirements.txt").write_text("a==1.0\nb==1\n")
    assert audit_deps.main(tmp_path / "requirements.txt") == 0
    assert "cannot be reached (not found)" in capsys.readouterr().out
    assert asked == [["a==1.0"]]
