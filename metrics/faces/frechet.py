"""Fréchet distance between two sets of feature vectors, in float64, and the corpus face FID built on it.

The distance of two Gaussians is |m1 - m2|^2 + tr(S1) + tr(S2) - 2 tr((S1 S2)^(1/2)) (Dowson and Landau 1982;
FID: Heusel et al. 2017, arXiv 1706.08500). Covariances divide by n - 1 as numpy.cov and pytorch-fid do.

S1 S2 is in general not symmetric, so a symmetric eigensolver must not be given the product itself (the
per-frame code of ConsisID eval/get_facesim_fid.py @60429e4 does, which only its zero covariances hide).
Here the trace is that of (S1^(1/2) S2 S1^(1/2))^(1/2), which has the same eigenvalues and is symmetric; with
fewer samples than dimensions it is the nuclear norm of A1 A2^T, where A are centred features over the root
of n - 1, so that S = A^T A.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ipvg_eval.core.measurement import FrameFeatures

FloatArray = npt.NDArray[np.float64]

MIN_SAMPLES: Final = 2


@dataclass(frozen=True, kw_only=True)
class CorpusFid:
    """One Fréchet distance over a whole submission.

    Attributes:
        value: the distance, 0 or larger, lower is better; None where a side has too few samples.
        reason: why there is none; None exactly where there is a value.
        samples: number of generated faces.
        references: number of reference faces.
    """

    value: float | None
    reason: str | None
    samples: int
    references: int


def corpus_face_fid(features: Iterable[FrameFeatures]) -> CorpusFid:
    """The distance between every generated face and the distinct reference faces.

    A reference that several videos share counts once. The order of the videos does not matter beyond
    rounding. The value is biased upwards for small samples, so it compares only at equal sample sizes.

    Args:
        features: one entry per video: rows are its faces, `reference` its reference face.

    Raises:
        ValueError: a feature is not finite.
    """
    entries = list(features)
    rows = [entry.rows for entry in entries if len(entry.rows)]
    distinct = {
        np.asarray(entry.reference, dtype=np.float32).tobytes(): entry.reference
        for entry in entries
        if entry.reference is not None
    }
    samples, references = sum(len(part) for part in rows), len(distinct)
    for count, what in ((samples, "generated"), (references, "distinct reference")):
        if count < MIN_SAMPLES:
            reason = f"{count} {what} faces are too few: a covariance needs {MIN_SAMPLES}"
            return CorpusFid(value=None, reason=reason, samples=samples, references=references)
    value = frechet_distance(np.concatenate(rows), np.stack([distinct[key] for key in sorted(distinct)]))
    return CorpusFid(value=value, reason=None, samples=samples, references=references)


def frechet_distance(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """The distance between two samples; the form that costs less is used.

    Args:
        first: (n1, d) features.
        second: (n2, d) features.

    Returns:
        0 or larger, in squared units of the features; symmetric in its arguments up to rounding.

    Raises:
        ValueError: fewer than 2 samples, different widths, or features that are not finite.
    """
    a, b = _checked(first), _checked(second)
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"features of width {a.shape[1]} and {b.shape[1]} do not compare")
    if min(len(a), len(b)) < a.shape[1]:
        return _from_samples(a, b)
    return gaussian_distance(a.mean(axis=0), covariance(a), b.mean(axis=0), covariance(b))


def gaussian_distance(
    first_mean: FloatArray,
    first_covariance: FloatArray,
    second_mean: FloatArray,
    second_covariance: FloatArray,
) -> float:
    """The distance between two Gaussians, by symmetric eigendecompositions only.

    Args:
        first_mean: (d,).
        first_covariance: (d, d), symmetric, no negative eigenvalues beyond rounding.
        second_mean: (d,).
        second_covariance: (d, d), likewise.

    Returns:
        0 or larger.

    Raises:
        ValueError: a number is not finite.
    """
    parts = [
        np.asarray(x, np.float64) for x in (first_mean, first_covariance, second_mean, second_covariance)
    ]
    if not all(np.isfinite(part).all() for part in parts):
        raise ValueError("means and covariances must be finite")
    mean1, cov1, mean2, cov2 = parts
    values, vectors = np.linalg.eigh(cov1)
    root = (vectors * np.sqrt(np.clip(values, 0.0, None))) @ vectors.T
    inner = root @ cov2 @ root
    overlap = np.sqrt(np.clip(np.linalg.eigvalsh((inner + inner.T) / 2), 0.0, None)).sum()
    return _assembled(mean1 - mean2, float(np.trace(cov1)), float(np.trace(cov2)), float(overlap))


def covariance(features: npt.ArrayLike) -> FloatArray:
    """Sample covariance with n - 1: (n, d) to (d, d) float64.

    Raises:
        ValueError: fewer than 2 samples, or features that are not finite.
    """
    root = _centred_root(_checked(features))
    product: FloatArray = root.T @ root
    return product


def _from_samples(a: FloatArray, b: FloatArray) -> float:
    root1, root2 = _centred_root(a), _centred_root(b)
    overlap = np.linalg.svd(root1 @ root2.T, compute_uv=False).sum()
    spread1, spread2 = float(np.square(root1).sum()), float(np.square(root2).sum())
    return _assembled(a.mean(axis=0) - b.mean(axis=0), spread1, spread2, float(overlap))


def _centred_root(features: FloatArray) -> FloatArray:
    root: FloatArray = (features - features.mean(axis=0)) / np.sqrt(len(features) - 1)
    return root


def _assembled(difference: FloatArray, trace1: float, trace2: float, overlap: float) -> float:
    return max(0.0, float(difference @ difference) + trace1 + trace2 - 2.0 * overlap)


def _checked(features: npt.ArrayLike) -> FloatArray:
    rows = np.asarray(features, dtype=np.float64)
    if rows.ndim != 2 or len(rows) < MIN_SAMPLES:
        raise ValueError(f"a covariance needs (n, d) features with n of at least {MIN_SAMPLES}: {rows.shape}")
    if not np.isfinite(rows).all():
        raise ValueError("features must be finite")
    return rows
