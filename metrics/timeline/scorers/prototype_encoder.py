"""A scorer without training: texts stand for example pictures of what they say.

It shows that frames, windows and scores are put together rightly: footage that looks like
the examples scores as it should in order, swapped, late or frozen. It proves nothing about how well any
network understands actions, and it must not be used to rank submissions.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ipvg_eval.core.measurement import Frames
from ipvg_eval.core.pictures import read_rgb
from ipvg_eval.core.timeline.wording import clean
from ipvg_eval.metrics.errors import MetricsError, ProtocolError
from ipvg_eval.metrics.similarity import unit_rows
from ipvg_eval.metrics.timeline.lite.colour_edge_histograms import colour_edge_histogram


class PrototypeEncoder:
    """A `FrameTextEncoder` that has seen examples of every text.

    Attributes:
        weights: empty.
        knows_neutral_text: False.
        known_texts: the texts it has examples of.
    """

    knows_neutral_text = False

    def __init__(self, examples: Mapping[str, Sequence[Frames]]) -> None:
        """Describe the examples.

        Args:
            examples: for each text the frames that show it, each (height, width, 3) uint8; at least one.
        """
        self.weights: Mapping[str, str] = {}
        self.known_texts: tuple[str, ...] | None = tuple(examples)
        self._prototypes = {
            clean(text).casefold(): _mean([colour_edge_histogram(frame) for frame in frames])
            for text, frames in examples.items()
        }

    @classmethod
    def read(cls, path: Path) -> PrototypeEncoder:
        """From a JSON file that maps each text to picture files, relative to it.

        Raises:
            ProtocolError: the file is missing or of another form.
            UnreadablePicture: a picture cannot be decoded.
        """
        try:
            content = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise ProtocolError(
                f"{path}: the examples cannot be read ({error})", hint="Give a JSON file: text to pictures."
            ) from error
        if not isinstance(content, dict) or not all(
            isinstance(names, list) and names and all(isinstance(name, str) for name in names)
            for names in content.values()
        ):
            raise ProtocolError(
                f"{path}: it must map every text to a list of picture files",
                hint='For example {"she waves": ["waving.png"]}.',
            )
        return cls(
            {text: [read_rgb(path.parent / name) for name in names] for text, names in content.items()}
        )

    def prepare(self, frame: Frames) -> npt.NDArray[np.float32]:
        """The frame's descriptor; (96,)."""
        return colour_edge_histogram(frame)

    def images(self, prepared: Sequence[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
        """The descriptors as rows; (n, 96)."""
        return np.stack(prepared)

    def texts(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Mean descriptor of each text's examples; (n, 96).

        Raises:
            MetricsError: there is no example of a text.
        """
        return np.stack([self._prototype(text) for text in texts])

    def cut_off(self, _text: str) -> bool:
        """False: texts are looked up whole."""
        return False

    def _prototype(self, text: str) -> npt.NDArray[np.float32]:
        key = clean(text).casefold()
        if key not in self._prototypes:
            raise MetricsError(f"no example shows {text!r}", hint="Add pictures of it to the examples.")
        return self._prototypes[key]


def _mean(rows: Sequence[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
    total = np.stack(rows).astype(np.float64).sum(axis=0, keepdims=True)
    return np.asarray(unit_rows(total)[0], dtype=np.float32)
