"""TensorBoard: event files in a folder; `tensorboard --logdir FOLDER` shows them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorboard  # noqa: F401 - torch's writer names another package where this one is missing
from torch.utils.tensorboard import SummaryWriter

from ipvg_eval.trackers.record import Record


class TensorBoard:
    """Writes a folder per curve."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)

    def log(self, record: Record) -> str:
        """Write one event file."""
        place = self._folder / record.name
        with SummaryWriter(str(place)) as writer:
            for name, value in record.scalars.items():
                writer.add_scalar(name, value, record.step)
            for name, values in record.distributions.items():
                writer.add_histogram(f"samples/{name}", np.asarray(values), record.step)
            for name, pictures in record.worst.items():
                for number, picture in enumerate(pictures, start=1):
                    image = np.asarray(picture.image)
                    writer.add_image(f"worst/{name}/{number}", image, record.step, dataformats="HWC")
                captions = "\n".join(f"1. `{picture.caption}`" for picture in pictures)
                writer.add_text(f"worst/{name}", captions, record.step)
            facts = "\n".join(f"- {name}: `{value}`" for name, value in record.config.items())
            writer.add_text("config", facts, record.step)
        return f"tensorboard --logdir {self._folder}"


def open_tracker(project: str = "tensorboard") -> TensorBoard:
    """Event files below a folder."""
    return TensorBoard(project)
