"""The wheel in a fresh environment: types for users, and room for packages of their own."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

LARGE = ("torch", "pandas", "pydantic", "numpy", "PIL", "cv2", "scipy", "pyarrow", "rich", "typer", "jinja2")


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory):
    """The interpreter of an environment that holds the wheel; what it depends on comes from this one."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return folder / "bin" / "python"


def _run(*words, cwd, **options):
    return subprocess.run([*map(str, words)], cwd=cwd, capture_output=True, text=True, check=False, **options)


def test_users_see_types(python, tmp_path):
    """Other packages are left out of the check, which is about ours."""
    skipped = "".join(f"[mypy-{name}.*]\nfollow_imports = skip\n" for name in LARGE)
    (tmp_path / "mypy.ini").write_text("[mypy]\n" + skipped)
    (tmp_path / "user.py").write_text(
        "from ipvg_eval import Recipe, load_run\n"
        "from ipvg_eval.metrics.sampling import linspace_indices\n"
        "reveal_type(Recipe(protocol='lite', batch_size=4).batch_size)\n"
        "reveal_type(linspace_indices(9, 3))\n"
        "reveal_type(load_run('run').summary.team)\n"
        "Recipe(batch_size='many')\n"
    )
    words = ("--strict", "--python-executable", python, f"--cache-dir={tmp_path / 'cache'}", "user.py")
    done = _run(sys.executable, "-m", "mypy", *words, cwd=tmp_path)
    found = [line for line in done.stdout.splitlines() if line.startswith("user.py")]
    revealed = [line.partition('"')[2].rstrip('"').replace("builtins.", "") for line in found[:3]]
    assert revealed == ["int", "tuple[int, ...]", "str"], done.stdout
    assert "[arg-type]" in found[3]
    assert len(found) == 4


def test_a_users_own_metrics_package_goes_on_working(python, tmp_path):
    """`metrics` is a usual name for a folder of a research project; installing ours must not take it."""
    for package in ("metrics", "leaderboard"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("")
        (tmp_path / package / "psnr.py").write_text("WHOSE = 'the user'\n")
    (tmp_path / "study.py").write_text(
        "from metrics.psnr import WHOSE\n"
        "from leaderboard import psnr\n"
        "import ipvg_eval.metrics.sampling as ours, ipvg_eval.leaderboard\n"
        "import metrics\n"
        "print(WHOSE, psnr.WHOSE, ours.linspace_indices(9, 3))\n"
        "print(ours.__file__)\n"
    )
    for words, environment in (
        (("study.py",), {}),
        (("-c", "import study"), {"PYTHONPATH": str(tmp_path)}),
    ):
        done = _run(python, *words, cwd=tmp_path, env=environment)
        assert done.returncode == 0, done.stderr
        said, where = done.stdout.splitlines()
        assert said == "the user the user (0, 4, 8)"
        assert Path(where).is_relative_to(python.parents[1])


def test_only_our_name_is_taken(python, tmp_path):
    """Without the user's folder the old names lead nowhere."""
    code = "import importlib.util as u; print([n for n in ('metrics', 'leaderboard') if u.find_spec(n)])"
    assert _run(python, "-c", code, cwd=tmp_path, env={}).stdout.strip() == "[]"
