"""What the viewer costs: first view, bytes, scrolling and memory.

    python benchmarks/viewer.py [--runs 6] [--samples 1000] [--metrics 15] [--chromium /usr/bin/chromium]

Run folders with made-up values, real WebP strips of noise (hard to compress) and prompts of 90 words are
written first, and one small video a sample; that does not count. The pages are then served by
`ipvg-eval view` and opened in a headless Chromium.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pandas as pd
from PIL import Image
from playwright.sync_api import CDPSession, Page, sync_playwright

from ipvg_eval.core.limits import ProcessLimits
from ipvg_eval.core.run import DeviceInfo, ProtocolInfo, Provenance, RunInfo, SubmissionInfo, TestSetInfo
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.core.summary import Counts, Summary
from ipvg_eval.results.folder import RunFolder
from ipvg_eval.testset import TestSet, load_testset

PROMPTS, WORDS, MEASURED, FRAMES, FPS = 5, 90, 16, 81, 16


def write_testset(root: Path, samples: int) -> TestSet:
    """Identities with five prompts each."""
    rng = np.random.default_rng(0)
    picture = Image.fromarray(rng.integers(0, 255, (64, 64, 3), dtype=np.uint8))
    for number in range(samples):
        folder = root / f"id{number // PROMPTS + 1:04d}"
        folder.mkdir(parents=True, exist_ok=True)
        if number % PROMPTS == 0:
            picture.save(folder / "image.webp")
        words = " ".join(f"w{word}" for word in rng.integers(10_000, 99_999, WORDS))
        (folder / f"prompt{number % PROMPTS + 1}.txt").write_text(words, "utf-8")
    return load_testset(root)


def write_video(path: Path) -> None:
    """A small H.264 clip."""
    with av.open(str(path), "w", format="mp4") as file:
        stream = file.add_stream("libx264", rate=FPS, options={"crf": "30"})
        stream.width, stream.height, stream.pix_fmt = 480, 288, "yuv420p"
        for number in range(FRAMES):
            pixels = np.full((288, 480, 3), 2 * number, dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())


def write_run(folder: RunFolder, team: str, testset: TestSet, metrics: int, video: Path, out: Path) -> None:
    """A run as scoring writes it, with a strip a sample, and its submission."""
    rng = np.random.default_rng(len(team))
    specs = tuple(
        MetricSpec(
            name=f"metric_{k}",
            version=1,
            higher_is_better=k % 3 != 2,
            bounds=(None, None),
            title=f"Metric number {k}",
            summary="",
            source="",
        )
        for k in range(metrics)
    )
    names = [sample.id for sample in testset.samples]
    count = len(names)
    samples = pd.DataFrame(
        {
            "sample": names,
            "identity": [sample.identity for sample in testset.samples],
            "video": [sample.video for sample in testset.samples],
            "status": "scored",
            **dict.fromkeys(("reason", "damage", "note")),
            "video_sha256": "0" * 64,
            "frame_count": FRAMES,
            "width": 480,
            "height": 288,
            "fps": float(FPS),
            "duration": FRAMES / FPS,
            "codec": "h264",
            **{spec.name: rng.normal(size=count) for spec in specs},
            "missing": None,
            "notes": None,
        }
    )
    index = np.linspace(0, FRAMES - 1, MEASURED).astype(int)
    frames = pd.DataFrame(
        {
            "sample": np.repeat(names, metrics * MEASURED),
            "metric": np.tile(np.repeat([spec.name for spec in specs], MEASURED), count),
            "frame": np.tile(index, count * metrics),
            "time": np.tile(index / FPS, count * metrics),
            "value": rng.normal(size=count * metrics * MEASURED),
        }
    )
    counts = Counts(samples=count, scored=count, missing=0, undecodable=0, crashed=0, damaged=0, pending=0)
    info = RunInfo(
        team=team,
        submission=SubmissionInfo(name=team, kind="folder"),
        protocol=ProtocolInfo(name="bench", version=1, sha256="0", official=False, notice="", text=""),
        specs=specs,
        testset=TestSetInfo(
            name="bench",
            layout=testset.layout,
            track=testset.track,
            samples=count,
            identities=len(testset.identities),
            fingerprint=testset.fingerprint,
        ),
        weights={},
        random_weights=None,
        decoder="none",
        limits=ProcessLimits(),
        device=DeviceInfo(device="cpu", name="", dtype="float32", threads=1),
        provenance=Provenance(version="", commit=None, packages={}, python="", platform=""),
        command=None,
        started="2026-01-01T00:00:00+00:00",
        finished="2026-01-01T01:00:00+00:00",
        seconds=0.0,
        counts=counts,
    )
    (folder.path / "thumbnails").mkdir(parents=True)
    folder.write_info(info)
    folder.write_findings([])
    summary = Summary(
        team=team, protocol="bench 1", testset=testset.fingerprint, notice="", counts=counts, metrics=()
    )
    (folder.path / "summary.json").write_text(json.dumps(summary.model_dump()), "utf-8")
    samples.to_parquet(folder.path / "samples.parquet", index=False)
    frames.to_parquet(folder.path / "frames.parquet", index=False)
    for name in names:
        coarse = rng.integers(0, 255, (24, 206, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((808, 96), Image.Resampling.BICUBIC).save(
            folder.thumbnail(name), quality=72
        )
    for sample in testset.samples:
        path = out / team / sample.video
        path.parent.mkdir(parents=True, exist_ok=True)
        os.link(video, path)


class Transfers:
    """Bytes that came over the wire."""

    def __init__(self, session: CDPSession) -> None:
        self.bytes = 0
        session.send("Network.enable")
        session.on("Network.loadingFinished", self._add)

    def _add(self, event: Any) -> None:
        self.bytes += event["encodedDataLength"]


SCROLL = """async (steps) => {
  const gaps = [];
  let before = performance.now();
  const far = document.body.scrollHeight - innerHeight;
  for (let k = 0; k <= steps; k += 1) {
    scrollTo(0, (far * k) / steps);
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    gaps.push(now - before);
    before = now;
  }
  return gaps;
}"""


def heap(session: CDPSession) -> float:
    """Megabytes that scripts and the document hold once what is not needed is gone."""
    session.send("HeapProfiler.collectGarbage")
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(one["value"] for one in metrics if one["name"] == "JSHeapUsedSize") / 1e6


def measure(tab: Page, address: str, samples: int) -> dict[str, float]:
    """Open, scroll from end to end and back, filter, sort, open samples one after the other."""
    session = tab.context.new_cdp_session(tab)
    session.send("Performance.enable")
    transfers = Transfers(session)
    tab.goto(address)
    tab.wait_for_selector(".sample")
    first = tab.evaluate(
        "() => new Promise(requestAnimationFrame)"
        ".then(() => performance.getEntriesByName('first-view')[0].startTime)"
    )
    tab.wait_for_load_state("networkidle")
    tab.wait_for_selector(".prompt")
    found: dict[str, float] = {"first view, ms": first, "before a video, kB": transfers.bytes / 1000}
    before = heap(session)
    gaps = tab.evaluate(SCROLL, 600)
    found["scrolling, median ms a frame"] = float(np.median(gaps))
    found["scrolling, 99th percentile"] = sorted(gaps)[int(0.99 * len(gaps))]
    found["scrolling, longest"] = max(gaps)
    found["cards in the document"] = tab.locator(".sample").count()
    tab.evaluate(SCROLL, 600)
    for action in ("Address.state.sort = 'metric_3'; Address.state.by = '0-1'", "Address.state.q = 'w1'"):
        took = tab.evaluate(
            f"() => {{ const begun = performance.now(); {action}; Grid.refresh();"
            " return performance.now() - begun; }"
        )
        found["sort by a difference, ms" if "sort" in action else "search, ms"] = took
    tab.evaluate("Address.state.q = ''; Address.state.sort = ''; Grid.refresh()")
    for number in range(0, samples, max(1, samples // 20)):
        tab.evaluate(
            "number => { Address.go({view: 'sample', sample: Data.index.samples[number]}); render(); }",
            number,
        )
        tab.wait_for_selector(".player video")
    tab.evaluate("Address.go({view: 'grid', sample: ''}); render()")
    found["memory growth, MB"] = heap(session) - before
    return found


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=6)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--metrics", type=int, default=15)
    parser.add_argument("--chromium", default=shutil.which("chromium"))
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        testset = write_testset(root / "testset", chosen.samples)
        write_video(root / "video.mp4")
        runs = [root / "runs" / f"team {number + 1}" for number in range(chosen.runs)]
        for path in runs:
            write_run(
                RunFolder(path), path.name, testset, chosen.metrics, root / "video.mp4", root / "videos"
            )
        words = [sys.executable, "-m", "ipvg_eval", "view", *map(str, runs)]
        words += ["--submission", str(root / "videos"), "--testset", str(root / "testset")]
        begun = time.perf_counter()
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
            try:
                assert server.stdout is not None
                address = server.stdout.readline().strip()
                started = time.perf_counter() - begun
                with sync_playwright() as playwright:
                    browser = playwright.chromium.launch(
                        executable_path=chosen.chromium, args=["--no-sandbox"]
                    )
                    tab = browser.new_page(viewport={"width": 1440, "height": 900})
                    found = {"server ready, ms": 1000 * started, **measure(tab, address, chosen.samples)}
                    browser.close()
            finally:
                server.terminate()
    print(f"{chosen.runs} runs x {chosen.samples} samples x {chosen.metrics} metrics")
    for name, value in found.items():
        print(f"{name:32} {value:10.1f}")


if __name__ == "__main__":
    main()
