"""Every tracker by its real package, on this machine alone; what it kept is read back from its files."""

from __future__ import annotations

import importlib.util
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from wandb_files import records

from ipvg_eval import Recipe, load_run, score
from ipvg_eval.cli import main
from ipvg_eval.core.errors import ExitCode, UsageError
from ipvg_eval.core.packages import PackageMissing
from ipvg_eval.core.pictures import read_rgb
from ipvg_eval.trackers import TRACKERS, open_tracker, record_of

METRICS = ("lite_motion", "lite_noise")
STEPS = (100, 200)
SECRET = "a-token-that-nobody-may-see"
LOG_TWICE = """
import sys
from ipvg_eval.results import load_run
from ipvg_eval.trackers import open_tracker, record_of
for step in (100, 200):
    open_tracker(sys.argv[2]).log(record_of(load_run(sys.argv[1]), step))
"""


@pytest.fixture(scope="module")
def scored(fixtures, tmp_path_factory):
    recipe = Recipe(protocol="lite", metrics=METRICS, device="cpu")
    out = tmp_path_factory.mktemp("runs") / "run"
    return score(
        fixtures / "submissions/careful", testset=fixtures / "testset", recipe=recipe, out=out, limit=4
    )


@pytest.fixture
def logged(scored, tmp_path):
    """Gives a function that logs the run at two steps, each as its own session, and gives the folder."""

    def log(name):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
        before = _content(scored.folder.path)
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("WANDB", "MLFLOW"))},
            "TRACKIO_DIR": str(tmp_path / "trackio"),
            "WANDB_API_KEY": SECRET,
            "HF_TOKEN": SECRET,
            "MLFLOW_TRACKING_TOKEN": SECRET,
        }
        words = [sys.executable, "-c", LOG_TWICE, str(scored.folder.path), f"{name}:faces"]
        done = subprocess.run(
            words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == 0, done.stderr
        assert _content(scored.folder.path) == before
        assert not [path for path, content in _content(tmp_path).items() if SECRET.encode() in content]
        return tmp_path

    return log


def _content(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _worst_motion(run):
    """The three samples that move least smoothly, found by hand."""
    rows = sorted(zip(run.samples["lite_motion"], run.samples["sample"], strict=True))
    return [sample for _, sample in rows[:3]]


def test_a_record_says_what_the_summary_says(scored):
    record = record_of(scored, 7)
    for name in METRICS:
        metric = scored.summary.metric(name)
        assert record.scalars[f"mean/{name}"] == metric.mean
        assert record.scalars[f"scored/{name}"] == metric.count == 4
        assert f"low/{name}" not in record.scalars  # too few identities for an interval
        assert sum(record.distributions[name]) / 4 == pytest.approx(metric.mean)
    assert record.step == 7
    assert record.config["test set"] == scored.info.testset.fingerprint
    assert scored.info.protocol.sha256.startswith(record.config["protocol"].split("(")[1][:12])


def test_the_worst_samples_are_shown_worst_first(scored):
    pictures = record_of(scored).worst["lite_motion"]
    samples = _worst_motion(scored)
    assert [picture.caption.split(":")[0] for picture in pictures] == samples
    shown = read_rgb(scored.folder.thumbnail(samples[0]))
    np.testing.assert_array_equal(np.asarray(pictures[0].image), shown)


def test_points_are_of_one_curve_where_their_runs_compare(scored):
    from dataclasses import replace

    other = scored.info.model_copy(update={"decoder": "another"})
    later = scored.info.model_copy(update={"started": "2030-01-01T00:00:00+00:00"})
    assert record_of(replace(scored, info=later)).name == record_of(scored).name
    assert record_of(replace(scored, info=other)).name != record_of(scored).name


def test_tensorboard(scored, tmp_path, monkeypatch):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    monkeypatch.chdir(tmp_path)
    for step in STEPS:
        said = open_tracker("tensorboard:curves").log(record_of(scored, step))
    assert said == "tensorboard --logdir curves"
    [folder] = (tmp_path / "curves").iterdir()
    read = EventAccumulator(
        str(folder), size_guidance=dict.fromkeys(("images", "tensors", "histograms"), 0)
    ).Reload()
    record = record_of(scored)
    assert set(read.Tags()["scalars"]) == set(record.scalars)
    for name, value in record.scalars.items():
        points = [(event.step, event.value) for event in read.Scalars(name)]
        assert points == [(step, np.float32(value)) for step in STEPS]
    [histogram, _] = read.Histograms("samples/lite_motion")
    values = record.distributions["lite_motion"]
    assert histogram.histogram_value.num == len(values)
    assert histogram.histogram_value.sum == pytest.approx(sum(values))
    image = read.Images("worst/lite_motion/1")[0]
    shown = record.worst["lite_motion"][0]
    assert (image.width, image.height) == shown.image.size
    texts = [event.tensor_proto.string_val[0].decode() for event in read.Tensors("config/text_summary")]
    assert scored.info.testset.fingerprint in texts[0]
    captions = read.Tensors("worst/lite_motion/text_summary")[0].tensor_proto.string_val[0].decode()
    assert shown.caption in captions


def test_wandb(scored, logged):
    record = record_of(scored)
    files = sorted(logged("wandb").glob("wandb/offline-run-*/*.wandb"))
    assert {file.name for file in files} == {f"run-{record.name}.wandb"}
    steps = []
    for file in files:
        kept = {kind: one for one in records(file) if (kind := one.WhichOneof("record_type"))}
        assert kept["run"].run.project == "faces"
        config = {item.key: json.loads(item.value_json) for item in kept["run"].run.config.update}
        assert record.config.items() <= config.items()
        history: dict[str, object] = {}
        for item in kept["history"].history.item:
            name, *inside = item.nested_key or [item.key]
            if inside:
                history.setdefault(name, {})[inside[0]] = json.loads(item.value_json)
            else:
                history[name] = json.loads(item.value_json)
        assert record.scalars.items() <= history.items()
        assert sum(history["samples/lite_motion"]["values"]) == len(record.distributions["lite_motion"])
        assert history["worst/lite_motion"]["captions"] == [
            one.caption for one in record.worst["lite_motion"]
        ]
        steps.append(kept["history"].history.step.num)
        assert len(list(file.parent.rglob("*.png"))) == sum(map(len, record.worst.values()))
        assert not list(file.parent.rglob("*requirements*"))
    assert tuple(sorted(steps)) == STEPS


def test_mlflow(scored, logged):
    if importlib.util.find_spec("sqlalchemy") is None:
        pytest.skip("mlflow is installed without sqlalchemy, which its own database needs")
    folder, record = logged("mlflow"), record_of(scored)
    with sqlite3.connect(folder / "mlflow.db") as database:
        [(run, name)] = database.execute("select run_uuid, name from runs")
        points = database.execute("select key, step, value from metrics order by step").fetchall()
        params = dict(database.execute("select key, value from params"))
    assert name == record.name
    assert params == record.config
    for metric, value in record.scalars.items():
        assert [(step, one) for key, step, one in points if key == metric] == [
            (step, value) for step in STEPS
        ]
    for step in STEPS:
        [place] = folder.glob(f"mlruns/*/{run}/artifacts/step-{step}")
        samples = json.loads((place / "samples.json").read_text("utf-8"))
        assert samples == {metric: list(values) for metric, values in record.distributions.items()}
        shown = record.worst["lite_motion"][0].image
        np.testing.assert_array_equal(read_rgb(place / "worst/lite_motion-1.png"), np.asarray(shown))


def test_trackio(scored, logged):
    folder, record = logged("trackio"), record_of(scored)
    with sqlite3.connect(folder / "trackio/faces.db") as database:
        kept = database.execute(
            "select run_id, run_name, step, metrics from metrics order by step"
        ).fetchall()
        [config] = database.execute("select config from configs").fetchone()
        [about_the_machine] = database.execute("select count(*) from system_metrics").fetchone()
    assert len({run for run, *_ in kept}) == 1
    assert [(name, step) for _, name, step, _ in kept] == [(record.name, step) for step in STEPS]
    for *_, metrics in kept:
        found = json.loads(metrics)
        assert record.scalars.items() <= found.items()
        assert sum(found["samples/lite_motion"]["values"]) == len(record.distributions["lite_motion"])
        assert found["worst/lite_motion/1"]["caption"] == record.worst["lite_motion"][0].caption
    assert record.config.items() <= json.loads(config).items()
    assert about_the_machine == 0


@pytest.mark.parametrize("name", TRACKERS)
def test_what_is_not_installed_is_said_before_anything_is_measured(
    name, fixtures, tmp_path, monkeypatch, capsys
):
    monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, f"ipvg_eval.trackers.{name}", raising=False)
    words = [
        "score",
        fixtures / "submissions/careful",
        "--testset",
        fixtures / "testset",
        "--protocol",
        "lite",
    ]
    words += ["--out", tmp_path / "run", "--log-to", name]
    code, said = _command(*words, capsys=capsys)
    assert code == ExitCode.UNAVAILABLE
    assert f"pip install {name}" in said.err
    assert not (tmp_path / "run").exists()


def test_a_package_that_is_broken_is_called_so(monkeypatch, tmp_path):
    (tmp_path / "trackio.py").write_text("import a_package_nobody_has\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in [name for name in sys.modules if name.partition(".")[0] == "trackio"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "ipvg_eval.trackers.trackio", raising=False)
    with pytest.raises(PackageMissing, match=r"trackio is broken here .*a_package_nobody_has"):
        open_tracker("trackio")


@pytest.mark.parametrize("words", ["wandbb", "", "wandb:", "tensorboard: "])
def test_a_tracker_that_cannot_be_is_refused(words):
    with pytest.raises(UsageError):
        open_tracker(words)


def test_a_tracker_that_fails_costs_nothing(fixtures, tmp_path, monkeypatch, capsys):
    """A folder that cannot be made, beside one that can."""
    monkeypatch.chdir(tmp_path)
    Path("taken").write_text("a file")
    words = [
        "score",
        fixtures / "submissions/careful",
        "--testset",
        fixtures / "testset",
        "--protocol",
        "lite",
    ]
    words += ["--metrics", "lite_motion", "--limit", "1", "--out", "run", "--json", "--log-step", "3"]
    code, said = _command(
        *words, "--log-to", "tensorboard:taken/x", "--log-to", "tensorboard:free", capsys=capsys
    )
    assert code == ExitCode.DONE
    assert "warning: careful is not logged to tensorboard:taken/x (" in said.err
    assert "careful is logged: tensorboard --logdir free" in said.err
    [written] = json.loads(said.out)["runs"]
    assert written["counts"]["scored"] == 1
    assert load_run("run").summary.metric("lite_motion").count == 1
    assert list(Path("free").rglob("events.*"))


def test_a_step_is_for_a_tracker(fixtures, capsys):
    code, said = _command("score", fixtures / "submissions/careful", "--log-step", "3", capsys=capsys)
    assert code == ExitCode.USAGE
    assert "--log-step is for --log-to" in said.err


def _command(*words, capsys):
    with pytest.raises(SystemExit) as left:
        main([*map(str, words)])
    return left.value.code, capsys.readouterr()
