"""Whether the videos can go where they are wanted, before a model is loaded."""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ipvg_eval.reference_generator.errors import OutputUnusable
from ipvg_eval.reference_generator.settings import VideoSettings

_BITS_PER_PIXEL = 0.4
"""Of a filmed scene at x264's crf 17; noise takes ten times as much."""

_CANNOT_WRITE = {
    errno.EACCES,
    errno.EDQUOT,
    errno.EEXIST,
    errno.EIO,
    errno.ENOENT,
    errno.ENOSPC,
    errno.ENOTDIR,
    errno.EPERM,
    errno.EROFS,
}


def check_output(out: Path, video: VideoSettings, *, videos: int, testset: Path | None = None) -> None:
    """Refuse a folder that cannot be filled. Nothing is left behind.

    Args:
        out: the submission folder, which need not exist.
        video: size of one video.
        videos: how many are to be made.
        testset: the test set's folder, which must stay as it is.

    Raises:
        OutputUnusable: it is a file, lies in the test set or under a file, cannot be written to, or has too
            little space.
    """
    place = out.absolute()
    if testset is not None and _in_testset(place.resolve(), testset.resolve()):
        raise OutputUnusable(
            "the videos would be written into the test set", path=out, hint="Choose a folder outside it."
        )
    while not place.exists():
        place = place.parent
    if not place.is_dir():
        raise OutputUnusable(
            "is a file" if place == out.absolute() else f"lies under the file {place}",
            path=out,
            hint="Choose a folder, which may be one that does not exist yet.",
        )
    # Records lie beside the folder, and so must be writable there as well.
    for folder in {place, place.parent if place == out.absolute() else place}:
        with output_errors(out), tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"probe")
            file.flush()
    wanted, free = videos * video_bytes(video), shutil.disk_usage(place).free
    if wanted > free:
        raise OutputUnusable(
            f"{videos} videos take about {wanted / 1e9:.1f} GB and {free / 1e9:.1f} GB are free",
            path=out,
            hint="Free some space, choose another disk with --out, or make fewer with --limit or --shard.",
        )


def _in_testset(place: Path, testset: Path) -> bool:
    """Whether videos there would be part of the test set; beside an eval.json, only its list counts."""
    return place == testset or (place.is_relative_to(testset) and not (testset / "eval.json").is_file())


def video_bytes(video: VideoSettings) -> float:
    """About how large a video's file is."""
    return video.width * video.height * video.frames * _BITS_PER_PIXEL / 8


@contextmanager
def output_errors(out: Path) -> Iterator[None]:
    """Turn what keeps every further file from being written into an error that ends the run.

    Raises:
        OutputUnusable: the disk is full, or the folder cannot be written to.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _CANNOT_WRITE:
            raise
        raise OutputUnusable(
            f"nothing can be written there ({error.strerror or error})",
            path=out,
            hint="Free some space or choose another folder with --out; the same command goes on from there.",
        ) from error
