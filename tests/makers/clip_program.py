"""A program that makes one video per call, as a laboratory's script would; with ways to go wrong."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import av
import numpy as np
from PIL import Image

from ipvg_eval.reference_generator.video_file import write_mp4


def clip(seed: int, width: int, height: int, frames: int, reference: Path | None = None) -> np.ndarray:
    """A reference picture that moves sideways, darker or lighter by the seed."""
    if reference is not None:
        picture = np.asarray(Image.open(reference).convert("RGB").resize((width, height)))
    else:
        picture = np.full((height, width, 3), 128, np.uint8)
    dimmed = (picture * (0.5 + seed % 97 / 194)).astype(np.uint8)
    return np.stack([np.roll(dimmed, 4 * frame, axis=1) for frame in range(frames)])


def mpeg4(path: Path, pictures: np.ndarray) -> None:
    """Write a video with another codec than H.264."""
    with av.open(str(path), "w", format="mp4") as file:
        stream = file.add_stream("mpeg4", rate=16)
        stream.height, stream.width, stream.pix_fmt = *pictures.shape[1:3], "yuv420p"
        for picture in pictures:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode(None))


def main() -> None:
    """Make the video that the arguments ask for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--prompt", required=True)
    parser.add_argument("--refs", nargs="+", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--size", type=int, nargs=2, default=(128, 128))
    parser.add_argument("--fps", type=float, default=16)
    parser.add_argument("--frames", type=int, default=17)
    parser.add_argument("--fault", default="none")
    given = parser.parse_args()
    if (log := os.environ.get("CALLS")) is not None:
        with Path(log).open("a", encoding="utf-8") as file:
            file.write(f"{given.prompt}\n")
    pictures = clip(given.seed, *given.size, given.frames, given.refs[0])
    if given.fault == "exit":
        for number in range(10_000):
            sys.stdout.write(f"step {number} of many\n")
        sys.stderr.write(f"\x1b[31mcannot go on with key {os.environ.get('LAB_KEY')}\x1b[0m\n")
        sys.exit(7)
    if given.fault == "text":
        given.out.write_text("<html>no video</html>")
    elif given.fault == "empty":
        given.out.touch()
    elif given.fault == "folder":
        given.out.mkdir()
    elif given.fault == "pipe":
        os.mkfifo(given.out)
    elif given.fault == "mpeg4":
        mpeg4(given.out, pictures)
    elif given.fault != "nothing":
        write_mp4(given.out, pictures, fps=given.fps)
    if given.fault == "cut":
        given.out.write_bytes(given.out.read_bytes()[: given.out.stat().st_size // 2])


if __name__ == "__main__":
    main()
