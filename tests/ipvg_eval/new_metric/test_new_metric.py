"""A package as `new-metric` writes it: installed by pip, found by every command, tested by its own tests."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from ipvg_eval import load_run
from ipvg_eval.core.errors import ExitCode, UsageError
from ipvg_eval.new_metric import write_package

ROOT = Path(__file__).resolve().parents[3]
GUIDE = ROOT / "docs/your-own-metric.md"
SCORE = ["score", "fixtures/submissions/careful", "--testset", "fixtures/testset", "--limit", "2"]
MARK = "from ipvg-eval-skin-tone 0.1.0"


def _run(words, folder, site=None, *, code=ExitCode.DONE):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **({"PYTHONPATH": str(site)} if site else {})}
    done = subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


def _command(words, folder, site=None, **options):
    return _run(["-m", "ipvg_eval", *words], folder, site, **options)


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    """The folder in which every command of the guide was carried out, and what each printed."""
    folder, site, printed = tmp_path_factory.mktemp("guide"), tmp_path_factory.mktemp("site"), {}
    (folder / "fixtures").symlink_to(ROOT / "fixtures")
    for line in re.findall(r"^\$ (.+)$", GUIDE.read_text("utf-8"), re.MULTILINE):
        program, *words = shlex.split(line)
        if program == "pip":  # into a folder of its own, which the other commands have on their path
            package = folder / words[-1]
            kept = [word for word in words[1:-1] if word != "-e"]
            done = _run(["-m", "pip", "install", "--quiet", *kept, "--target", site, package], folder)
        elif program == "pytest":
            done = _run(["-m", "pytest", "-q", "-W", "error", *words], folder, site)
        else:
            assert program == "ipvg-eval"
            done = _command(words, folder, site)
        printed[line] = done.stdout
    return folder, site, printed


def _printed(followed, words):
    [text] = [text for line, text in followed[2].items() if words in line]
    return text


def test_its_own_tests_pass(followed):
    assert re.search(r"\d\d passed", _printed(followed, "pytest"))


def test_the_protocols_are_listed_with_it(followed):
    text = _printed(followed, "protocols list")
    assert "not of ipvg-eval" in text
    assert "ipvg-eval-skin-tone 0.1.0" in text


def test_a_run_says_where_the_metric_is_from(followed):
    folder = followed[0]
    info = json.loads((folder / "runs/own/run.json").read_text("utf-8"))
    assert [spec["package"] for spec in info["specs"]] == ["ipvg-eval-skin-tone 0.1.0", "", ""]
    assert info["provenance"]["packages"]["ipvg-eval-skin-tone"] == "0.1.0"
    for name in ("summary.md", "summary.tex", "report.html"):
        assert MARK in (folder / "runs/own" / name).read_text("utf-8"), name
    assert MARK in _printed(followed, "--out runs/own")


def test_the_metric_is_the_same_beside_any_protocol(followed):
    own, beside = (load_run(followed[0] / "runs" / name).samples for name in ("own", "beside"))
    assert own["skin_tone"].notna().all()
    pd.testing.assert_series_equal(own["skin_tone"], beside["skin_tone"])


def test_a_board_says_where_the_metric_is_from(followed, tmp_path):
    folder, site, _ = followed
    run = folder / "runs/own"
    _command(["leaderboard", run, "--unofficial", "--out", tmp_path / "site"], folder, site)
    assert MARK in (tmp_path / "site/index.html").read_text("utf-8")


def test_a_comparison_says_where_the_metric_is_from(followed):
    run = followed[0] / "runs/own"
    assert f"{MARK}, not from ipvg-eval: skin_tone" in _command(["compare", run, run], followed[0]).stdout


def test_a_run_is_read_where_the_package_is_not_installed(followed, tmp_path):
    run = load_run(followed[0] / "runs/own")
    assert run.info.specs[0].label.endswith(f"({MARK})")
    _command(["report", run.folder.path, "--out", tmp_path / "page.html"], tmp_path)
    done = _command(["protocols", "list"], tmp_path)
    assert "skin-tone" not in done.stdout


def test_workers_of_a_cluster_measure_it(followed, tmp_path):
    folder, site, _ = followed
    words = ["score", "fixtures/submissions/careful", "--testset", "fixtures/testset", "--protocol"]
    words += ["skin-tone/protocol.yaml", "--ray", "local", "--workers", "2", "--out", tmp_path / "run"]
    _command(words, folder, site)
    for name in ("samples.parquet", "frames.parquet", "summary.json"):
        assert (tmp_path / "run" / name).read_bytes() == (folder / "runs/own" / name).read_bytes(), name


@pytest.fixture
def changed(followed, tmp_path):
    """Gives a function that changes the package, and measures two samples with it."""

    def change(file, right, wrong, *words, code):
        site = tmp_path / "site"
        shutil.copytree(followed[1], site, ignore=shutil.ignore_patterns("__pycache__"))
        path = site / "ipvg_eval_skin_tone" / file
        text = path.read_text("utf-8")
        assert right in text
        path.write_text(text.replace(right, wrong), "utf-8")
        return _command([*SCORE, *words, "--out", tmp_path / "run"], followed[0], site, code=code)

    return change


def test_one_that_raises_on_a_video_costs_its_metric_and_is_named(changed, followed, tmp_path):
    words = ["--protocol", "skin-tone/protocol.yaml"]
    raising = "return float([].pop() + np.hypot("
    done = changed("maths.py", "return float(np.hypot(", raising, *words, code=ExitCode.SOME_FAILED)
    reason = "'skin_tone' of the package ipvg-eval-skin-tone 0.1.0: IndexError: pop from empty list"
    assert done.stderr.count(reason) == 2
    run, whole = load_run(tmp_path / "run"), load_run(followed[0] / "runs/own").samples[:2]
    assert (run.summary.counts.scored, run.summary.counts.broken) == (2, 2)
    assert [json.loads(text) for text in run.samples["missing"]] == [{"skin_tone": reason}] * 2
    for name in ("lite_motion", "dynamic_degree_lite"):
        pd.testing.assert_series_equal(run.samples[name], whole[name])

    site = tmp_path / "site/ipvg_eval_skin_tone/maths.py"  # mended, the same command measures what is missing
    site.write_text(site.read_text("utf-8").replace("[].pop() + ", ""), "utf-8")
    again = [*SCORE, *words, "--out", tmp_path / "run"]
    _command(again, followed[0], tmp_path / "site")
    pd.testing.assert_series_equal(load_run(tmp_path / "run").samples["skin_tone"], whole["skin_tone"])


def test_one_that_cannot_be_imported_is_named_where_it_is_asked_for(changed):
    words = ["--protocol", "lite", "--metrics", "lite_motion,skin_tone"]
    done = changed("maths.py", "import numpy", "import numpyy", *words, code=ExitCode.UNAVAILABLE)
    assert "ipvg-eval-skin-tone 0.1.0 cannot be used" in done.stderr
    assert "numpyy" in done.stderr


def test_one_that_cannot_be_imported_harms_nobody_else(changed):
    words = ["--protocol", "lite", "--metrics", "lite_motion"]
    done = changed("maths.py", "import numpy", "import numpyy", *words, code=ExitCode.DONE)
    assert "skin" not in done.stdout + done.stderr


@pytest.mark.parametrize("name", ["cuts", "cur_score", "face_fid", "identity", "faces", "2d", "größe", ""])
def test_a_name_that_cannot_be_is_refused(name, tmp_path):
    with pytest.raises(UsageError):
        write_package(name, tmp_path / "package")
    assert not (tmp_path / "package").exists()


def test_what_is_there_is_not_overwritten(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="something here already"):
        write_package("skin-tone", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_the_guide_declares_a_weight_that_can_be_declared():
    [code] = re.findall(r"```python\n(.+?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    names: dict[str, object] = {}
    exec(code, names)
    assert names["EYE"].used_by == ("skin_tone",)
