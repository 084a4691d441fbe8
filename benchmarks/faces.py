"""Face metrics: one shared pass against the published per-video procedure, on the same random weights.

Both sides decode nothing: they get the same frames. The published side is timed as its scripts work: for
every video it loads the networks anew, encodes the reference, takes frames one at a time, embeds every face
that is found, and computes the Fréchet distance of every frame with a 2048 x 2048 eigendecomposition. Left
out of it are the three models of the buffalo_l pack that the scripts also run on every face and never use.
The random detector finds several faces per frame, of which ours embeds the largest alone; the published side
is therefore also timed with one face per frame. Ours includes loading the networks once, spread over the
videos.

Run: python benchmarks/faces.py [--videos 2] [--frames 4] [--threads 2] [--clock cpu]
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import skimage.data
import torch
from insightface.app import FaceAnalysis
from insightface.utils import face_align
from PIL import Image
from torchvision import transforms
from torchvision.models import Inception3

from ipvg_eval.core.measurement import ClipInfo, Frames
from ipvg_eval.metrics.faces import arcface, scrfd
from ipvg_eval.metrics.faces.curricularface import IR101
from ipvg_eval.metrics.faces.face_similarity import FaceSimilarity, FaceSimilarityOptions
from ipvg_eval.metrics.faces.network_weights import fill_randomly, stream_seed
from ipvg_eval.metrics.faces.random_onnx import write_detector, write_recogniser
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.target import Reference, Target

CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
SEED = 0
HEIGHT, WIDTH = 480, 832


class RandomWeights:
    """Seeded random networks."""

    random_seed: int | None = SEED

    def path(self, name: str) -> Path:
        """No files here."""
        raise FileNotFoundError(name)

    def sha256(self, name: str) -> str:  # noqa: ARG002
        """The stamp of random weights."""
        return f"random:{SEED}"


def save_published_weights(folder: Path) -> None:
    """Write the random networks as files, for the side that loads them for every video."""
    write_detector(folder / "det_10g.onnx", stream_seed(SEED, scrfd.WEIGHTS))
    write_recogniser(folder / "w600k_r50.onnx", stream_seed(SEED, arcface.WEIGHTS))
    for make, name, damped in (
        (IR101, "curricularface_r101", ("res_layer.5.weight",)),
        (lambda: Inception3(transform_input=True, init_weights=False), "inception_v3_imagenet", ()),
    ):
        network = make()
        fill_randomly(network, stream_seed(SEED, name), damped=damped)
        torch.save(network.state_dict(), folder / f"{name}.pth")


class PublishedProcedure:
    """What the published scripts do with one video, in plain library calls."""

    def __init__(self, folder: Path, most_faces: int) -> None:
        self.most_faces = most_faces  # 0: all of them
        self.analysis = FaceAnalysis(name=str(folder), providers=["CPUExecutionProvider"])
        self.analysis.prepare(ctx_id=0, det_size=(320, 320))
        self.curricular = IR101()
        self.curricular.load_state_dict(torch.load(folder / "curricularface_r101.pth", weights_only=True))
        self.inception = Inception3(transform_input=True, init_weights=False)
        self.inception.load_state_dict(torch.load(folder / "inception_v3_imagenet.pth", weights_only=True))
        self.inception.fc = torch.nn.Identity()
        self.curricular.eval()
        self.inception.eval()

    @torch.no_grad()
    def encode(self, rgb: Frames) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor] | None:
        """ArcFace, CurricularFace and Inception vectors of the largest face."""
        bgr = np.ascontiguousarray(rgb[..., ::-1])
        # The metric "max" keeps the largest face, so that the recogniser runs once.
        faces = self.analysis.get(bgr, max_num=self.most_faces, det_metric="max")
        if not faces:
            return None
        face = max(faces, key=lambda f: (f.bbox[2] - f.bbox[0]) * (f.bbox[3] - f.bbox[1]))
        crop = np.ascontiguousarray(face_align.norm_crop(bgr, landmark=face.kps, image_size=224)[..., ::-1])
        small = torch.from_numpy(cv2.resize(crop, (112, 112))).permute(2, 0, 1)[None] / 127.5 - 1
        large = transforms.ToTensor()(transforms.Resize((299, 299))(Image.fromarray(crop)))[None]
        return torch.from_numpy(face.embedding), self.curricular(small)[0], self.inception(large)[0]

    def frame_fid(self, reference: torch.Tensor, frame: torch.Tensor) -> float:
        """Fréchet distance of two points, by way of their covariances."""
        one, other = reference.repeat(2, 1), frame.repeat(2, 1)
        covariance1, covariance2 = torch.cov(one.T), torch.cov(other.T)
        values, vectors = torch.linalg.eigh(covariance1 @ covariance2)
        root = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
        means = (one.mean(0) - other.mean(0)).square().sum()
        return float(means + torch.trace(covariance1 + covariance2 - 2 * root))

    def score(self, reference: Frames, frames: Frames) -> tuple[float, float, float]:
        """CurScore, ArcScore and the distance published as FID."""
        wanted = self.encode(reference)
        assert wanted is not None
        rows = []
        for frame in frames:
            found = self.encode(frame)
            if found is None:
                continue
            arc, cur = (
                max(0.0, float(torch.nn.functional.cosine_similarity(wanted[k], found[k], dim=0)))
                for k in (0, 1)
            )
            rows.append((cur, arc, self.frame_fid(wanted[2], found[2])))
        cur, arc, fid = np.mean(rows, axis=0)
        return float(cur), float(arc), float(fid)


def make_videos(count: int, frame_count: int) -> list[Frames]:
    """Pans over a photograph, (frame_count, 480, 832, 3) each."""
    photograph = cv2.resize(skimage.data.astronaut(), (1024, 1024))
    videos = []
    for number in range(count):
        starts = np.linspace(0, 1024 - WIDTH, frame_count).astype(int)
        top = 60 * number
        videos.append(np.stack([photograph[top : top + HEIGHT, x : x + WIDTH] for x in starts]))
    return videos


class Stopwatch:
    """Seconds spent in the calls that pass through it."""

    def __init__(self, clock: str) -> None:
        self.seconds = 0.0
        self.clock = clock

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """The same call, timed."""

        def timed(*arguments: Any) -> Any:
            begin = CLOCKS[self.clock]()
            try:
                return call(*arguments)
            finally:
                self.seconds += CLOCKS[self.clock]() - begin

        return timed


Scores = list[tuple[float, ...]]


def run_ours(videos: list[Frames], reference: Path, *, clock: str) -> tuple[Scores, float, float]:
    """Scores of every video, seconds in all, and the share of them outside networks and their loading."""
    begin = CLOCKS[clock]()
    options = FaceSimilarityOptions(frames=len(videos[0]), corpus_fid=False)
    faces = FaceSimilarity(options, Runtime(weights=RandomWeights()))
    loaded = CLOCKS[clock]()
    watch = Stopwatch(clock)
    session = faces._detector._network.session
    session.run = watch.around(session.run)
    faces._encoders.update({name: watch.around(encode) for name, encode in faces._encoders.items()})
    for batches in faces._batches.values():
        batches._encode = watch.around(batches._encode)
    target = Target(sample_id="benchmark", references=(Reference(path=reference),), prompt="")
    scores = []
    for frames in videos:
        count = len(frames)
        clip = ClipInfo(
            frame_count=count, width=WIDTH, height=HEIGHT, fps=16.0, duration=count / 16, times=(0.0,) * count
        )
        run = faces.start(target, clip)
        run.add(faces.frames(clip), frames)
        found = {measurement.name: measurement.value for measurement in run.finish()}
        scores.append(tuple(found[name] for name in ("cur_score", "arc_score", "face_feature_distance")))
    end = CLOCKS[clock]()
    return scores, end - begin, 1 - watch.seconds / (end - loaded)


def run_published(
    videos: list[Frames], reference: Path, folder: Path, *, most_faces: int, clock: str
) -> tuple[Scores, float]:
    """Scores of every video and seconds in all."""
    begin = CLOCKS[clock]()
    picture = np.asarray(Image.open(reference))
    scores: Scores = [PublishedProcedure(folder, most_faces).score(picture, frames) for frames in videos]
    return scores, CLOCKS[clock]() - begin


def main() -> None:
    """Time both sides and print their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--videos", type=int, default=2)
    parser.add_argument("--frames", type=int, default=4)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="cpu: on a machine that is shared")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # insightface calls deprecated functions of skimage
    torch.set_num_threads(arguments.threads)
    videos = make_videos(arguments.videos, arguments.frames)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save_published_weights(folder)
        reference = folder / "reference.png"
        Image.fromarray(skimage.data.astronaut()).save(reference)
        ours, seconds, overhead = run_ours(videos, reference, clock=arguments.clock)
        published, every_face = run_published(videos, reference, folder, most_faces=0, clock=arguments.clock)
        _, one_face = run_published(videos, reference, folder, most_faces=1, clock=arguments.clock)
    print(f"{len(videos)} videos of {arguments.frames} frames, {HEIGHT}x{WIDTH}")
    print(f"{arguments.threads} threads, {arguments.clock} clock")
    for label, total in (
        ("one face pass", seconds),
        ("published procedure", every_face),
        ("published procedure, one face a frame", one_face),
    ):
        print(f"{label:38}{total / len(videos):8.2f} s per video {total / seconds:6.2f} x")
    print(f"share of our time outside networks and loading {overhead:.1%}")
    print(f"largest relative difference of a score {difference(ours, published):.1e}")


def difference(ours: Scores, published: Scores) -> float:
    """Largest difference of two scores of one video, relative to the published one."""
    pairs = [pair for x, y in zip(ours, published, strict=True) for pair in zip(x, y, strict=True)]
    return max(abs(a - b) / max(1e-3, abs(b)) for a, b in pairs)


if __name__ == "__main__":
    main()
