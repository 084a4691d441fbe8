"""Several weights at once, politely: one transfer at a time from each host."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import urlsplit

from ipvg_eval.metrics.errors import MetricsError
from ipvg_eval.metrics.weight_file import ArchiveMember, ReleaseAsset, WeightFile
from ipvg_eval.metrics.weights.progress import Progress
from ipvg_eval.metrics.weights.pull import Pulled, pull
from ipvg_eval.metrics.weights.store import WeightStore

_HUB = "the hub"


def pull_several(
    weights: Sequence[WeightFile],
    *,
    new_store: Callable[[], WeightStore] = WeightStore,
    mirror: str | None = None,
    progress: Progress | None = None,
) -> Iterator[tuple[WeightFile, Pulled | MetricsError]]:
    """Bring weights here, each as `pull` does; they come in the order in which they are finished.

    Args:
        weights: declared weights, none twice.
        new_store: makes the store to add to, one for each host.
        mirror: one host for all of them.
        progress: hears of all transfers.
    """
    by_host: dict[str, list[WeightFile]] = {}
    for weight in weights:
        by_host.setdefault("" if mirror is not None else _host(weight), []).append(weight)
    finished: queue.SimpleQueue[tuple[WeightFile, Pulled | BaseException]] = queue.SimpleQueue()

    def bring(those: list[WeightFile]) -> None:
        store = new_store()
        for weight in those:
            try:
                finished.put((weight, pull(weight.name, store=store, mirror=mirror, progress=progress)))
            except BaseException as error:  # handed to the caller, who would wait for ever else
                finished.put((weight, error))

    # A daemon ends with the command: Ctrl-C must not wait for gigabytes, and what arrived is kept.
    for those in by_host.values():
        threading.Thread(target=bring, args=(those,), daemon=True).start()
    for _ in weights:
        weight, outcome = finished.get()
        if isinstance(outcome, BaseException) and not isinstance(outcome, MetricsError):
            raise outcome
        yield weight, outcome


def _host(weight: WeightFile) -> str:
    source = weight.source
    return urlsplit(source.url).netloc if isinstance(source, ReleaseAsset | ArchiveMember) else _HUB
