"""How well stretches of a video fit texts, by encoders with one space for frames and texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ipvg_eval.core.measurement import Frames
from ipvg_eval.metrics.batches import Batches, Ticket
from ipvg_eval.metrics.similarity import unit_rows
from ipvg_eval.metrics.timeline.alignment.event_grid import FloatArray
from ipvg_eval.metrics.timeline.scorers.text_rows import TextRows

Rows = npt.NDArray[np.float32]


class Footage(Protocol):
    """One video as a scorer has seen it.

    Attributes:
        indices: indices of the frames that were read, ascending.
        features: one embedding per frame; (n, d) float32.
    """

    indices: tuple[int, ...]
    features: Rows

    def similarity(self, weights: FloatArray, texts: Sequence[str]) -> FloatArray:
        """Similarity of each stretch of the video to each text.

        Args:
            weights: (stretches, n) how much of each frame a stretch holds; NaN comes back for a row of zeros.
            texts: what may be shown.

        Returns:
            (texts, stretches) float64; larger is more similar.
        """
        ...


class Viewing(Protocol):
    """A scorer that is being shown one video."""

    def add(self, index: int, frame: Frames) -> None:
        """Take the next frame, (height, width, 3) uint8, valid during the call only."""
        ...

    def finish(self) -> Footage:
        """What was seen."""
        ...


class TextVideoScorer(Protocol):
    """Scores stretches of videos against texts.

    Attributes:
        weights: sha256 of every weight file in use, by name.
        knows_neutral_text: whether a text that names no action means anything to it.
        known_texts: the only texts it understands; None where it understands any.
    """

    weights: Mapping[str, str]
    knows_neutral_text: bool
    known_texts: tuple[str, ...] | None

    def learn(self, texts: Sequence[str]) -> None:
        """Encode texts ahead, in batches of the list alone, and keep them for the next videos."""
        ...

    def view(self) -> Viewing:
        """Begin one video."""
        ...

    def text_cosines(self, texts: Sequence[str]) -> FloatArray:
        """How alike the texts are; (n, n) in [-1, 1].

        Raises:
            MetricsError: a text is not understood.
        """
        ...

    def cut_off(self, text: str) -> bool:
        """Whether the text is longer than it can read."""
        ...


class FrameTextEncoder(Protocol):
    """Embeds frames and texts into one space; attributes as in `TextVideoScorer`."""

    weights: Mapping[str, str]
    knows_neutral_text: bool
    known_texts: tuple[str, ...] | None

    def prepare(self, frame: Frames) -> Any:
        """An array of what the network is fed for a frame; a copy."""
        ...

    def images(self, prepared: Sequence[Any]) -> Rows:
        """Embeddings of prepared frames; (n, d)."""
        ...

    def texts(self, texts: Sequence[str]) -> Rows:
        """Embeddings of texts; (n, d).

        Raises:
            MetricsError: a text is not understood.
        """
        ...

    def cut_off(self, text: str) -> bool:
        """Whether the text is longer than it can read."""
        ...


class EmbeddingScorer:
    """A `TextVideoScorer`: mean cosine of a text with the frames of a stretch.

    Linear in the frames: a window that holds half of two actions lies half way between them, so the
    border that is found lies where the actions meet.
    """

    def __init__(self, encoder: FrameTextEncoder, batch_size: int, *, crossing: bool = False) -> None:
        """Encode in batches.

        Args:
            encoder: the network.
            batch_size: frames per forward pass.
            crossing: whether a forward pass may hold frames of several videos.
        """
        self.weights = encoder.weights
        self.knows_neutral_text = encoder.knows_neutral_text
        self.known_texts = encoder.known_texts
        self._encoder = encoder
        self._batches = Batches(encoder.images, batch_size, crossing=crossing)
        self._unit_texts = TextRows(lambda texts: unit_rows(encoder.texts(texts)))

    def learn(self, texts: Sequence[str]) -> None:
        """See `TextVideoScorer.learn`."""
        self._unit_texts.learn(texts)

    def view(self) -> _EmbeddingViewing:
        """Begin one video."""
        return _EmbeddingViewing(self._encoder, self._batches.ticket(), self._unit_texts)

    def text_cosines(self, texts: Sequence[str]) -> FloatArray:
        """See `TextVideoScorer.text_cosines`."""
        units: FloatArray = self._unit_texts(texts)
        return np.clip(units @ units.T, -1.0, 1.0)

    def cut_off(self, text: str) -> bool:
        """See `TextVideoScorer.cut_off`."""
        return self._encoder.cut_off(text)


class _EmbeddingViewing:
    def __init__(self, encoder: FrameTextEncoder, batches: Ticket[Any], unit_texts: TextRows) -> None:
        self._prepare = encoder.prepare
        self._batches = batches
        self._unit_texts = unit_texts

    def add(self, index: int, frame: Frames) -> None:
        self._batches.add(index, self._prepare(frame))

    def finish(self) -> _EmbeddedFootage:
        indices, features = self._batches.finish()
        return _EmbeddedFootage(indices, features, self._unit_texts)


class _EmbeddedFootage:
    def __init__(self, indices: tuple[int, ...], features: Rows, unit_texts: TextRows) -> None:
        self.indices = indices
        self.features = features
        self._unit_texts = unit_texts

    def similarity(self, weights: FloatArray, texts: Sequence[str]) -> FloatArray:
        cosines: FloatArray = self._unit_texts(texts) @ unit_rows(self.features).T
        totals = weights.sum(axis=1)
        means = np.divide(
            cosines @ weights.T, totals, out=np.full((len(texts), len(totals)), np.nan), where=totals > 0
        )
        return np.asarray(np.clip(means, -1.0, 1.0), dtype=np.float64)


def stretch_means(features: Rows, weights: FloatArray) -> FloatArray:
    """Unit mean of the unit embeddings of each stretch.

    Args:
        features: (n, d), one row per frame.
        weights: (stretches, n), not negative.

    Returns:
        (stretches, d) float64; NaN for a row of zeros.
    """
    means: FloatArray = unit_rows(weights @ unit_rows(features))
    means[~weights.any(axis=1)] = np.nan
    return means
