"""Which videos a submission owes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ipvg_eval.testset import TestSet

_IDENTITIES, _PROMPTS = 200, 5
_FLAT_SIZES = (200, 1000)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """The expected videos.

    Attributes:
        videos: id of the sample by the video's path, in the samples' order.
        tolerated: paths that are neither owed nor extra, because their samples of the test set are broken.
        description: one phrase for people.
        assumed: guessed from the submission.
    """

    videos: dict[str, str]
    tolerated: frozenset[str]
    description: str
    assumed: bool


def shape_of_testset(testset: TestSet) -> Shape:
    """The shape that a test set asks for."""
    videos = {sample.video: sample.id for sample in testset.samples}
    broken = {f"{f.sample}.mp4" for f in testset.findings if f.sample is not None} - videos.keys()
    return Shape(
        videos=videos,
        tolerated=frozenset(broken),
        description=f"the {len(videos):,} videos of the test set {testset.root}",
        assumed=False,
    )


def assumed_shape(names: Iterable[str]) -> Shape:
    """The challenge's shape that fits the files best: 200 x 5 in folders, or 1 to 200 or 1,000.

    Args:
        names: paths of all files of the submission.
    """
    videos = [name for name in names if name.lower().endswith(".mp4")]
    in_folders = sum("/" in name for name in videos)
    if videos and 2 * in_folders < len(videos):
        return _flat(videos)
    samples = [f"id{i:03d}/prompt{k}" for i in range(1, _IDENTITIES + 1) for k in range(1, _PROMPTS + 1)]
    return Shape(
        videos={f"{sample}.mp4": sample for sample in samples},
        tolerated=frozenset(),
        description=f"prompt1.mp4 to prompt{_PROMPTS}.mp4 in {_IDENTITIES} folders, id001 to id{_IDENTITIES}",
        assumed=True,
    )


def _flat(videos: list[str]) -> Shape:
    # Nine digits at most: a longer run is no number of a sample.
    numbers = [int(found[0]) for name in videos if (found := re.search(r"[0-9]{1,9}(?=\.[^.]+$)", name))]
    small, large = _FLAT_SIZES
    count = small if max(numbers, default=0) <= small else large
    return Shape(
        videos={f"{n}.mp4": str(n) for n in range(1, count + 1)},
        tolerated=frozenset(),
        description=f"{count:,} videos 1.mp4 to {count}.mp4",
        assumed=True,
    )
