"""Run folders with real pictures, and a browser to look at their pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest
import skimage.data
from PIL import Image

from ipvg_eval.core.limits import ProcessLimits
from ipvg_eval.core.row import MeasurementRow, SampleRow, Status, VideoFacts
from ipvg_eval.core.run import DeviceInfo, ProtocolInfo, Provenance, RunInfo, SubmissionInfo, TestSetInfo
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.findings import Finding, Severity
from ipvg_eval.results import Run, load_run
from ipvg_eval.results.aggregate import count
from ipvg_eval.results.folder import RunFolder

FPS = 16.0
FRAMES = tuple(range(0, 81, 5))
SPECS = (
    MetricSpec(
        name="face_coverage",
        version=1,
        higher_is_better=True,
        bounds=(0.0, 1.0),
        title="Face coverage",
        summary="Share of the looked-at frames in which a face was found.",
        source="MTCNN (facenet-pytorch)",
    ),
    MetricSpec(
        name="lite_identity",
        version=1,
        higher_is_better=True,
        bounds=(-1.0, 1.0),
        title="Identity similarity",
        summary="Cosine of HOG and uniform LBP descriptors of the aligned face with the reference's.",
        source="scikit-image hog, local_binary_pattern",
        proxy=True,
    ),
    MetricSpec(
        name="face_distance",
        version=2,
        higher_is_better=False,
        bounds=(0.0, None),
        title="Face-feature distance",
        summary="Mean squared distance of face features to the reference's.",
        source="ConsisID eval/get_facesim_fid.py @60429e4",
        weights=("inception_v3_google",),
        licence="Apache-2.0",
    ),
    MetricSpec(
        name="dynamic_degree_lite",
        version=1,
        higher_is_better=None,
        bounds=(0.0, None),
        title="Motion per frame",
        summary="Mean length of the strongest optical flow.",
        source="OpenCV DISOpticalFlow",
        unit="px",
        proxy=True,
    ),
)
NOTICE = "Training-free proxies. Not the published metrics; not for a leaderboard."


def measured(sample: int, quality: float) -> tuple[MeasurementRow, ...]:
    """Values of one scored sample; every fifth sample has frames without a face, sample 7 has none."""
    rng = np.random.default_rng(sample)
    wobble = 0.04 * np.cumsum(rng.normal(size=len(FRAMES))) / 2
    faces = [not (sample % 5 == 2 and 6 <= k <= 9) and sample != 7 for k in range(len(FRAMES))]
    identity = [float(q) if face else None for q, face in zip(quality + wobble, faces, strict=True)]
    known = [value for value in identity if value is not None]
    motion = [float(v) for v in 3.0 + rng.gamma(2.0, 1.0, size=len(FRAMES))]

    def row(
        name: str, value: float | None, frames: Sequence[float | None] = (), **more: str
    ) -> MeasurementRow:
        return MeasurementRow(
            name=name,
            value=value,
            reason=None if value is not None else "no frame has a face",
            frame_indices=FRAMES if frames else (),
            frame_values=tuple(frames),
            **more,
        )

    return (
        row("face_coverage", sum(faces) / len(faces), [float(face) for face in faces]),
        row("lite_identity", float(np.mean(known)) if known else None, identity),
        row(
            "face_distance",
            260.0 - 120.0 * quality if known else None,
            **({"note": "measured on four frames fewer"} if 0 < len(known) < len(faces) else {}),
        ),
        row("dynamic_degree_lite", float(np.mean(motion)), motion),
    )


def sample_rows(identities: int, prompts: int, names: Mapping[int, str]) -> list[SampleRow]:
    rows = []
    for number in range(identities * prompts):
        who, what = divmod(number, prompts)
        identity = f"id{who + 1:03d}"
        status = {3: Status.MISSING, 11: Status.UNDECODABLE, 16: Status.CRASHED}.get(number, Status.SCORED)
        reasons = {
            Status.MISSING: "the submission has no such file",
            Status.UNDECODABLE: "no frame decodes: moov atom not found",
            Status.CRASHED: "MemoryError while measuring lite_motion",
        }
        reason = reasons.get(status)
        values = (
            measured(number, 0.45 + 0.1 * (who % 4) - 0.03 * what)
            if reason is None
            else tuple(MeasurementRow(name=s.name, value=None, reason=reason) for s in SPECS)
        )
        rows.append(
            SampleRow(
                sample=names.get(number, f"{identity}/prompt{what + 1}"),
                identity=identity,
                video=f"{identity}/prompt{what + 1}.mp4",
                video_sha256=None if status is Status.MISSING else f"{number:064x}",
                status=status,
                reason=reason,
                damage="the last 12 frames do not decode" if number == 5 else None,
                facts=None
                if reason
                else VideoFacts(
                    frame_count=81, width=832, height=480, fps=FPS, duration=81 / FPS, codec="h264"
                ),
                measurements=values,
                frame_times={} if reason else {index: index / FPS for index in FRAMES},
                seconds=1.5,
            )
        )
    return rows


def run_info(team: str, rows: Sequence[SampleRow], *, identities: int, samples: int) -> RunInfo:
    return RunInfo(
        team=team,
        submission=SubmissionInfo(name="facial_results.zip", kind="zip"),
        protocol=ProtocolInfo(
            name="lite",
            version=1,
            sha256="5d" * 32,
            official=False,
            notice=NOTICE,
            text="name: lite\nversion: 1\nevaluators:\n  - kind: lite_faces\n",
        ),
        specs=SPECS,
        testset=TestSetInfo(
            name="testset",
            layout="folders",
            track="facial",
            samples=samples,
            identities=identities,
            fingerprint="ab" * 32,
        ),
        weights={"mtcnn": "c0" * 32},
        random_weights=None,
        decoder="PyAV 18.0.0, libavcodec 62.11.100",
        limits=ProcessLimits(),
        device=DeviceInfo(device="cpu", name="Example CPU", dtype="float32", threads=2),
        provenance=Provenance(
            version="0.1.0",
            commit="0123456789ab",
            packages={"av": "18.0.0", "torch": "2.15.0"},
            python="3.11.9",
            platform="Linux-x86_64",
        ),
        command=("ipvg-eval", "score", "facial_results.zip", "--protocol", "lite"),
        started="2026-05-04T09:30:00+00:00",
        finished=None if len(rows) < samples else "2026-05-04T09:42:10+00:00",
        seconds=sum(row.seconds for row in rows),
        counts=count(rows, samples=samples),
    )


FINDINGS = (
    Finding(
        code="video-missing",
        severity=Severity.ERROR,
        path="id001/prompt4.mp4",
        message="This video is missing.",
        action="Add it.",
        sample="id001/prompt4",
    ),
    Finding(
        code="junk-file",
        severity=Severity.WARNING,
        path="__MACOSX/._id001",
        message="This file is not part of a submission.",
        action="Remove it from the zip.",
    ),
)


def _pictures(identities: int) -> list[np.ndarray]:
    """Public pictures, one per identity."""
    sources = [
        skimage.data.astronaut()[:, 100:330],
        skimage.data.cat(),
        skimage.data.coffee(),
        skimage.data.rocket(),
    ]
    return [sources[k % len(sources)] for k in range(min(identities, len(sources)))]


def draw_pictures(folder: RunFolder, rows: Sequence[SampleRow]) -> None:
    sources = _pictures(4)
    encoded: dict[int, bytes] = {}
    for row in rows:
        who = int(row.identity.removeprefix("id")) % len(sources)
        reference, strip = folder.reference(row.identity), folder.thumbnail(row.sample)
        reference.parent.mkdir(parents=True, exist_ok=True)
        picture = Image.fromarray(sources[who])
        if not reference.exists():
            picture.resize((96, 96)).save(reference, quality=80)
        if row.status is Status.SCORED:
            if who not in encoded:
                sheet = Image.new("RGB", (5 * 160 + 4 * 2, 92), "black")
                for k in range(5):
                    left = picture.width * k // 12
                    frame = picture.crop((left, 0, left + picture.width * 2 // 3, picture.width * 2 // 5))
                    sheet.paste(frame.resize((160, 92)), (162 * k, 0))
                sheet.save(strip, quality=80)
                encoded[who] = strip.read_bytes()
            strip.write_bytes(encoded[who])


MakeRun = Callable[..., Run]


@pytest.fixture(scope="session")
def make_run(tmp_path_factory: pytest.TempPathFactory) -> MakeRun:
    """Write a run of `identities` x `prompts` samples with the real classes, and read it back."""

    def make(
        *,
        team: str = "Team Meridian",
        identities: int = 4,
        prompts: int = 5,
        pending: int = 0,
        names: Mapping[int, str] | None = None,
        findings: Sequence[Finding] = FINDINGS,
        info: Mapping[str, object] | None = None,
        pictures: bool = True,
    ) -> Run:
        folder = RunFolder(tmp_path_factory.mktemp("run"))
        samples = identities * prompts
        rows = sample_rows(identities, prompts, names or {})[: samples - pending]
        facts = run_info(team, rows, identities=identities, samples=samples).model_copy(update=info or {})
        with folder.writing(facts):
            folder.write_findings(findings)
            with folder.journal.appending() as journal:
                for row in rows[:3]:
                    journal.append(row)
            folder.write_results(facts, rows)
        if pictures:
            draw_pictures(folder, rows)
        return load_run(folder.path)

    return make
