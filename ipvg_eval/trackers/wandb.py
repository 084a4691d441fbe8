"""Weights & Biases: offline, unless WANDB_MODE says otherwise; `wandb sync` sends what was kept."""

from __future__ import annotations

import os
from pathlib import Path

import wandb

from ipvg_eval.trackers.record import Record


class WandB:
    """One W&B run per curve, gone on with by its id."""

    def __init__(self, project: str) -> None:
        self._project = project

    def log(self, record: Record) -> str:
        """Log one step."""
        mode = os.environ.get("WANDB_MODE", "offline")
        settings = wandb.Settings(  # numbers and pictures alone: no console, no code, no hardware
            mode=mode,
            console="off",
            silent=True,
            disable_git=True,
            disable_code=True,
            disable_job_creation=True,
            x_disable_meta=True,
            x_disable_stats=True,
            x_save_requirements=False,
        )
        run = wandb.init(
            project=self._project,
            name=record.name,
            id=record.name,
            resume="allow" if mode == "online" else None,
            config=dict(record.config),
            settings=settings,
        )
        try:
            run.log(
                {
                    **record.scalars,
                    **{f"samples/{n}": wandb.Histogram(list(v)) for n, v in record.distributions.items()},
                    **{
                        f"worst/{name}": [wandb.Image(one.image, caption=one.caption) for one in pictures]
                        for name, pictures in record.worst.items()
                    },
                },
                step=record.step,
            )
            place = run.dir
        finally:
            run.finish()
        url = run.url if mode == "online" else None
        return url or f"wandb sync {Path(place).parent}"


def open_tracker(project: str = "ipvg-eval") -> WandB:
    """Runs of a project."""
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    return WandB(project)
