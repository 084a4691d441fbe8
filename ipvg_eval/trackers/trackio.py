"""Trackio: a database of this machine, unless TRACKIO_SPACE_ID or TRACKIO_SERVER_URL say otherwise."""

from __future__ import annotations

import os

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # both are read when the package is imported
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import trackio

from ipvg_eval.trackers.record import Record


class Trackio:
    """One Trackio run per curve, gone on with by its name."""

    def __init__(self, project: str) -> None:
        self._project = project

    def log(self, record: Record) -> str:
        """Log one step; nothing about the machine."""
        run = trackio.init(
            self._project,
            name=record.name,
            config=dict(record.config),
            resume="allow",
            embed=False,
            auto_log_gpu=False,
            auto_log_cpu=False,
        )
        try:
            pictures = {
                f"worst/{name}/{number}": trackio.Image(one.image, caption=one.caption)
                for name, several in record.worst.items()
                for number, one in enumerate(several, start=1)
            }
            histograms = {f"samples/{n}": trackio.Histogram(list(v)) for n, v in record.distributions.items()}
            run.log({**record.scalars, **histograms, **pictures}, step=record.step)
        finally:
            run.finish()
        return f"trackio show --project {self._project}"


def open_tracker(project: str = "ipvg-eval") -> Trackio:
    """Runs of a project."""
    return Trackio(project)
