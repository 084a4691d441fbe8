"""Linter, type checker and coverage see each file once, though three folders have two paths."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from coverage import CoverageData
from mypy.fscache import FileSystemCache
from mypy.modulefinder import FindModuleCache, SearchPaths
from mypy.options import Options
from source_tree import FOLDERS, LINKED, ROOT, configuration, source_files

OURS = {path.resolve() for path in source_files(python=True).values()}


def _run(*words, **options):
    return subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True, check=False, **options
    )


def _once(paths):
    """The real files behind paths, none of which may come twice."""
    real = [Path(path).resolve() for path in paths]
    assert len(real) == len(set(real))
    return set(real)


def test_the_linter():
    listed = _once(_run("ruff", "check", "--show-files", ".").stdout.splitlines())
    assert listed >= OURS
    assert {file for file in listed if file.is_relative_to(ROOT / "tests")} >= {Path(__file__).resolve()}


def test_the_type_checker():
    """mypy is given packages by name, which it finds as here."""
    options = Options()
    paths = SearchPaths(python_path=(str(ROOT),), mypy_path=(), package_path=(), typeshed_path=())
    finder = FindModuleCache(paths, FileSystemCache(), options)
    packages = configuration()["mypy"]["packages"]
    sources = [source for package in packages for source in finder.find_modules_recursive(package)]
    files = [source.path for source in sources if source.path.endswith(".py")]
    assert _once(files) == OURS
    assert all(source.module.partition(".")[0] == "ipvg_eval" for source in sources)


def test_coverage(tmp_path):
    """Coverage resolves links: a folder that is not listed by its real path would silently not count."""
    assert sorted(configuration()["coverage"]["run"]["source"]) == sorted(FOLDERS)
    done = _run(
        *("coverage", "run", f"--data-file={tmp_path / 'data'}"),
        *("-m", "ipvg_eval", "protocols", "list"),
        env=os.environ | {"IPVG_WEIGHTS_DIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    (file,) = tmp_path.glob("data*")
    data = CoverageData(str(file))
    data.read()
    measured = _once(data.measured_files())
    assert measured <= OURS
    assert ROOT / "metrics" / "protocols" / "definition.py" in measured


@pytest.mark.parametrize("name", LINKED)
@pytest.mark.parametrize("line", ["import {}", "from {} import anything", "from {}.errors import anything"])
def test_the_linter_refuses_the_folders_as_packages_of_their_own(name, line):
    source = line.format(name) + "\n"
    for text, code in ((source, 1), (source.replace(name, f"ipvg_eval.{name}", 1), 0)):
        done = _run("ruff", "check", "--select=TID251", "--stdin-filename=metrics/new.py", "-", input=text)
        assert done.returncode == code, done.stdout
        assert ("TID251" in done.stdout) == bool(code)
