"""The metrics of a whole submission, from the features its samples left behind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ipvg_eval.core.row import SampleRow, Status
from ipvg_eval.core.summary import CorpusSummary
from ipvg_eval.metrics.corpus import CorpusMetric
from ipvg_eval.results.features import read_features
from ipvg_eval.results.folder import RunFolder


def summarise_corpus(
    metrics: Iterable[CorpusMetric], folder: RunFolder, rows: Sequence[SampleRow]
) -> list[CorpusSummary]:
    """Compute every metric from the features of the rows that were scored.

    Args:
        metrics: which.
        folder: where the features lie.
        rows: in the test set's order.

    Raises:
        RunError: a file of features is damaged.
    """
    scored = [row.sample for row in rows if row.status is Status.SCORED]
    summaries = []
    for metric in metrics:
        kept = (read_features(folder.features(sample)) for sample in scored)
        result = metric(features[metric.needs] for features in kept if metric.needs in features)
        summaries.append(
            CorpusSummary(
                name=metric.spec.name,
                title=metric.spec.title,
                higher_is_better=metric.spec.higher_is_better,
                value=result.value,
                reason=result.reason,
                samples=result.samples,
                references=result.references,
            )
        )
    return summaries
