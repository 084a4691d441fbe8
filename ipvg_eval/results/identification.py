"""Whose face is it? From the embeddings that a run kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from ipvg_eval.core.measurement import FrameFeatures
from ipvg_eval.core.row import SampleRow, Status
from ipvg_eval.core.summary import Identification
from ipvg_eval.metrics.faces.identification import identify
from ipvg_eval.results.features import read_features

NETWORKS = ("cur_score", "arc_score")
"""Scores whose embeddings tell people apart."""
PROXIES = ("lite_identity",)
"""Scores whose descriptors stand in for such embeddings: edges and textures, which pose and light move."""


def identifications(rows: Sequence[SampleRow], path_of: Callable[[str], Path]) -> tuple[Identification, ...]:
    """Compare every scored video with everybody's reference; nothing is decoded.

    Args:
        rows: in the test set's order.
        path_of: where a sample's embeddings lie.

    Raises:
        RunError: a file of embeddings is damaged.
    """
    scored = [row for row in rows if row.status is Status.SCORED]
    kept = [(row, read_features(path_of(row.sample))) for row in scored]
    found = (
        identification(
            metric, [(row.sample, row.identity, one[metric]) for row, one in kept if metric in one]
        )
        for metric in (*NETWORKS, *PROXIES)
    )
    return tuple(one for one in found if one is not None)


def identification(metric: str, kept: Sequence[tuple[str, str, FrameFeatures]]) -> Identification | None:
    """Compare every video with everybody's reference; None where fewer than two people have one.

    Args:
        metric: the score whose embeddings they are.
        kept: what each video is called, whose it is, and its embeddings.
    """
    gallery = {
        (identity, reference.tobytes()): reference
        for _, identity, features in kept
        if features.reference is not None
        for reference in np.atleast_2d(features.reference)
    }
    probes = [one for one in kept if len(one[2].rows)]
    return identify(
        [features.rows for _, _, features in probes],
        [identity for _, identity, _ in probes],
        list(gallery.values()),
        [identity for identity, _ in gallery],
        metric=metric,
        proxy=metric in PROXIES,
        samples=[sample for sample, _, _ in probes],
    )


def in_words(one: Identification) -> str:
    """An identification in a sentence."""
    parts = [
        f"rank-1 {_share(one.rank_1.value)}",
        f"rank-5 {_share(one.rank_5.value)}",
        f"AUC {_decimal(one.auc.value)}",
        f"d\u2032 {_decimal(one.d_prime.value)}",
    ]
    if one.threshold is not None:
        parts.append(f"{_share(one.matched.value)} above {one.threshold:.3f} (false match rate 1e-3)")
    proxy = " (a proxy: edges and textures, no recognition)" if one.proxy else ""
    return f"{', '.join(parts)}; {one.videos} videos against {one.identities} identities{proxy}"


def _share(value: float | None) -> str:
    return "\u2013" if value is None else f"{value:.1%}"


def _decimal(value: float | None) -> str:
    return "\u2013" if value is None else f"{value:.3f}"
