"""Whole audits of submissions and runs: what is gamed is found, what is honest is left alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import pytest
import video_files

from ipvg_eval import Recipe, score
from ipvg_eval.audit import Thresholds, audit, load_thresholds
from ipvg_eval.audit.records import write_audit
from ipvg_eval.core.errors import UsageError
from ipvg_eval.core.pictures import read_rgb
from ipvg_eval.metadata import MetadataProcess
from ipvg_eval.metrics.errors import ProtocolError
from ipvg_eval.report import write_report
from ipvg_eval.results import load_run
from ipvg_eval.submission import load_submission
from ipvg_eval.video import decode, index_frames

FRAMES = 33
PROMPTS = ("id001/prompt1", "id002/prompt1")
METRICS = ("lite_identity", "lite_motion", "face_coverage", "dynamic_degree_lite")


@pytest.fixture(scope="session")
def owed(fixtures, tmp_path_factory):
    """One prompt of each identity of the shipped test set."""
    root = tmp_path_factory.mktemp("owed") / "testset"
    for identity in ("id001", "id002"):
        shutil.copytree(fixtures / "testset" / identity, root / identity)
        for k in range(2, 6):
            (root / identity / f"prompt{k}.txt").unlink()
    return root


@pytest.fixture(scope="session")
def still(owed, frames_file, tmp_path_factory):
    """Each reference picture, over and over."""
    root = tmp_path_factory.mktemp("still") / "still"
    for prompt in PROMPTS:
        (reference,) = (owed / prompt).parent.glob("image.*")
        picture = cv2.resize(read_rgb(reference), (320, 320), interpolation=cv2.INTER_AREA)
        frames_file(root / f"{prompt}.mp4", [picture] * FRAMES)
    return root


@pytest.fixture(scope="session")
def honest(fixtures, tmp_path_factory):
    root = tmp_path_factory.mktemp("honest") / "honest"
    for prompt in PROMPTS:
        (root / prompt).parent.mkdir(parents=True)
        shutil.copy(fixtures / "submissions" / "careful" / f"{prompt}.mp4", root / f"{prompt}.mp4")
    return root


@pytest.fixture(scope="session")
def runs(owed, still, honest, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs")
    return {
        path.name: score(
            path, testset=owed, recipe=Recipe(protocol="lite", metrics=METRICS, frames=6), out=out / path.name
        )
        for path in (still, honest)
    }


def kinds(report, team):
    return sorted((finding.kind, finding.videos) for finding in report.of_team(team))


def test_a_still_submission_that_tops_the_numbers_is_flagged(runs, still, honest, owed):
    """Smooth, sharp, always with a face and just like the reference: only the audit tells it is a picture."""
    for name in METRICS[:3]:
        best = runs["still"].summary.metric(name).mean
        assert best is not None
        assert best >= runs["honest"].summary.metric(name).mean
    report = audit([still, honest], testset=owed)
    videos = [(f"{prompt}.mp4",) for prompt in PROMPTS]
    assert [f.videos for f in report.of_kind("still-video")] == videos
    assert [f.videos for f in report.of_kind("pasted-reference") if f.team == "still"] == videos
    # The honest clips move over the very pictures that the references were cut from, and that shows.
    assert kinds(report, "honest") == [("pasted-reference", video) for video in videos]
    assert report.unchecked == ()
    for finding in report.findings:
        assert finding.numbers
        assert finding.thresholds


def test_rows_and_thumbnails_alone_already_tell(runs):
    report = audit([runs["still"], runs["honest"]])
    assert {f.videos for f in report.of_kind("still-video") + report.of_kind("nearly-still-video")} == {
        (f"{prompt}.mp4",) for prompt in PROMPTS
    }
    assert kinds(report, "honest") == []
    assert "honest" in report.unchecked[0]


def frames_of(path):
    index = index_frames(path)
    with decode(path, range(index.clip.frame_count), index=index) as decoding:
        return [frame for batch in decoding for frame in batch.frames]


def test_a_face_only_in_the_sampled_frames_is_flagged(fixtures, owed, frames_file, tmp_path):
    """The published rule samples every second of 31 frames: these show the person, the others a cup."""
    careful = fixtures / "submissions" / "careful" / "id002" / "prompt5.mp4"
    cup = fixtures / "submissions" / "careless" / "id001" / "prompt4.mp4"
    person, other = frames_of(careful)[:31], frames_of(cup)[:31]
    mixed = [person[k] if k % 2 == 0 else other[k] for k in range(31)]
    frames_file(tmp_path / "team" / "id002" / "prompt1.mp4", mixed)
    frames_file(tmp_path / "team" / "id001" / "prompt1.mp4", other)
    report = audit([tmp_path / "team"], testset=owed)
    (between,) = report.of_kind("face-only-where-sampled")
    assert between.videos == ("id002/prompt1.mp4",)
    assert between.numbers == {"share in sampled frames": 1.0, "share between them": 0.0}
    (hidden,) = report.of_kind("face-hidden")
    assert hidden.videos == ("id001/prompt1.mp4",)


def test_another_persons_face_is_not_called_pasted(fixtures, owed, tmp_path):
    """The careless submission's second prompt shows the other identity."""
    (tmp_path / "team" / "id001").mkdir(parents=True)
    swapped = fixtures / "submissions" / "careless" / "id001" / "prompt2.mp4"
    shutil.copy(swapped, tmp_path / "team" / "id001" / "prompt1.mp4")
    assert audit([tmp_path / "team"], testset=owed).findings == ()


@pytest.fixture
def noise(tmp_path):
    """Videos of moving noise without faces: 1 and 3 the same picture, 2 another; 4 no video."""
    folder = tmp_path / "noise"
    folder.mkdir()
    for number, seed in ((1, 0), (2, 5), (3, 0)):
        title = (("title", "Made with Runway"),) if number == 2 else ()
        data = video_files.encode(seed=seed, frames=16, metadata=title)
        (folder / f"{number}.mp4").write_bytes(data)
    (folder / "4.mp4").write_bytes(b"no video")
    return folder


def test_without_a_test_set_everything_but_references_is_checked(noise):
    seen = []
    report = audit([noise], on_video=lambda done, total: seen.append((done, total)))
    assert [(f.kind, f.videos) for f in report.findings] == [
        ("repeated-video", ("1.mp4", "3.mp4")),
        ("names-a-tool", ("2.mp4",)),
        ("not-looked-at", ("4.mp4",)),
    ]
    assert report.teams == {"noise": 4}
    assert seen == [(k, 4) for k in (1, 2, 3, 4)]
    assert "no test set" in report.unchecked[0]


def test_thresholds_are_recorded_and_decide(noise):
    report = audit([noise], thresholds=Thresholds(same_distance=0.0, nearly_still_difference=255))
    assert {f.kind for f in report.findings} >= {"nearly-still-video", "repeated-video"}
    assert report.to_dict()["thresholds"]["nearly_still_difference"] == 255


def test_the_command_prints_and_disqualifies_nobody(noise, command):
    done = command("audit", noise, "--json")
    assert done.returncode == 0
    told = json.loads(done.stdout)
    assert told["counts"] == {"repeated-video": 1, "names-a-tool": 1, "not-looked-at": 1}
    assert told["thresholds"]["same_distance"] == 2.0
    shown = command("audit", noise, load_submission(noise).path.parent / "nowhere")
    assert shown.returncode == 2
    shown = command("audit", noise)
    assert shown.returncode == 0
    assert "nobody is disqualified" in " ".join(shown.stdout.split())


def test_an_audited_run_shows_it_in_its_report(runs, tmp_path):
    shutil.copytree(runs["still"].folder.path, tmp_path / "run")
    run = load_run(tmp_path / "run")
    assert 'id="audit"' not in write_report(run).read_text("utf-8")
    path = write_audit(audit([run]), run)
    assert path.name == "audit.json"
    page = write_report(run).read_text("utf-8")
    assert 'id="audit"' in page
    section = page[page.index('id="audit"') :]
    section = section[: section.index("</section>")]
    assert "Hardly anything moves" in section or "One picture, over and over" in section
    assert section.count("<img") >= 2
    assert "disqualified" in section


def test_thresholds_come_from_a_protocol_or_a_file(tmp_path):
    assert load_thresholds(None) == load_thresholds("lite") == Thresholds()
    alone = tmp_path / "strict.yaml"
    alone.write_text("still_difference: 1.5\n")
    assert load_thresholds(str(alone)).still_difference == 1.5
    protocol = tmp_path / "mine.yaml"
    lite = (Path(__file__).parents[3] / "metrics" / "protocols" / "lite.yaml").read_text()
    protocol.write_text(lite + "audit:\n  same_distance: 4\n")
    assert load_thresholds(str(protocol)).same_distance == 4


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("still_diference: 1\n", UsageError, "no such threshold"),
        ("text_share: 7\n", UsageError, "text_share"),
        ("evaluators: 3\n", ProtocolError, "Field required"),
        ("[1, 2\n", ProtocolError, "cannot be read"),
    ],
)
def test_wrong_thresholds_are_named(tmp_path, text, error, words):
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    with pytest.raises(error, match=words) as caught:
        load_thresholds(str(path))
    assert caught.value.hint


def test_two_submissions_of_one_name_are_called_after_their_folders(noise, tmp_path):
    """Challenges give the file a name that is everybody's: uploads/TEAM/facial_results.zip."""
    for team in ("alpha", "beta"):
        shutil.copytree(noise, tmp_path / team / "noise")
    report = audit([tmp_path / "alpha" / "noise", tmp_path / "beta" / "noise"], faces=False)
    assert set(report.teams) == {"alpha", "beta"}
    shutil.copytree(noise, tmp_path / "other" / "alpha" / "noise")
    with pytest.raises(UsageError, match="same team name 'alpha'") as caught:
        audit([tmp_path / "alpha" / "noise", tmp_path / "other" / "alpha" / "noise"])
    assert str(tmp_path / "other") in str(caught.value)


def test_metadata_that_is_no_utf8_is_read_all_the_same(tmp_path):
    data = video_files.encode(seed=0, metadata=(("title", "TITLE_XX"),))
    assert data.count(b"TITLE_XX") == 1
    path = tmp_path / "a.mp4"
    path.write_bytes(data.replace(b"TITLE_XX", b"T\xff\xfeE_\xe9X"))
    with MetadataProcess() as process:
        assert process.read(path)["title"] == "T\ufffd\ufffdE_\ufffdX"


def test_metadata_is_printable_and_short(tmp_path):
    path = tmp_path / "video.mp4"
    texts = (("title", "\x1b[2J wiped"), ("comment", "x" * 5000))
    path.write_bytes(video_files.encode(seed=0, metadata=texts))
    with MetadataProcess() as process:
        read = process.read(path)
    assert set(read) == {"title", "comment"}
    assert all(value.isprintable() and len(value) < 300 for value in read.values())
