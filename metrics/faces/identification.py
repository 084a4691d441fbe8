"""Whose face is it? Each video against the references of everybody in the test set.

A cosine of 0.45 says nothing by itself: it says something beside the cosines with other people's references.
Source: Grother, Ngan, Hanaoka, Face Recognition Vendor Test (NISTIR 8238, 8280) for identification rates and
false match rates; Green, Swets, Signal Detection Theory and Psychophysics (1966) for d-prime.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ipvg_eval.core.intervals import FEWEST, LEVEL, Means, Spread
from ipvg_eval.core.summary import ConfusedVideo, Estimate, Identification

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

FALSE_MATCH_RATE = 1e-3
SAME_PERSON = 0.6
"""References of different people lie well below this cosine with CurricularFace and ArcFace."""
_BINS = 40


def identify(
    videos: Sequence[FloatArray | npt.NDArray[np.float32]],
    owners: Sequence[str],
    references: Sequence[FloatArray | npt.NDArray[np.float32]],
    names: Sequence[str],
    *,
    metric: str,
    samples: Sequence[str],
    proxy: bool = False,
    most: int = 6,
) -> Identification | None:
    """Compare every video with everybody's reference.

    Args:
        videos: (frames, d) embeddings of each video's faces, at least one.
        owners: whose video each is.
        references: (d,) embeddings; a person may have several, of which the nearest counts.
        names: whose each is.
        metric: the score whose embeddings they are.
        samples: what each video is called.
        proxy: whether the embeddings stand in for a recogniser's: nothing is then concluded about the
            installation or about references that look alike.
        most: how many confusions are named.

    Returns:
        None where fewer than two people have a reference or no video's owner has one.
    """
    people = sorted(set(names))
    kept = [place for place, owner in enumerate(owners) if owner in set(names)]
    if len(people) < 2 or not kept:
        return None
    gallery = _unit(np.stack(list(references)).astype(np.float64))
    probes = np.stack([_unit(np.asarray(videos[place], dtype=np.float64)).mean(axis=0) for place in kept])
    whose = np.array([people.index(name) for name in names])
    cosines = np.stack(
        [(probes @ gallery[whose == person].T).max(axis=1) for person in range(len(people))], axis=1
    )
    own_place = np.array([people.index(owners[place]) for place in kept])
    rows = np.arange(len(kept))
    own = cosines[rows, own_place]
    rest = np.delete(cosines.ravel(), rows * len(people) + own_place).reshape(len(kept), -1)
    better, equal = (rest > own[:, None]).sum(axis=1), (rest == own[:, None]).sum(axis=1)
    hit_1, hit_5 = (np.clip((k - better) / (equal + 1), 0.0, 1.0) for k in (1, 5))
    above = ((rest < own[:, None]) + 0.5 * (rest == own[:, None])).mean(axis=1)
    enough = rest.size >= 1 / FALSE_MATCH_RATE
    threshold = float(np.quantile(rest, 1 - FALSE_MATCH_RATE, method="higher")) if enough else None
    shares = [hit_1, hit_5, above, own > threshold if threshold is not None else np.full(len(own), np.nan)]
    rank_1, rank_5, auc, matched = _means(np.stack(shares, axis=1).astype(np.float64), own_place, len(people))
    edges = np.linspace(min(-0.2, cosines.min()), max(1.0, cosines.max()), _BINS + 1)
    alike, median = _alike(gallery, whose, people)
    hints = () if proxy else _hints(auc, alike, median)
    return Identification(
        metric=metric,
        proxy=proxy,
        videos=len(kept),
        identities=len(people),
        rank_1=rank_1,
        rank_5=rank_5,
        auc=auc,
        d_prime=_d_prime(own, rest, own_place),
        threshold=threshold,
        matched=matched,
        edges=tuple(edges.tolist()),
        own=tuple(np.histogram(own, edges)[0].tolist()),
        others=tuple(np.histogram(rest, edges)[0].tolist()),
        confusions=_confusions(cosines, own_place, people, [samples[place] for place in kept], most),
        alike=alike if median < SAME_PERSON and not proxy else (),
        hints=hints,
    )


def _unit(rows: FloatArray) -> FloatArray:
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0))


def _means(shares: FloatArray, owners: IntArray, people: int) -> list[Estimate]:
    means = Means.of(shares, owners, people)
    low, high = means.spread().interval(means.values, LEVEL, (0.0, 1.0))
    return [
        Estimate(value=_known(value), low=_known(least), high=_known(most))
        for value, least, most in zip(means.values, low, high, strict=True)
    ]


def _d_prime(own: FloatArray, rest: FloatArray, owners: IntArray) -> Estimate:
    """With the jackknife over identities for its interval."""

    def of(kept: npt.NDArray[np.bool_]) -> float:
        pooled = np.sqrt((own[kept].var() + rest[kept].var()) / 2)
        return float((own[kept].mean() - rest[kept].mean()) / pooled) if pooled > 0 else np.nan

    value = of(np.ones(len(own), dtype=np.bool_))
    left_out = np.array([of(owners != person) for person in np.unique(owners)]) if len(own) > 1 else own[:0]
    size = len(left_out)
    if size < FEWEST or np.isnan(left_out).any():
        return Estimate(value=_known(value))
    error = np.sqrt((size - 1) * left_out.var())
    spread = Spread(error=np.array([error]), freedom=np.array([size - 1.0]))
    low, high = spread.interval(np.array([value]))
    return Estimate(value=_known(value), low=_known(low[0]), high=_known(high[0]))


def _confusions(
    cosines: FloatArray, own_place: IntArray, people: Sequence[str], samples: Sequence[str], most: int
) -> tuple[ConfusedVideo, ...]:
    rows = np.arange(len(samples))
    own = cosines[rows, own_place]
    others = cosines.copy()
    others[rows, own_place] = -np.inf
    nearest = others.argmax(axis=1)
    gaps = others[rows, nearest] - own
    worst = [row for row in np.argsort(-gaps, kind="stable")[:most] if gaps[row] > 0]
    return tuple(
        ConfusedVideo(
            sample=samples[row],
            identity=people[own_place[row]],
            other=people[nearest[row]],
            own=float(own[row]),
            with_other=float(others[row, nearest[row]]),
        )
        for row in worst
    )


def _alike(
    gallery: FloatArray, whose: IntArray, people: Sequence[str]
) -> tuple[tuple[tuple[str, str, float], ...], float]:
    """Pairs of people whose references look like one person, and the median cosine of different people's."""
    cosines = gallery @ gallery.T
    one, other = np.nonzero(whose[:, None] < whose[None, :])
    values = cosines[one, other]
    found: dict[tuple[str, str], float] = {}
    for i in np.argsort(-values, kind="stable"):
        if values[i] < SAME_PERSON:
            break
        found.setdefault((people[whose[one[i]]], people[whose[other[i]]]), float(values[i]))
    return tuple((*pair, value) for pair, value in found.items()), float(np.median(values))


def _hints(auc: Estimate, alike: Sequence[tuple[str, str, float]], median: float) -> tuple[str, ...]:
    if median >= SAME_PERSON:
        return (
            f"References of different people have a median cosine of {median:.2f}: these embeddings do not "
            "tell people apart. The weights or the alignment are wrong.",
        )
    hints = [
        f"The references of {one} and {other} look like one person (cosine {value:.2f})."
        for one, other, value in alike[:10]
    ]
    if len(alike) > 10:
        hints.append(f"So do {len(alike) - 10} more pairs of references.")
    if auc.value is not None and (auc.low if auc.low is not None else auc.value) <= 0.5:
        hints.append(
            f"Videos are no more like their own reference than like another's (AUC {auc.value:.2f}): either "
            "they show other people, or the weights, the alignment or the pairing with references is wrong."
        )
    return tuple(hints)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
