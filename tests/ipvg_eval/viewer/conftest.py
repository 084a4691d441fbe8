"""Two small runs with real H.264 videos in which every picture says which frame it is."""

from __future__ import annotations

import hashlib
import math
import shutil
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import uvicorn
from PIL import Image

from ipvg_eval.core.limits import ProcessLimits
from ipvg_eval.core.row import MeasurementRow, SampleRow, Status, VideoFacts
from ipvg_eval.core.run import DeviceInfo, ProtocolInfo, Provenance, RunInfo, SubmissionInfo, TestSetInfo
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.findings import Finding, Severity
from ipvg_eval.leaderboard.study.serve import server_settings
from ipvg_eval.results.aggregate import count
from ipvg_eval.results.folder import RunFolder
from ipvg_eval.testset import TestSet, load_testset
from ipvg_eval.viewer import Material, gather
from ipvg_eval.viewer.serve import Current
from ipvg_eval.viewer.server import application

HOSTILE = '<img src=x onerror="window.hacked=1">\u202e'
SPECS = tuple(
    MetricSpec(
        name=name,
        version=1,
        higher_is_better=higher,
        bounds=(0.0, 1.0),
        title=title,
        summary=f"{title} of a test.",
        source="own",
    )
    for name, title, higher in (
        ("face_coverage", "Coverage", True),
        ("lite_identity", "Face", True),
        ("noise", "Noise", False),
    )
)
BITS, BAR, HEIGHT = 8, 16, 96
SECONDS = 3


def coded_video(path: Path, fps: int) -> None:
    """H.264 with B-frames: eight bars, white where the frame's number has a bit, the highest left."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format="mp4") as file:
        stream = file.add_stream("libx264", rate=fps, options={"crf": "18", "g": "12", "bf": "2"})
        stream.width, stream.height, stream.pix_fmt = BITS * BAR, HEIGHT, "yuv420p"
        for number in range(SECONDS * fps):
            bits = [255 * (number >> (BITS - 1 - k) & 1) for k in range(BITS)]
            pixels = np.tile(np.repeat(bits, BAR).astype(np.uint8)[None, :, None], (HEIGHT, 1, 3))
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())


def row_of(testset: TestSet, number: int, submission: Path, fps: int, quality: float) -> SampleRow:
    """The row of a sample as scoring writes it; the quality sets its values."""
    sample = testset.samples[number]
    video = submission / sample.video
    facts: dict[str, Any] = {
        "sample": sample.id,
        "identity": sample.identity,
        "video": sample.video,
        "seconds": 1.0,
    }
    if not video.exists():
        reason = f"there is no {sample.video}"
        none = tuple(MeasurementRow(name=spec.name, value=None, reason=reason) for spec in SPECS)
        return SampleRow(**facts, video_sha256=None, status=Status.MISSING, reason=reason, measurements=none)
    frames = tuple(range(0, SECONDS * fps, fps // 4))
    curve = [quality + 0.1 * math.sin(index) for index in frames]
    values = tuple(None if k == 2 else value for k, value in enumerate(curve))
    return SampleRow(
        **facts,
        video_sha256=hashlib.sha256(video.read_bytes()).hexdigest(),
        status=Status.SCORED,
        facts=VideoFacts(
            frame_count=SECONDS * fps,
            width=BITS * BAR,
            height=HEIGHT,
            fps=float(fps),
            duration=float(SECONDS),
            codec="h264",
        ),
        measurements=(
            MeasurementRow(
                name="face_coverage",
                value=(len(frames) - 1) / len(frames),
                frame_indices=frames,
                frame_values=tuple(float(k != 2) for k in range(len(frames))),
                frame_boxes=tuple(None if k == 2 else (0.0, 0.25, 1.0, 0.75) for k in range(len(frames))),
            ),
            MeasurementRow(name="lite_identity", value=quality, frame_indices=frames, frame_values=values),
            MeasurementRow(name="noise", value=1 - quality),
        ),
        frame_times={index: index / fps for index in frames},
    )


def run_info(team: str, testset: TestSet, rows: Sequence[SampleRow], *, protocol: str = "lite") -> RunInfo:
    counts = count(rows, samples=len(testset.samples))
    return RunInfo(
        team=team,
        submission=SubmissionInfo(name=team, kind="folder"),
        protocol=ProtocolInfo(
            name=protocol,
            version=1,
            sha256=hashlib.sha256(protocol.encode()).hexdigest(),
            official=False,
            notice="",
            text="name: lite\n",
        ),
        specs=SPECS,
        testset=TestSetInfo(
            name="testset",
            layout=testset.layout,
            track=testset.track,
            samples=len(testset.samples),
            identities=len(testset.identities),
            fingerprint=testset.fingerprint,
        ),
        weights={},
        random_weights=None,
        decoder="PyAV",
        limits=ProcessLimits(),
        device=DeviceInfo(device="cpu", name="CPU", dtype="float32", threads=1),
        provenance=Provenance(version="0.1.0", commit=None, packages={}, python="3.11", platform="Linux"),
        command=None,
        started="2026-05-04T09:30:00+00:00",
        finished=None if counts.pending else "2026-05-04T09:42:10+00:00",
        seconds=1.0,
        counts=counts,
    )


def write_run(
    folder: RunFolder,
    team: str,
    testset: TestSet,
    rows: Sequence[SampleRow],
    *,
    protocol: str = "lite",
    findings: Sequence[Finding] = (),
) -> None:
    info = run_info(team, testset, rows, protocol=protocol)
    with folder.writing(info):
        folder.write_findings(findings)
        with folder.journal.appending() as journal:
            for row in rows:
                journal.append(row)
        folder.write_results(info, rows)
    strip = Image.new("RGB", (5 * 160 + 8, 120), "teal")
    for row in rows:
        if row.status is Status.SCORED:
            path = folder.thumbnail(row.sample)
            path.parent.mkdir(parents=True, exist_ok=True)
            strip.save(path)


class Scene:
    """A test set of 3 identities with 2 prompts each, and teams' submissions and runs."""

    RATES: Mapping[str, int] = {"north": 16, "süd 南": 24}

    def __init__(self, root: Path, fixtures: Path) -> None:
        self.root = root
        for identity in ("id001", "id002", "id003"):
            folder = root / "testset" / identity
            folder.mkdir(parents=True)
            shutil.copy(fixtures / "testset" / "id002" / "image.webp", folder)
            for number in (1, 2):
                text = f"a {'runner' if number == 1 else 'swimmer'} called {identity}"
                (folder / f"prompt{number}.txt").write_text(text, "utf-8")
        (root / "testset" / "id003" / "prompt1.txt").write_text(f"{HOSTILE} مرحبا بالعالم", "utf-8")
        self.testset = load_testset(root / "testset")
        self.rows: dict[str, list[SampleRow]] = {}
        for place, (team, fps) in enumerate(self.RATES.items()):
            submission = root / "submissions" / team
            coded_video(submission / "id001" / "prompt1.mp4", fps)
            for sample in self.testset.samples[1:]:
                if (place, sample.id) != (0, "id003/prompt2"):
                    (submission / sample.video).parent.mkdir(exist_ok=True)
                    shutil.copy(submission / "id001" / "prompt1.mp4", submission / sample.video)
            qualities = ((0.5, 0.4, 0.3, 0.2, 0.6, 0.7), (0.1, 0.3, 0.5, 0.7, 0.2, 0.4))[place]
            self.rows[team] = [
                row_of(self.testset, number, submission, fps, quality)
                for number, quality in enumerate(qualities)
            ]
            findings = (
                Finding(
                    code="frame-rate",
                    severity=Severity.WARNING,
                    path="id002/prompt1.mp4",
                    message=f"An odd rate {HOSTILE}.",
                    action="Mend it.",
                    sample="id002/prompt1",
                ),
                Finding(
                    code="duplicate",
                    severity=Severity.WARNING,
                    path="id001/prompt1.mp4",
                    message="It is the same as id002/prompt2.mp4.",
                    action="Make each video for its own prompt.",
                ),
            )
            write_run(RunFolder(root / "runs" / team), team, self.testset, self.rows[team], findings=findings)

    def runs(self, *teams: str) -> list[Path]:
        return [self.root / "runs" / team for team in teams or self.RATES]

    def material(self, *teams: str, **given: object) -> Material:
        videos = [str(self.root / "submissions")]
        return gather(self.runs(*teams), videos, self.root / "testset", **given)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, fixtures: Path) -> Scene:
    return Scene(tmp_path_factory.mktemp("scene"), fixtures)


Serve = Callable[[Callable[[], Material]], str]


@contextmanager
def served(read: Callable[[], Material]) -> Iterator[str]:
    """The address of pages that are served for a while."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        config = uvicorn.Config(application(Current(read), "token", port), **server_settings())
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{port}/token/"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def address(scene: Scene) -> Iterator[str]:
    """Where both runs are served."""
    with served(scene.material) as where:
        yield where
