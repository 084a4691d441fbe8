"""Timelines on a grid and matrices of what an ideal scorer would see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
import torch

from metrics.timeline.layout import FloatArray, Layout, cell_centres, cell_edges

Shown = Sequence[tuple[int, float, float]]


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def layout():
    """Events on the grid of a video of some length."""

    def make(intervals, *, duration: float | None = None, classes=None) -> Layout:
        reach = max(end for _, end in intervals)
        length = reach if duration is None else duration
        centres = cell_centres(cell_edges(max(length, reach)))
        return Layout(
            intervals=tuple((float(start), float(end)) for start, end in intervals),
            classes=tuple(range(len(intervals))) if classes is None else tuple(classes),
            span=max(length, reach),
            present=tuple(bool(there) for there in centres < length),
        )

    return make


@pytest.fixture(scope="session")
def seen():
    """The share of each window in which each text's action is shown; crisp windows without a width."""

    def make(shown: Shown, layout: Layout, *, width: float = 0.0) -> FloatArray:
        centres = cell_centres(layout.edges)
        matrix = np.zeros((len(layout.intervals), len(centres)))
        for k, start, end in shown:
            if width == 0:
                matrix[k] += (start <= centres) & (centres < end)
                continue
            first = np.maximum(centres - width / 2, 0)
            last = np.minimum(centres + width / 2, layout.span)
            inside = np.maximum(np.minimum(last, end) - np.maximum(first, start), 0)
            matrix[k] += inside / (last - first)
        return matrix

    return make
