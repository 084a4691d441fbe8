"""X-CLIP as a `ipvg_eval.metrics.timeline.scorers.text_video_scorer.TextVideoScorer`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ipvg_eval.core.measurement import Frames
from ipvg_eval.metrics.batches import FixedBatches
from ipvg_eval.metrics.runtime import Runtime, weight_source
from ipvg_eval.metrics.similarity import unit_rows
from ipvg_eval.metrics.timeline.alignment.event_grid import FloatArray
from ipvg_eval.metrics.timeline.frame_sampling import clip_columns
from ipvg_eval.metrics.timeline.scorers.text_rows import TextRows
from ipvg_eval.metrics.timeline.scorers.text_video_scorer import Rows
from ipvg_eval.metrics.timeline.scorers.xclip.network import XClip

_MOST_PAIRS = 4096
"""Pairs of clip and text in one forward pass, at most, where one clip does not have more by itself."""


class XClipScorer:
    """Every stretch of a video is a clip of eight frames, which X-CLIP reads together with the texts.

    Not linear in the frames: a window over the border of two actions is judged as one clip. The network
    runs once per different clip, whatever the number of texts; a video has at most as many clips as windows.
    What a text is without a video is kept for the next samples; what a clip makes of it is not, since it
    depends on both.

    Attributes:
        weights: sha256 of the snapshot by name.
        knows_neutral_text: True.
        known_texts: None, it reads any text.
    """

    knows_neutral_text = True
    known_texts: tuple[str, ...] | None = None

    def __init__(self, network: XClip, *, weights: Mapping[str, str], batch_size: int) -> None:
        self.weights = weights
        self._network = network
        self._clips_per_batch = max(1, batch_size // network.frames_per_clip)
        self._texts = TextRows(network.texts)

    @classmethod
    def load(cls, model: str, weights: str, runtime: Runtime) -> XClipScorer:
        """By name; see `ipvg_eval.metrics.timeline.scorers.xclip.checkpoint.load`.

        Raises:
            WeightsMissing: packages or files are missing.
        """
        network = XClip.load(model, weights, runtime)
        hashes = {weights: weight_source(runtime, weights).sha256(weights)}
        return cls(network, weights=hashes, batch_size=runtime.batch_size)

    def learn(self, texts: Sequence[str]) -> None:
        """See `TextVideoScorer.learn`."""
        self._texts.learn(texts)

    def view(self) -> _Viewing:
        """Begin one video."""
        return _Viewing(self._network, self._texts, self._clips_per_batch)

    def text_cosines(self, texts: Sequence[str]) -> FloatArray:
        """Cosines of the texts as they are without a video; see `TextVideoScorer.text_cosines`."""
        units = unit_rows(self._texts(texts))
        return np.clip(units @ units.T, -1.0, 1.0)

    def cut_off(self, text: str) -> bool:
        """See `TextVideoScorer.cut_off`."""
        return self._network.cut_off(text)


class _Viewing:
    """Holds the crops, 150 kB per frame."""

    def __init__(self, network: XClip, texts: TextRows, clips_per_batch: int) -> None:
        self._network = network
        self._texts = texts
        self._clips_per_batch = clips_per_batch
        self._crops: list[Frames] = []
        self._frames = FixedBatches(network.frames, network.frames_per_clip)

    def add(self, index: int, frame: Frames) -> None:
        crop = self._network.crop(frame)
        self._crops.append(crop)
        self._frames.add(index, crop)

    def finish(self) -> _Footage:
        indices, features = self._frames.finish()
        return _Footage(indices, features, self._crops, self._network, self._texts, self._clips_per_batch)


class _Footage:
    """Features are the frames' own, each read among the up to eight that were sampled with it."""

    def __init__(
        self,
        indices: tuple[int, ...],
        features: Rows,
        crops: Sequence[Frames],
        network: XClip,
        texts: TextRows,
        clips_per_batch: int,
    ) -> None:
        self.indices = indices
        self.features = features
        self._crops = crops
        self._network = network
        self._texts = texts
        self._clips_per_batch = clips_per_batch
        self._known: dict[tuple[tuple[int, ...], str], float] = {}

    def similarity(self, weights: FloatArray, texts: Sequence[str]) -> FloatArray:
        found = np.full((len(texts), len(weights)), np.nan)
        filled = np.flatnonzero(weights.any(axis=1))
        columns = clip_columns(weights[filled], self._network.frames_per_clip)
        clips = [tuple(int(column) for column in row) for row in columns]
        self._look(clips, texts)
        for j, clip in zip(filled, clips, strict=True):
            found[:, j] = [self._known[clip, text] for text in texts]
        return np.asarray(np.clip(found, -1.0, 1.0), dtype=np.float64)

    def _look(self, clips: Sequence[tuple[int, ...]], texts: Sequence[str]) -> None:
        """Fill `_known` for every clip and text."""
        different = list(dict.fromkeys(texts))
        new = [
            clip
            for clip in dict.fromkeys(clips)
            if any((clip, text) not in self._known for text in different)
        ]
        if not new:
            return
        texts_alone = self._texts(different)
        size = max(1, min(self._clips_per_batch, _MOST_PAIRS // max(1, len(different))))
        for first in range(0, len(new), size):
            some = new[first : first + size]
            clips_of_crops = [[self._crops[i] for i in clip] for clip in some]
            rows = self._network.conditioned_cosines(clips_of_crops, texts_alone)
            for clip, row in zip(some, rows, strict=True):
                self._known.update({(clip, text): float(v) for text, v in zip(different, row, strict=True)})
