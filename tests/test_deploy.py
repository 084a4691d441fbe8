"""The files that start clusters: what they say is understood by Ray, by bash and by the command line."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import typer
import yaml

from ipvg_eval.cli.app import build_app

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"
SLURM = DEPLOY / "slurm.sh"


def _understood(line):
    """What the real command line makes of a command; shell variables stand for plain words."""
    line = re.sub(r'"\$@"', "submission", line)
    line = re.sub(r'"\$workers"', "4", line)
    line = re.sub(r'"\$share"', "0.5", line)
    line = re.sub(r"\$\([^)]*\)|\$\{?\w+\}?", "word", line)
    program, command, *words = shlex.split(line)
    assert program == "ipvg-eval"
    parser = typer.main.get_command(build_app([command])).commands[command]
    return parser.make_context(command, words).params


def test_the_command_of_the_ray_cluster_is_one():
    text = (DEPLOY / "ray-cluster.yaml").read_text("utf-8")
    comment = " ".join(line.lstrip("# ") for line in text.splitlines() if line.startswith("#"))
    [line] = re.findall(r"ipvg-eval score [^']*", comment)
    options = _understood(line)
    assert options["ray"] == "word:6379"
    assert (options["workers"], options["gpus_per_worker"]) == (4, 1.0)


def test_the_ray_cluster_is_valid_for_ray(caplog):
    from ray.autoscaler._private.util import prepare_config, validate_config

    described = yaml.safe_load((DEPLOY / "ray-cluster.yaml").read_text("utf-8"))
    prepared = prepare_config(described)
    validate_config(prepared)
    workers = prepared["available_node_types"]["gpu"]
    assert workers["min_workers"] == workers["max_workers"] == prepared["max_workers"] == 4
    with pytest.raises(Exception, match="min_worker"):
        validate_config({**prepared, "available_node_types": {"gpu": {**workers, "min_workers": "four"}}})
    caplog.clear()


def test_the_ray_cluster_starts_ray_with_options_it_has():
    from ray.scripts.scripts import start

    described = yaml.safe_load((DEPLOY / "ray-cluster.yaml").read_text("utf-8"))
    for commands in (described["head_start_ray_commands"], described["worker_start_ray_commands"]):
        words = shlex.split(commands[-1])
        begin = words.index("ray")
        assert all("=" in word for word in words[:begin]), "nothing but settings before the command"
        assert words[begin : begin + 2] == ["ray", "start"]
        start.make_context("start", words[begin + 2 :])


def test_the_rayjob_has_the_fields_and_the_command_that_exist():
    """The fields were held against the resource definition of KubeRay 1.7, strictly."""
    job = yaml.safe_load((DEPLOY / "kuberay-rayjob.yaml").read_text("utf-8"))
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    options = _understood(job["spec"]["entrypoint"])
    cluster = job["spec"]["rayClusterSpec"]
    [group] = cluster["workerGroupSpecs"]
    assert options["ray"] == "auto"
    assert options["workers"] == group["replicas"] == group["minReplicas"] == group["maxReplicas"]
    containers = [
        container
        for part in (cluster["headGroupSpec"], group)
        for container in part["template"]["spec"]["containers"]
    ]
    assert len({container["image"] for container in containers}) == 1
    assert float(containers[1]["resources"]["limits"]["nvidia.com/gpu"]) == options["gpus_per_worker"]
    mounted = [mount["mountPath"] for container in containers for mount in container["volumeMounts"]]
    assert all(str(options[name]).startswith(f"{mounted[0]}/") for name in ("testset", "out"))


def test_the_slurm_script_is_bash_with_the_command_that_exists():
    subprocess.run(["bash", "-n", SLURM], check=True)
    assert os.access(SLURM, os.X_OK)
    text = SLURM.read_text("utf-8")
    [line] = [line for line in text.splitlines() if line.startswith("ipvg-eval score")]
    options = _understood(line)
    assert (options["ray"], options["workers"], options["gpus_per_worker"]) == ("word:word", 4, 0.5)
    [example] = re.findall(r"deploy/slurm.sh (.*)", text)
    assert _understood(f"ipvg-eval score {example}")["out"] == Path("runs/team-a")
    if shutil.which("shellcheck"):
        subprocess.run(["shellcheck", SLURM], check=True)


@pytest.fixture
def slurm(tmp_path):
    """An allocation of this machine alone: `srun` and `scontrol` that do their part here."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "srun").write_text(
        "#!/usr/bin/env bash\nwhile [[ $1 == --* ]]; do shift; done\n"
        'if [[ $1 == hostname ]]; then echo 127.0.0.1 ::1; else exec "$@"; fi\n'
    )
    (tools / "scontrol").write_text("#!/usr/bin/env bash\necho this-node\n")
    for tool in tools.iterdir():
        tool.chmod(0o755)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        job = free.getsockname()[1]
    paths = [str(tools), str(Path(sys.executable).parent), os.environ["PATH"]]
    return {
        **os.environ,
        "PATH": os.pathsep.join(paths),
        "OMP_NUM_THREADS": "1",
        "RAY_TMPDIR": f"/tmp/ipvg-ray-{job}",  # Ray's sockets have short names at most
        "SLURM_CPUS_ON_NODE": "1",
        "SLURM_JOB_ID": str(job),
        "SLURM_JOB_NODELIST": "this-node",
        "SLURM_JOB_NUM_NODES": "1",
    }


def test_the_slurm_script_scores_and_leaves_nothing_behind(slurm, tmp_path):
    fixtures = ROOT / "fixtures"
    words = [fixtures / "submissions/careful", "--testset", fixtures / "testset", "--protocol", "lite"]
    words += ["--metrics", "dynamic_degree_lite", "--limit", "2", "--out", tmp_path / "run"]
    done = subprocess.run(
        ["bash", SLURM, *words], env=slurm, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "2 of 10 samples scored" in done.stdout
    assert (tmp_path / "run/journal.jsonl").read_bytes().count(b"\n") == 2
    port = str(20000 + int(slurm["SLURM_JOB_ID"]) % 20000)
    left = [
        p
        for p in psutil.process_iter(["cmdline"])
        if f"127.0.0.1:{port}" in " ".join(p.info["cmdline"] or [])
    ]
    assert psutil.wait_procs(left, timeout=120)[1] == []
    shutil.rmtree(slurm["RAY_TMPDIR"], ignore_errors=True)
