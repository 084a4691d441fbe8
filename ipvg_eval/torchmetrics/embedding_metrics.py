"""Metrics of all videos together, from the faces' embeddings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from ipvg_eval.core.measurement import FrameFeatures
from ipvg_eval.metrics.corpus import corpus_metric
from ipvg_eval.results.identification import identification
from ipvg_eval.scoring import Recipe, Scorer
from ipvg_eval.scoring.one_video import Measured
from ipvg_eval.torchmetrics.of_videos import OfVideos

if TYPE_CHECKING:
    from ipvg_eval.scoring.scorer import Clip, Pictured


FloatArray = npt.NDArray[np.float64]


class OfEmbeddings(OfVideos):
    """Keeps the embeddings of each video, as one row of numbers that holds its own sizes."""

    def __init__(self, recipe: Recipe | Scorer | None, metric: str, **options: Any) -> None:
        super().__init__(recipe, [metric], **options)
        self._metric = metric
        self.add_state(f"embeddings_of_{metric}", [], dist_reduce_fx="cat", persistent=True)

    def _take(self, measured: Measured, owner: str) -> None:
        self._keep_reasons(measured)
        if (kept := measured.features.get(self._metric)) is not None:
            entry = torch.from_numpy(_packed(kept, owner)).to(self.device)
            getattr(self, f"embeddings_of_{self._metric}").append(entry)

    def _kept(self) -> list[tuple[str, FrameFeatures]]:
        state = getattr(self, f"embeddings_of_{self._metric}")
        if isinstance(state, list):
            state = torch.cat(state) if state else torch.empty(0, dtype=torch.float64)
        return _unpacked(state.cpu().numpy())


class FaceFID(OfEmbeddings):
    """Fréchet distance between every generated face and the distinct reference faces, 0 or larger.

    Biased upwards for few faces: compare equal numbers only. Between processes the order of the videos
    differs, which moves the last digits.
    """

    higher_is_better = False
    plot_lower_bound = 0.0

    def __init__(self, recipe: Recipe | Scorer | None = None, **options: Any) -> None:
        """Load the networks, unless they are loaded.

        Args:
            recipe: how faces are found and embedded; a protocol or scorer with `face_fid_samples`.
            options: those of every torchmetrics class.

        Raises:
            MetricsError: the protocol has no such metric, or its weights or the device cannot be used.
        """
        super().__init__(recipe, corpus_metric("face_fid").needs, **options)

    def update(self, video: Clip, reference: Pictured | Sequence[Pictured]) -> None:
        """Keep the faces of one video and of its reference.

        Args:
            video: a file or frames; see `VideoMeans.update`.
            reference: its reference picture.

        Raises:
            UsageError: frames or a reference cannot be used as they are.
        """
        self._take(self.scorer.measured(video, reference=reference), "")

    def compute(self) -> torch.Tensor:
        """The distance; NaN, with a warning, where a side has fewer than two faces."""
        found = corpus_metric("face_fid")(features for _, features in self._kept())
        return (
            self._nothing(f"no face FID: {found.reason}")
            if found.value is None
            else self._number(found.value)
        )


class IdentityRank(OfEmbeddings):
    """Share of the videos that are nearest to their own person's reference, among everybody's, in [0, 1].

    Ties share their places. Persons count alike, however many videos they have. Source: NISTIR 8238 (rank-k
    identification rate).
    """

    higher_is_better = True
    plot_lower_bound = 0.0
    plot_upper_bound = 1.0

    def __init__(
        self,
        recipe: Recipe | Scorer | None = None,
        *,
        metric: str = "cur_score",
        rank: int = 1,
        **options: Any,
    ) -> None:
        """Load the networks, unless they are loaded.

        Args:
            recipe: how faces are found and embedded; a protocol or scorer that has the metric.
            metric: whose embeddings tell people apart: `cur_score`, `arc_score`, or as a proxy
                `lite_identity`.
            rank: 1, or 5 for among the nearest five.
            options: those of every torchmetrics class.

        Raises:
            ValueError: another rank.
            MetricsError: the protocol has no such metric, or its weights or the device cannot be used.
        """
        if rank not in (1, 5):
            raise ValueError(f"rank={rank}: it is 1 or 5")
        super().__init__(recipe, metric, **options)
        self._rank = rank

    def update(self, video: Clip, reference: Pictured | Sequence[Pictured], identity: str) -> None:
        """Keep the faces of one video and of its person's references.

        Args:
            video: a file or frames; see `VideoMeans.update`.
            reference: the person's reference pictures.
            identity: who that is.

        Raises:
            UsageError: frames or a reference cannot be used as they are.
        """
        self._take(self.scorer.measured(video, reference=reference), identity)

    def compute(self) -> torch.Tensor:
        """The share; NaN, with a warning, for fewer than two people."""
        kept = [(str(place), owner, features) for place, (owner, features) in enumerate(self._kept())]
        found = identification(self._metric, kept)
        share = None if found is None else (found.rank_1 if self._rank == 1 else found.rank_5).value
        return self._nothing("no rank: it takes two people's faces") if share is None else self._number(share)


def _packed(features: FrameFeatures, owner: str) -> FloatArray:
    """Shape of the rows, of the reference (0: no such axis), length of the name; then name and numbers."""
    rows, reference = features.rows, features.reference
    shape = () if reference is None else reference.shape
    name = np.frombuffer(owner.encode(), dtype=np.uint8)
    head = [*rows.shape, *shape, *[0] * (2 - len(shape)), len(name)]
    numbers = np.empty(0) if reference is None else reference.ravel()
    return np.concatenate([np.array(head, dtype=np.float64), name, rows.ravel(), numbers])


def _unpacked(numbers: FloatArray) -> list[tuple[str, FrameFeatures]]:
    found = []
    while len(numbers):
        count, width, *axes, letters = map(int, numbers[:5])
        shape = tuple(axis for axis in axes if axis)
        sizes = (5, letters, count * width, math.prod(shape) if shape else 0)
        _, name, rows, reference, numbers = np.split(numbers, np.cumsum(sizes))
        features = FrameFeatures(
            indices=tuple(range(count)),
            rows=rows.reshape(count, width).astype(np.float32),
            reference=reference.reshape(shape).astype(np.float32) if shape else None,
        )
        found.append((name.astype(np.uint8).tobytes().decode(), features))
    return found
