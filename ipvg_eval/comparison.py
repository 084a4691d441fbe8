"""Two runs side by side: is one better, by how much, and on which samples?"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from pathlib import Path

import pandas as pd

from ipvg_eval.core.combination import Combination
from ipvg_eval.core.comparability import differences
from ipvg_eval.core.intervals import INTERVAL_TITLE, caution
from ipvg_eval.core.resampling import Resampling
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.core.summary import CorpusSummary
from ipvg_eval.errors import RunError
from ipvg_eval.leaderboard.differences import paired_differences
from ipvg_eval.leaderboard.metric import Metric
from ipvg_eval.leaderboard.scores import Scores
from ipvg_eval.results import Run, load_run


@dataclass(frozen=True, kw_only=True)
class SampleDifference:
    """One sample in both runs.

    Attributes:
        sample: its id.
        a: value in run A.
        b: value in run B.
    """

    sample: str
    a: float
    b: float


@dataclass(frozen=True, kw_only=True)
class MetricComparison:
    """One metric, or weighted sum, over the samples where both runs have a value.

    Attributes:
        name: the metric.
        title: its human name.
        higher_is_better: direction; None where neither is better.
        mean_a: mean of run A over these samples; None without any.
        mean_b: mean of run B.
        difference: mean of A minus B.
        low: lower end of the difference's interval; None where too few identities have a value in both.
        high: upper end.
        chance: p-value of the difference, corrected after Holm for all metrics of the comparison; None as
            low.
        clear: whether that is below 0.05.
        samples: samples where both have a value.
        only_a: samples where only A has one.
        only_b: samples where only B has one.
        wins_a: samples where A is better; None where neither direction is.
        wins_b: samples where B is better.
        ties: samples with equal values.
        most: the samples that differ most, largest difference first.
    """

    name: str
    title: str
    higher_is_better: bool | None
    mean_a: float | None
    mean_b: float | None
    difference: float | None
    low: float | None
    high: float | None
    chance: float | None
    clear: bool
    samples: int
    only_a: int
    only_b: int
    wins_a: int | None
    wins_b: int | None
    ties: int
    most: tuple[SampleDifference, ...]


@dataclass(frozen=True, kw_only=True)
class CorpusComparison:
    """One metric of the whole submission; it has no value per sample, hence no interval.

    Attributes:
        name: the metric.
        title: its human name.
        higher_is_better: direction; None where neither is better.
        a: value of run A.
        b: value of run B.
        difference: A minus B; None where one is missing.
    """

    name: str
    title: str
    higher_is_better: bool | None
    a: float | None
    b: float | None
    difference: float | None


@dataclass(frozen=True, kw_only=True)
class Side:
    """One of the two runs.

    Attributes:
        team: who was scored.
        folder: the run's folder.
        samples: samples that have a row.
        notice: what every reader must know about its numbers, empty for none.
    """

    team: str
    folder: str
    samples: int
    notice: str


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two runs side by side.

    Attributes:
        a: the first run.
        b: the second.
        not_comparable: facts in which they differ, with both values; empty unless compared anyway.
        samples: samples that both have a row for.
        identities: identities of these samples.
        metrics: every metric both have, then every weighted sum.
        corpus: metrics of the whole submission.
        intervals: what the intervals are.
        caution: what a reader must know about them, empty for nothing.
        pairs: one row per metric and sample that both runs have: metric, sample, identity, a, b and
            a_minus_b; NaN where a run has no value.
    """

    a: Side
    b: Side
    not_comparable: dict[str, tuple[str, str]]
    samples: int
    identities: int
    metrics: tuple[MetricComparison, ...]
    corpus: tuple[CorpusComparison, ...]
    intervals: str
    caution: str
    pairs: pd.DataFrame = field(repr=False, compare=False)

    @property
    def table(self) -> pd.DataFrame:
        """One row per metric, with the fields of `MetricComparison` but for `most`, by the metric's name."""
        names = [one.name for one in fields(MetricComparison) if one.name != "most"]
        rows = [[getattr(metric, name) for name in names] for metric in self.metrics]
        return pd.DataFrame(rows, columns=names).set_index("name")


def compare(a: Run | Path | str, b: Run | Path | str, *, most: int = 3, anyway: bool = False) -> Comparison:
    """Compare two runs sample by sample.

    Args:
        a: the first run, or its folder.
        b: the second run, or its folder.
        most: how many of the samples that differ most are named for each metric.
        anyway: compare what both have although their numbers do not compare.

    Raises:
        RunError: a folder is no run; the runs do not compare, which names every fact that differs; or they
            share no sample or no metric.
    """
    a, b = (run if isinstance(run, Run) else load_run(run) for run in (a, b))
    different = differences(a.info, b.info)
    if different and not anyway:
        lines = "".join(f"\n  {fact}: {one} there, {other} here" for fact, (one, other) in different.items())
        raise RunError(
            f"its numbers do not compare with those of {a.folder.path}:{lines}",
            path=b.folder.path,
            hint="Score both alike, bring one to the other's protocol with `ipvg-eval rescore`, or say "
            "--anyway to compare what both have.",
        )
    scores = _paired(a, b)
    table = paired_differences(scores, [("a", "b")])
    return Comparison(
        a=_side(a),
        b=_side(b),
        not_comparable=different,
        samples=len(scores.identities),
        identities=len(scores.resampling.identities),
        metrics=tuple(
            _metric(metric, scores.values[metric.name], row, most)
            for metric, (_, row) in zip(scores.metrics, table.iterrows(), strict=True)
        ),
        corpus=_corpus(a.summary.corpus, b.summary.corpus),
        intervals=INTERVAL_TITLE,
        caution=caution(len(scores.resampling.identities)),
        pairs=_pairs(scores),
    )


def _paired(a: Run, b: Run) -> Scores:
    """What the leaderboard's differences are made from, with the two runs as its teams."""
    rows_a, rows_b = (run.samples.set_index("sample") for run in (a, b))
    shared = [sample for sample in rows_a.index if sample in rows_b.index]
    metrics = [metric for metric in _columns(a) if metric.name in {other.name for other in _columns(b)}]
    if not shared or not metrics:
        raise RunError(
            f"it has no {'metric' if shared else 'sample'} in common with {a.folder.path}",
            path=b.folder.path,
            hint="Compare two runs over the same test set under the same protocol.",
        )
    rows_a, rows_b = rows_a.loc[shared], rows_b.loc[shared]
    identities = tuple(str(identity) for identity in rows_a["identity"])
    return Scores(
        metrics=tuple(metrics),
        teams=("a", "b"),
        table=pd.DataFrame(),
        values={m.name: pd.DataFrame({"a": rows_a[m.name], "b": rows_b[m.name]}) for m in metrics},
        resampled={},
        identities=identities,
        resampling=Resampling.of(identities),
        coverage=0.0,
    )


def _pairs(scores: Scores) -> pd.DataFrame:
    tables = []
    for name, values in scores.values.items():
        table = values.rename_axis("sample").reset_index()
        table.insert(0, "metric", name)
        table.insert(2, "identity", list(scores.identities))
        tables.append(table.assign(a_minus_b=table["a"] - table["b"]))
    return pd.concat(tables, ignore_index=True)


def _columns(run: Run) -> list[Metric]:
    """What a run has a value per sample for."""
    described: list[MetricSpec | Combination] = [*run.info.specs, *run.info.protocol.combined]
    return [_described(one) for one in described]


def _described(one: MetricSpec | Combination) -> Metric:
    spec = one if isinstance(one, MetricSpec) else None
    return Metric(
        name=one.name,
        title=spec.label if spec else one.title,
        unit=spec.unit if spec else "",
        summary=spec.summary if spec else "",
        higher_is_better=one.higher_is_better,
        proxy=spec.proxy if spec else False,
        weight=0.0,
    )


def _metric(metric: Metric, values: pd.DataFrame, row: pd.Series, most: int) -> MetricComparison:
    both = values.dropna()
    gaps = (both["a"] - both["b"]).abs().sort_values(ascending=False, kind="stable")
    largest = both.loc[gaps[gaps > 0].index[:most]]
    known = metric.higher_is_better is not None
    wins, losses, count = int(row["wins"]), int(row["losses"]), int(row["count"])
    return MetricComparison(
        name=metric.name,
        title=metric.title,
        higher_is_better=metric.higher_is_better,
        mean_a=_mean(both["a"]),
        mean_b=_mean(both["b"]),
        difference=_known(row["difference"]),
        low=_known(row["low"]),
        high=_known(row["high"]),
        chance=_known(row["chance"]),
        clear=bool(row["clear"]),
        samples=count,
        only_a=int(values["a"].notna().sum()) - count,
        only_b=int(values["b"].notna().sum()) - count,
        wins_a=wins if known else None,
        wins_b=losses if known else None,
        ties=count - wins - losses,
        most=tuple(
            SampleDifference(sample=str(sample), a=float(pair["a"]), b=float(pair["b"]))
            for sample, pair in largest.iterrows()
        ),
    )


def _corpus(a: tuple[CorpusSummary, ...], b: tuple[CorpusSummary, ...]) -> tuple[CorpusComparison, ...]:
    theirs = {metric.name: metric for metric in b}
    return tuple(
        CorpusComparison(
            name=ours.name,
            title=ours.title,
            higher_is_better=ours.higher_is_better,
            a=ours.value,
            b=theirs[ours.name].value,
            difference=_difference(ours.value, theirs[ours.name].value),
        )
        for ours in a
        if ours.name in theirs
    )


def _difference(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b


def _side(run: Run) -> Side:
    return Side(
        team=run.info.team,
        folder=str(run.folder.path),
        samples=len(run.samples),
        notice=run.info.protocol.notice,
    )


def _mean(values: pd.Series) -> float | None:
    return math.fsum(values) / len(values) if len(values) else None


def _known(value: object) -> float | None:
    number = float(str(value))
    return None if math.isnan(number) else number
