"""Motion smoothness, imaging quality and dynamic degree beside vbench's loops, on the same random weights.

    python benchmarks/vbench_metrics.py [--frames 9] [--size 480x832] [--video FILE] [--metrics ...]

Prints, per metric, seconds per clip of vbench and of this project (each with its own decoding), their
ratio, the share of this project's time outside the network's forward pass, and both scores. vbench's
frames come from OpenCV or decord, ours from PyAV, so scores may differ by their colour conversion.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2  # noqa: F401  before decord, else it cannot read PNG files
import numpy as np
import skimage.data
import torch
from easydict import EasyDict

from ipvg_eval.metrics.imaging.evaluator import ImagingQuality
from ipvg_eval.metrics.motion.dynamic_degree import DynamicDegree
from ipvg_eval.metrics.motion.evaluator import MotionSmoothness
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.target import Target
from ipvg_eval.metrics.third_party import published_module
from ipvg_eval.video import decode, index_frames

CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
PUBLISHED_SCALE = {"motion_smoothness": 1.0, "imaging_quality": 100.0, "dynamic_degree": 1.0}


class Checkpoints:
    """Random weights in files, so that both sides read the same ones."""

    random_seed: int | None = None

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        torch.manual_seed(0)
        amt = published_module("vbench.third_party.amt.networks.AMT-S", package="vbench").Model()
        musiq = published_module("pyiqa.archs.musiq_arch", package="pyiqa").MUSIQ(pretrained=False)
        raft = published_module("vbench.third_party.RAFT.core.raft", package="vbench").RAFT(
            EasyDict(small=False, mixed_precision=False, alternate_corr=False)
        )
        torch.save({"state_dict": amt.state_dict()}, self.path("amt_s"))
        torch.save(musiq.state_dict(), self.path("musiq_spaq"))
        torch.save(raft.state_dict(), self.path("raft_things"))

    def path(self, name: str) -> Path:
        """The file of a weight."""
        return self._folder / f"{name}.pth"

    def sha256(self, name: str) -> str:
        """Not a published file."""
        return f"benchmark:{name}"


@dataclass
class Stopwatch:
    """Seconds spent in a network's forward passes."""

    device: torch.device
    clock: Callable[[], float]
    seconds: float = 0.0

    @contextlib.contextmanager
    def on(self, network: torch.nn.Module) -> Iterator[None]:
        """Count while the context is open."""
        started = 0.0

        def begin(*_: object) -> None:
            nonlocal started
            self.wait()
            started = self.clock()

        def end(*_: object) -> None:
            self.wait()
            self.seconds += self.clock() - started

        hooks = [network.register_forward_pre_hook(begin), network.register_forward_hook(end)]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def wait(self) -> None:
        """Let the device finish."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


def published(metric: str, weights: Checkpoints, device: torch.device) -> Callable[[str], float]:
    """The loop of vbench over one video."""
    if metric == "motion_smoothness":
        import vbench.motion_smoothness as motion

        config = Path(motion.__file__).parent / "third_party" / "amt" / "cfgs" / "AMT-S.yaml"
        return motion.MotionSmoothness(str(config), str(weights.path("amt_s")), device).motion_score
    if metric == "imaging_quality":
        import vbench.imaging_quality as imaging

        model = imaging.MUSIQ(pretrained_model_path=str(weights.path("musiq_spaq"))).to(device)
        model.training = False
        return lambda video: imaging.technical_quality(model, [video], device)[1][0]["video_results"]
    import vbench.dynamic_degree as dynamic

    options = EasyDict(
        model=str(weights.path("raft_things")), small=False, mixed_precision=False, alternate_corr=False
    )
    return dynamic.DynamicDegree(options, device).infer


def ours(evaluator: Any, video: Path) -> float | None:
    """This project's decoding and pass over one video."""
    index = index_frames(video)
    a_pass = evaluator.start(Target(sample_id="clip", references=(), prompt=""), index.clip)
    with decode(video, evaluator.frames(index.clip), index=index) as batches:
        for batch in batches:
            a_pass.add(batch.indices, batch.frames)
    [measurement] = a_pass.finish()
    value: float | None = measurement.value
    return value


def network_of(evaluator: Any) -> torch.nn.Module:
    """The network inside an evaluator."""
    for name in ("interpolator", "scorer", "network"):
        if hasattr(evaluator, name):
            network: torch.nn.Module = getattr(evaluator, name)._network
            return network
    raise AttributeError("no network")


def panned_clip(path: Path, height: int, width: int, frames: int) -> Path:
    """A window that moves over a photograph, H.264 at 16 fps."""
    picture = np.tile(skimage.data.astronaut(), (4, 6, 1))
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(16))
        stream.height, stream.width, stream.pix_fmt = height, width, "yuv420p"
        for i in range(frames):
            window = np.ascontiguousarray(picture[2 * i : 2 * i + height, 3 * i : 3 * i + width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(window, "rgb24")))
        container.mux(stream.encode())
    return path


def measure(
    metric: str, video: Path, weights: Checkpoints, device: str, repeats: int, clock: Callable[[], float]
) -> dict[str, Any]:
    """Best of `repeats` for both sides, taken in turns."""
    kind: Any = {
        "motion_smoothness": MotionSmoothness,
        "imaging_quality": ImagingQuality,
        "dynamic_degree": DynamicDegree,
    }[metric]
    evaluator = kind(kind.Options(), Runtime(device=device, weights=weights))
    with contextlib.redirect_stdout(io.StringIO()):
        theirs = published(metric, weights, torch.device(device))
    their_seconds, our_runs = [], []
    for _ in range(repeats):
        watch = Stopwatch(torch.device(device), clock)
        start = clock()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            their_score = float(theirs(str(video))) / PUBLISHED_SCALE[metric]
        watch.wait()
        their_seconds.append(clock() - start)
        start = clock()
        with watch.on(network_of(evaluator)):
            our_score = ours(evaluator, video)
        our_runs.append((clock() - start, watch.seconds))
    our_seconds, forward = min(our_runs)
    return {
        "metric": metric,
        "vbench_s": min(their_seconds),
        "ours_s": our_seconds,
        "ratio": min(their_seconds) / our_seconds,
        "outside_forward": 1 - forward / our_seconds,
        "vbench_score": their_score,
        "our_score": our_score,
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--video", type=Path, help="an mp4 file instead of a made-up clip")
    parser.add_argument("--size", default="480x832", help="height x width of the made-up clip")
    parser.add_argument("--frames", type=int, default=9, help="frames of the made-up clip")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--clock", choices=sorted(CLOCKS), default="wall", help="cpu: for a busy machine")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument(
        "--metrics",
        nargs="+",
        choices=sorted(PUBLISHED_SCALE),
        default=["motion_smoothness", "imaging_quality"],
    )
    parser.add_argument("--json", action="store_true", help="one JSON object per line instead of the table")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    with tempfile.TemporaryDirectory() as folder:
        height, width = map(int, arguments.size.split("x"))
        video = arguments.video or panned_clip(Path(folder) / "clip.mp4", height, width, arguments.frames)
        weights = Checkpoints(Path(folder))
        rows = [
            measure(metric, video, weights, arguments.device, arguments.repeats, CLOCKS[arguments.clock])
            for metric in arguments.metrics
        ]
    if arguments.json:
        print("\n".join(json.dumps(row) for row in rows))
        return
    columns = f"{'vbench s':>9} {'ours s':>9} {'ratio':>6} {'not forward':>12}"
    print(f"{'metric':18} {columns}   scores (vbench, ours)")
    for row in rows:
        print(
            f"{row['metric']:18} {row['vbench_s']:9.2f} {row['ours_s']:9.2f} {row['ratio']:6.2f} "
            f"{row['outside_forward']:12.1%}   {row['vbench_score']:.7f} {row['our_score']:.7f}"
        )


if __name__ == "__main__":
    main()
