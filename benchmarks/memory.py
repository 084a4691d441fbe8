"""Peak memory of scoring against the number, the size and the length of videos.

    python benchmarks/memory.py [--protocol lite]

Every row scores made-up videos in fresh processes. It prints the largest sum of proportional set sizes over
the command and its decoders (memory that they share counts once), and its ratio to the first row.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import psutil
import skimage.data
from PIL import Image

FPS = 16
_EVERY = 0.05


@dataclass(frozen=True)
class Load:
    """Videos of one kind."""

    title: str
    samples: int
    width: int
    height: int
    seconds: float


LOADS = (
    Load("5 videos, 480 x 832, 5 s", 5, 832, 480, 5),
    Load("40 videos, 480 x 832, 5 s", 40, 832, 480, 5),
    Load("5 videos, 480 x 832, 60 s", 5, 832, 480, 60),
    Load("5 videos, 720 x 1280, 5 s", 5, 1280, 720, 5),
    Load("3 videos, 2160 x 3840, 5 s", 3, 3840, 2160, 5),
)


def write_video(path: Path, load: Load) -> None:
    """A portrait that drifts, with grain that does not compress away."""
    picture = Image.fromarray(skimage.data.astronaut())
    side = max(load.width, load.height) + 64
    large = np.asarray(picture.resize((side, side), Image.Resampling.BICUBIC))
    grain = np.random.default_rng(0).integers(0, 24, (side, side, 1), dtype=np.uint8)
    large = np.clip(large.astype(np.int16) + grain, 0, 255).astype(np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = load.width, load.height, "yuv420p"
        for i in range(round(load.seconds * FPS)):
            part = large[i % 48 : i % 48 + load.height, i % 32 : i % 32 + load.width]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(part), "rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def write_inputs(root: Path, load: Load) -> None:
    """A test set of as many identities, and their videos."""
    video = root / "video.mp4"
    write_video(video, load)
    for number in range(load.samples):
        identity = root / "testset" / f"id{number:03d}"
        identity.mkdir(parents=True)
        Image.fromarray(skimage.data.astronaut()[20:300, 90:370]).save(identity / "image.png")
        (identity / "prompt1.txt").write_text("An astronaut smiles.\n", "utf-8")
        target = root / "team" / identity.name
        target.mkdir(parents=True)
        shutil.copyfile(video, target / "prompt1.mp4")


def peak_bytes(command: list[str]) -> int:
    """Largest memory of a command and its children together."""
    process = psutil.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    largest = 0
    while process.poll() is None:
        largest = max(largest, _tree_bytes(process))
        time.sleep(_EVERY)
    if process.returncode:
        raise SystemExit(process.stderr.read().decode())
    return largest


def _tree_bytes(process: psutil.Process) -> int:
    total = 0
    try:
        for one in (process, *process.children(recursive=True)):
            total += one.memory_full_info().pss
    except psutil.Error:  # one of them has just ended
        return 0
    return total


def main() -> None:
    """Print one row per kind of videos."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--protocol", default="lite")
    protocol = parser.parse_args().protocol
    first = None
    print(f"{os.cpu_count()} cores, protocol {protocol}")
    print("| videos | peak memory, MiB | ratio |\n|---|--:|--:|")
    for load in LOADS:
        with tempfile.TemporaryDirectory() as name:
            root = Path(name)
            write_inputs(root, load)
            command = [sys.executable, "-m", "ipvg_eval", "score", str(root / "team")]
            command += [
                "--testset",
                str(root / "testset"),
                "--protocol",
                protocol,
                "--out",
                str(root / "run"),
            ]
            peak = peak_bytes(command)
        first = first or peak
        print(f"| {load.title} | {peak / 2**20:.0f} | {peak / first:.2f} |", flush=True)


if __name__ == "__main__":
    main()
