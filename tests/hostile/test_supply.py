"""What comes from others runs no code; dependencies are looked up; the threat model names real tests."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ipvg_eval.errors import RunError
from ipvg_eval.results.features import read_features

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / ".ci" / "audit_deps.py"
PACKAGES = ("ipvg_eval", "metrics", "leaderboard", "reference_generator")
FORBIDDEN = {
    "pickle.load", "pickle.loads", "pickle.Unpickler", "joblib.load", "dill.load", "marshal.loads",
    "shelve.open", "yaml.load", "yaml.unsafe_load", "yaml.full_load", "eval", "exec", "os.system",
}  # fmt: skip


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


class _Touch:
    """Unpickled, it makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def test_a_pickled_array_among_features_is_refused(tmp_path):
    marker = tmp_path / "ran"
    with (tmp_path / "features.npz").open("wb") as file:
        np.savez(file, **{"arc.rows": np.array([_Touch(marker)], dtype=object), "arc.indices": np.arange(1)})
    with pytest.raises(RunError):
        read_features(tmp_path / "features.npz")
    assert not marker.exists()


def _calls(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            keywords = {k.arg: getattr(k.value, "value", None) for k in node.keywords}
            yield ast.unparse(node.func), keywords, node.lineno


def test_no_module_loads_code_from_data():
    """Pickles, unsafe YAML, eval and shells appear nowhere; torch and numpy load tensors and arrays alone."""
    seen = 0
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for name, keywords, line in _calls(ast.parse(path.read_text("utf-8"))):
                where = f"{path}:{line}: {name}"
                seen += 1
                assert name not in FORBIDDEN, where
                assert keywords.get("shell") is not True, where
                if name == "torch.load":
                    assert keywords.get("weights_only") is True, where
                if name in ("np.load", "numpy.load"):
                    assert keywords.get("allow_pickle") is False, where
    assert seen > 1000


def test_every_claim_of_the_threat_model_names_tests_that_exist():
    text = (ROOT / "SECURITY.md").read_text("utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)
    assert len(named) > 50
    for path, test in named:
        assert re.search(rf"^def {test}\(", (ROOT / path).read_text("utf-8"), re.MULTILINE), f"{path}::{test}"


def test_every_statement_of_the_threat_model_names_its_test_or_why_there_is_none():
    text = (ROOT / "SECURITY.md").read_text("utf-8")
    statements = text[text.index("\n## A zip") :]
    for paragraph in statements.split("\n\n"):
        lines = paragraph.strip().splitlines()
        if lines[0].startswith("|"):
            assert lines[0].endswith("| test |"), lines[0]
            for line in lines[2:]:
                proof = line.rpartition(" | ")[2]
                assert "::test_" in proof or proof.startswith("not tested: "), line
        elif not lines[0].startswith("#"):
            assert "::test_" in paragraph, paragraph
