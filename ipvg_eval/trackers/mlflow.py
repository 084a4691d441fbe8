"""MLflow: where MLFLOW_TRACKING_URI says, else a database in this folder; `mlflow ui` shows it."""

from __future__ import annotations

import os
import time

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # read when the package is imported

import mlflow
from mlflow.entities import Metric, Param

from ipvg_eval.trackers.record import Record

_CURVE = "ipvg_eval.curve"


class MLflow:
    """One MLflow run per curve, found again by a tag."""

    def __init__(self, experiment: str) -> None:
        self._experiment = experiment

    def log(self, record: Record) -> str:
        """Log one step; distributions are JSON files, for MLflow has no histograms."""
        client = mlflow.MlflowClient()
        found = client.get_experiment_by_name(self._experiment)
        experiment = found.experiment_id if found else client.create_experiment(self._experiment)
        earlier = client.search_runs([experiment], f"tags.`{_CURVE}` = '{record.name}'", max_results=1)
        if earlier:
            run = earlier[0].info.run_id
        else:
            tags = {_CURVE: record.name}
            run = client.create_run(experiment, run_name=record.name, tags=tags).info.run_id
        now = int(1000 * time.time())
        metrics = [Metric(name, value, now, record.step) for name, value in record.scalars.items()]
        client.log_batch(run, metrics=metrics, params=[Param(*fact) for fact in record.config.items()])
        folder = f"step-{record.step}"
        values = {name: list(values) for name, values in record.distributions.items()}
        client.log_dict(run, values, f"{folder}/samples.json")
        captions = {name: [one.caption for one in pictures] for name, pictures in record.worst.items()}
        client.log_dict(run, captions, f"{folder}/worst.json")
        for name, pictures in record.worst.items():
            for number, picture in enumerate(pictures, start=1):
                client.log_image(run, picture.image, f"{folder}/worst/{name}-{number}.png")
        client.set_terminated(run)
        return f"experiment {self._experiment}, run {record.name}; mlflow ui"


def open_tracker(project: str = "ipvg-eval") -> MLflow:
    """Runs of an experiment."""
    return MLflow(project)
