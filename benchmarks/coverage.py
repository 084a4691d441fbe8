"""How often do the intervals hold the truth? Simulated test sets and studies whose truth is known.

    python benchmarks/coverage.py [--simulations 1000] [--seed 0]

prints the tables of docs/statistics.md. Every test set has five prompts per identity.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from scipy.special import expit

from ipvg_eval.core.intervals import Crossed, FloatArray, IntArray, Means
from ipvg_eval.leaderboard.agreement import krippendorff_alpha
from ipvg_eval.leaderboard.bradley_terry import fit_bradley_terry
from ipvg_eval.leaderboard.comparisons import Comparisons
from ipvg_eval.leaderboard.ratings import rank_ranges

LEVEL = 0.95
PROMPTS = 5
PUBLISHED = np.log([0.545 / 0.455, 1.0, 0.30])  # three teams about as far apart as the finalists of 2025
SIX = np.array([1.0, 0.6, 0.3, 0.2, -0.5, -1.6])
CLOSE = 0.1 * SIX
AHEAD = np.array([4.0, 0.0])  # of two teams one wins nearly always
Kind = Literal["normal", "skewed", "stark"]
TRUTH = {"normal": 0.5, "skewed": 0.46, "stark": 0.45}


def metric(kind: Kind, identities: int, size: int, rng: np.random.Generator) -> FloatArray:
    """(identities x prompts, size) values of a metric in `size` test sets.

    "normal": identities differ with sd 0.1, prompts with sd 0.1. "skewed": one identity in ten fails and lies
    0.4 lower. "stark": one in ten is 0, and all others are 0.5 with sd 0.02 only.
    """
    fails = rng.random((identities, size)) < 0.1
    spread = 0.02 if kind == "stark" else 0.1
    level = np.where(fails, {"normal": 0.5, "skewed": 0.1, "stark": 0.0}[kind], 0.5)
    means = level + spread * rng.standard_normal((identities, size))
    return np.repeat(means, PROMPTS, axis=0) + spread * rng.standard_normal((identities * PROMPTS, size))


def mean_coverage(kind: Kind, identities: int, size: int, rng: np.random.Generator) -> float:
    """Share of test sets whose interval of a mean holds the truth."""
    means = Means.of(metric(kind, identities, size, rng), _columns(identities), identities)
    low, high = means.spread().interval(means.values, LEVEL)
    return float(((low <= TRUTH[kind]) & (high >= TRUTH[kind])).mean())


def false_stars(kind: Kind, identities: int, size: int, rng: np.random.Generator) -> float:
    """Share of test sets in which two equal systems are told apart."""
    gaps = metric(kind, identities, size, rng) - metric(kind, identities, size, rng)
    means = Means.of(gaps, _columns(identities), identities)
    return float((means.spread().chance(means.values) < 1 - LEVEL).mean())


def study(
    strengths: FloatArray,
    identities: int,
    annotators: int,
    rng: np.random.Generator,
    *,
    face: float = 0.5,
    taste: float = 1.0,
    each: int = 1,
) -> Comparisons:
    """A balanced study: every pair on every sample, `each` annotators a comparison, dealt out at random.

    Identities move every team's strength with sd `face`, annotators with sd `taste`; 0 annotators are one
    panel without names and without taste.
    """
    pairs = np.array(list(itertools.combinations(range(len(strengths)), 2)))
    columns = np.repeat(_columns(identities), len(pairs))
    first, second = np.tile(pairs, (identities * PROMPTS, 1)).T
    own = strengths + face * rng.standard_normal((identities, len(strengths)))
    liking = taste * rng.standard_normal((max(annotators, 1), len(strengths))) * (annotators > 0)
    judged = np.repeat(np.arange(len(first)), each)
    people = _dealt(len(first), max(annotators, 1), each, rng)
    gap = own[columns, first] - own[columns, second]
    gap = gap[judged] + liking[people, first[judged]] - liking[people, second[judged]]
    answers = (rng.random(len(judged)) < expit(gap)).astype(np.float64)
    return Comparisons(
        question="simulated",
        weighting="comparison",
        teams=tuple(f"team {number}" for number in range(len(strengths))),
        votes=len(judged),
        first=first,
        second=second,
        score=np.bincount(judged, answers) / each,
        identities=tuple(f"{column:04d}" for column in columns),
        judged=judged,
        answers=answers,
        parts=np.full(len(judged), 1 / each),
        annotators=people if annotators else None,
        outcomes=np.zeros((len(strengths), 3), dtype=np.int64),
    )


def true_study(
    strengths: FloatArray, *, face: float, taste: float, people: bool
) -> tuple[FloatArray, FloatArray]:
    """Points per comparison and Bradley-Terry strengths that endless studies end with."""
    spread = np.sqrt(2 * (face**2 + (taste**2 if people else 0.0)))
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    gaps = strengths[:, None] - strengths[None, :]
    wins = (expit(gaps[..., None] + spread * nodes) * weights).sum(axis=-1) / weights.sum()
    np.fill_diagonal(wins, 0.0)
    fit = fit_bradley_terry(wins, [str(n) for n in range(len(strengths))])
    return wins.sum(axis=1) / (len(strengths) - 1), fit.strengths


def study_coverage(
    strengths: FloatArray,
    identities: int,
    annotators: int,
    size: int,
    rng: np.random.Generator,
    **more: float,
) -> dict[str, float]:
    """Coverage of shares of points, Bradley-Terry strengths and rank ranges, and the mean widths of those."""
    face, taste = more.get("face", 0.5), more.get("taste", 1.0)
    shares, fitted = true_study(strengths, face=face, taste=taste, people=annotators > 0)
    ranks = 1 + (fitted[None, :] > fitted[:, None]).sum(axis=1)
    found: dict[str, list[float]] = {"share": [], "strength": [], "rank": [], "places": [], "disjoint": []}
    for _ in range(size):
        votes = study(strengths, identities, annotators, rng, face=face, taste=taste)
        wins = votes.wins()
        games = (wins + wins.T).sum(axis=1)
        share = wins.sum(axis=1) / games
        fit = fit_bradley_terry(wins, votes.teams)
        clusters = votes.clusters()
        influences, present = votes.share_influences(share)
        of_shares = Crossed.of(influences, clusters, votes.annotators, present)
        of_strengths = Crossed.of(
            votes.strength_influences(fit.strengths, fit.ridge or 0.0), clusters, votes.annotators, present
        )
        low, high = of_shares.share_interval(share, LEVEL)
        found["share"].append(float(((low <= shares) & (shares <= high)).mean()))
        low, high = of_strengths.spread().interval(fit.strengths, LEVEL)
        found["strength"].append(float(((low <= fitted) & (fitted <= high)).mean()))
        above = low[None, :] > high[:, None]
        found["disjoint"].append(float((len(ranks) - above.sum(axis=1) - above.sum(axis=0)).mean()))
        best, worst = rank_ranges(fit.strengths, of_strengths, LEVEL)
        found["rank"].append(float(((best <= ranks) & (ranks <= worst)).mean()))
        found["places"].append(float((worst - best + 1).mean()))
    return {name: float(np.mean(values)) for name, values in found.items()}


def alpha_coverage(identities: int, annotators: int, size: int, rng: np.random.Generator) -> float:
    """Coverage of Krippendorff's alpha of judgements that are the truth or, by annotator, a guess."""
    carefulness = [0.5, 0.9]  # annotators' chances of seeing the truth are spread evenly between these
    truth = np.mean(carefulness) ** 2  # two people agree beyond chance where both saw it
    hits = 0
    for _ in range(size):
        columns = np.repeat(_columns(identities), 2)
        judged = np.arange(len(columns) // 2)
        people = _dealt(len(judged), annotators, 2, rng)
        careful = rng.uniform(*carefulness, annotators)
        right = rng.integers(0, 3, len(judged))
        seen = rng.random(len(people)) < careful[people]
        values = np.where(seen, np.repeat(right, 2), rng.integers(0, 3, len(people)))
        found = krippendorff_alpha(
            np.repeat(judged, 2),
            values,
            categories=3,
            level="nominal",
            clusters=[str(column) for column in columns],
            annotators=[str(person) for person in people],
        )
        hits += found.low is not None and found.high is not None and found.low <= truth <= found.high
    return hits / size


def opinion_coverage(identities: int, annotators: int, size: int, rng: np.random.Generator) -> float:
    """Coverage of a mean opinion score: faces, people and single ratings vary with sd 0.5 each."""
    hits = 0
    for _ in range(size):
        columns = _columns(identities)
        people = _dealt(len(columns), annotators, 1, rng)
        scores = 3 + 0.5 * (
            rng.standard_normal(identities)[columns]
            + rng.standard_normal(annotators)[people]
            + rng.standard_normal(len(columns))
        )
        gaps = (scores - scores.mean())[:, None] / len(scores)
        low, high = Crossed.of(gaps, columns, people).spread().interval(scores.mean(keepdims=True), LEVEL)
        hits += bool(low[0] <= 3 <= high[0])
    return hits / size


def _columns(identities: int) -> IntArray:
    return np.repeat(np.arange(identities), PROMPTS)


def _dealt(judged: int, annotators: int, each: int, rng: np.random.Generator) -> IntArray:
    """Who judges what: everybody about as much, nobody the same thing twice."""
    start = rng.permutation(judged)
    return ((start[:, None] + np.arange(each)) % annotators).ravel().astype(np.int64)


def _print(title: str, sizes: Sequence[int], rows: dict[str, Callable[[int], str]]) -> None:
    print(f"\n| {title} | {' | '.join(map(str, sizes))} |")
    print("|---|" + "--:|" * len(sizes))
    for name, cell in rows.items():
        print(f"| {name} | {' | '.join(cell(size) for size in sizes)} |", flush=True)


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--simulations", type=int, default=1000, help="data sets a cell")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    size, rng = given.simulations, np.random.default_rng(given.seed)
    kinds: tuple[Kind, ...] = ("normal", "skewed", "stark")
    _print(
        "identities",
        (5, 10, 20, 40, 200),
        {
            **{f"mean, {k}": lambda n, k=k: f"{mean_coverage(k, n, 10 * size, rng):.3f}" for k in kinds},
            **{f"false star, {k}": lambda n, k=k: f"{false_stars(k, n, 10 * size, rng):.3f}" for k in kinds},
        },
    )
    cells: dict[tuple[str, int], dict[str, float]] = {}

    def cell(name: str, strengths: FloatArray, n: int, people: int) -> dict[str, float]:
        if (name, n) not in cells:
            cells[name, n] = study_coverage(strengths, n, people, max(size * 2 // 5, 1), rng)
        return cells[name, n]

    def part(name: str, strengths: FloatArray, people: int, key: str) -> Callable[[int], str]:
        return lambda n: f"{cell(name, strengths, n, people)[key]:.3f}"

    three = {
        "share of points": "share",
        "Bradley-Terry": "strength",
        "rank range": "rank",
        "places in it": "places",
    }
    three |= {"places by disjoint intervals": "disjoint"}
    panel = {f"{t}, three teams": part("3", PUBLISHED, 0, key) for t, key in three.items()}
    panel |= {f"{t}, six teams": part("6", SIX, 0, key) for t, key in three.items()}
    panel["share of points, one far ahead"] = part("a", AHEAD, 0, "share")
    panel |= {f"{t}, six close teams": part("c", CLOSE, 0, three[t]) for t in list(three)[2:]}
    _print("identities, one panel", (5, 10, 20, 40, 200), panel)

    def crowd(key: str, identities: int) -> Callable[[int], str]:
        return lambda n: f"{_crowd(n, identities)[key]:.3f}"

    def _crowd(n: int, identities: int) -> dict[str, float]:
        if (f"crowd{identities}", n) not in cells:
            cells[f"crowd{identities}", n] = study_coverage(
                PUBLISHED, identities, n, max(size * 2 // 5, 1), rng
            )
        return cells[f"crowd{identities}", n]

    rows = {f"{title}, 40 identities": crowd(key, 40) for title, key in three.items()}
    rows["mean opinion score, 40 identities"] = lambda n: f"{opinion_coverage(40, n, size, rng):.3f}"
    rows["Krippendorff's alpha, 40 identities"] = lambda n: f"{alpha_coverage(40, n, size, rng):.3f}"
    _print("annotators of taste sd 1", (5, 10, 20, 40), rows)


if __name__ == "__main__":
    main()
