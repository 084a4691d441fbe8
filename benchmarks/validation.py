"""How long `validate` takes, against reading the zip once and against opening every video by hand.

    python benchmarks/validation.py [--videos 1000]

A zip of copies of one clip, stored and deflated. Reading is what any check must do at least: every byte of
every member through its checksum. All ways find the zip in the page cache.
"""

from __future__ import annotations

import argparse
import io
import os
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import av

from ipvg_eval.validation import validate

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
_TRIES = 3


def write_zip(path: Path, videos: int, compression: int) -> None:
    """200 identities or fewer, five prompts each."""
    content = (FIXTURES / "submissions/careful/id001/prompt2.mp4").read_bytes()
    with zipfile.ZipFile(path, "w", compression) as archive:
        for number in range(videos):
            name = f"id{number // 5 + 1:03d}/prompt{number % 5 + 1}.mp4"
            # A free atom at the end makes every file another one.
            free = (16).to_bytes(4, "big") + b"free" + number.to_bytes(8, "big")
            archive.writestr(name, content + free)


def read_zip(path: Path) -> None:
    """Every byte, checksums compared."""
    with zipfile.ZipFile(path) as archive:
        if archive.testzip() is not None:
            raise SystemExit("the zip is damaged")


def open_each(path: Path) -> None:
    """What a short script does: unpack a member, open it, decode its first frame."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            with av.open(io.BytesIO(archive.read(name))) as container:
                next(container.decode(video=0))


def least_seconds(work: Callable[[], object]) -> float:
    """The least of several tries."""
    found = []
    for _ in range(_TRIES):
        begun = time.perf_counter()
        work()
        found.append(time.perf_counter() - begun)
    return min(found)


def main() -> None:
    """Print one row per kind of zip."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--videos", type=int, default=1000)
    videos = parser.parse_args().videos
    print(f"{os.cpu_count()} cores, {videos} videos")
    print("| zip | read, s | open each, s | validate, s | validate / read | validate / open each |")
    print("|---|--:|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as folder:
        for kind, compression in (("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED)):
            path = Path(folder) / "facial_results.zip"
            write_zip(path, videos, compression)
            read = least_seconds(lambda path=path: read_zip(path))
            by_hand = least_seconds(lambda path=path: open_each(path))
            ours = least_seconds(lambda path=path: validate(path))
            print(
                f"| {kind}, {path.stat().st_size / 2**20:.0f} MiB | {read:.2f} | {by_hand:.2f} | {ours:.2f} "
                f"| {ours / read:.1f} | {ours / by_hand:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
