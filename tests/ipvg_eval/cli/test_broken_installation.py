"""Packages that fail while they are imported, and a Python that is too old: said, and nobody is blamed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ipvg_eval.core.packages import PackageMissing, broken_package, install_line, working_packages

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures"
CAREFUL = FIXTURES / "submissions" / "careful"
TESTSET = ("--testset", str(FIXTURES / "testset"))


def run(*words: object, cwd: Path, beside: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "XDG_CACHE_HOME": str(cwd / "cache")}
    if beside is not None:
        environment["PYTHONPATH"] = str(beside)
    return subprocess.run(
        [sys.executable, "-m", "ipvg_eval", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env=environment,
    )


@pytest.fixture
def beside(tmp_path):
    """A folder of packages that are found before the installed ones."""

    def make(package: str, body: str) -> Path:
        folder = tmp_path / "beside" / package
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text(body)
        return folder.parent

    return make


def test_a_torchvision_without_its_operators_is_the_installations_fault(beside, tmp_path):
    broken = beside("torchvision", "raise RuntimeError('operator torchvision::nms does not exist')\n")
    out = tmp_path / "run"
    scored = run("score", CAREFUL, *TESTSET, "--protocol", "lite", "--out", out, cwd=tmp_path, beside=broken)
    assert scored.returncode == 3
    assert "the package torchvision is broken here" in scored.stderr
    assert install_line("lite", again=True) in scored.stderr
    assert not list(tmp_path.glob("run/*.parquet"))
    examined = run("doctor", "--protocol", "lite", cwd=tmp_path, beside=broken)
    assert examined.returncode == 3
    assert "torchvision: its operators do not load" in examined.stdout
    assert "lite_sharpness: 0.5" in examined.stdout, "what does not need it is measured all the same"
    assert run("validate", CAREFUL, *TESTSET, cwd=tmp_path, beside=broken).returncode == 0


@pytest.mark.parametrize(
    "raised", ["RuntimeError('x')", "OSError('libx.so')", "AttributeError('_ARRAY_API')"]
)
def test_whatever_a_package_raises_on_import_names_the_package(monkeypatch, beside, raised):
    monkeypatch.syspath_prepend(beside("onnxruntime", f"raise {raised}\n"))
    monkeypatch.delitem(sys.modules, "onnxruntime", raising=False)
    with pytest.raises(PackageMissing, match="onnxruntime is broken here") as caught, working_packages():
        import onnxruntime  # noqa: F401
    assert "pip install --force-reinstall 'ipvg-eval[metrics]'" in caught.value.hint


def test_what_a_package_raises_in_use_is_no_broken_installation():
    with pytest.raises(ZeroDivisionError) as caught, working_packages():
        1 // 0  # noqa: B018
    assert broken_package(caught.value) is None


def test_an_old_python_is_told_so(tmp_path):
    """As another interpreter would say: its version is asked before anything is imported."""
    code = (
        "import sys; sys.version_info = (3, 10, 13, 'final', 0)\n"
        "from ipvg_eval.cli import main; main(['validate', 'x'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert (done.returncode, done.stderr) == (
        3,
        "error: this is Python 3.10; ipvg-eval needs 3.11 or newer.\n",
    )
