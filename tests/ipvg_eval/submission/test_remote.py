"""Submissions behind URLs: a real S3 server (moto's) and a real web server, both on this machine."""

from __future__ import annotations

import functools
import http.server
import importlib
import json
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import s3_server
from s3_server import KEY, SECRET

from ipvg_eval import Recipe, score, validate
from ipvg_eval.core.errors import Unavailable, UsageError
from ipvg_eval.errors import SubmissionError
from ipvg_eval.submission import Kind, Limits, MemberError, load_submission
from ipvg_eval.submission.address import is_url, without_secrets

FAST = ["dynamic_degree_lite"]
EQUAL = ("samples.parquet", "samples.csv", "frames.parquet", "summary.json")


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    """A client of a running S3 server; the environment leads s3fs to it."""
    with s3_server.serving() as client:
        yield client


@pytest.fixture(scope="module")
def bucket(s3, fixtures):
    """A bucket with the careful submission under team/."""
    s3_server.upload(s3, fixtures / "submissions/careful", "uploads", "team/")
    return "uploads"


def _pack(folder, target):
    with zipfile.ZipFile(target, "w") as archive:
        for video in sorted(folder.rglob("*.mp4")):
            archive.write(video, video.relative_to(folder).as_posix())
    return target


@pytest.fixture
def web(tmp_path):
    """A web server that shows a folder; its URL and the folder. It keeps what it was asked."""
    folder = tmp_path / "web"
    folder.mkdir()
    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            asked.append(self.path)

        def do_GET(self):
            if "/secret/" in self.path:
                self.send_error(403)
            else:
                super().do_GET()

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Handler, directory=str(folder))
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", folder
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_folder_in_a_bucket_is_read_like_a_local_one(bucket, fixtures):
    there = load_submission(f"s3://{bucket}/team/")
    here = load_submission(fixtures / "submissions/careful")
    assert there.files == here.files
    assert list(there.files) == list(here.files)
    assert (there.name, there.kind, there.location) == ("team", Kind.FOLDER, "s3://uploads/team/")
    for name in here.files:
        assert there.sha256(name) == here.sha256(name)
        with there.open_video(name) as copy, there.open_stream(name) as stream:
            whole = (fixtures / "submissions/careful" / name).read_bytes()
            assert copy.read_bytes() == stream.read() == whole
    assert list(there.path.iterdir()) == [], "no copy is left"


def test_copies_go_with_the_submission(bucket):
    submission = load_submission(f"s3://{bucket}/team")
    for name in submission.files:
        submission.sha256(name)
    private = submission.path
    assert 0 < len(list(private.iterdir())) < len(submission.files)
    assert private.stat().st_mode & 0o077 == 0
    del submission
    assert not private.exists()


def test_scoring_from_a_bucket_equals_scoring_from_disk(bucket, fixtures, tmp_path):
    options = {"testset": fixtures / "testset", "recipe": Recipe(protocol="lite", metrics=FAST), "limit": 4}
    score(fixtures / "submissions/careful", out=tmp_path / "local", **options)
    run = score(f"s3://{bucket}/team", out=tmp_path / "remote", **options)
    assert run.info.team == "team"
    for name in EQUAL:
        if name == "summary.json":
            one, other = (json.loads((tmp_path / side / name).read_text()) for side in ("local", "remote"))
            assert one | {"team": "team"} == other
        else:
            assert (tmp_path / "local" / name).read_bytes() == (tmp_path / "remote" / name).read_bytes()
    measured = []
    score(
        f"s3://{bucket}/team",
        out=tmp_path / "remote",
        on_sample=lambda done: measured.append(done.measured),
        **options,
    )
    assert measured == [False] * 4


def test_validation_of_a_bucket_finds_what_it_finds_on_disk(s3, careful, fixtures):
    (careful / "id001/prompt1.mp4").write_bytes(b"")
    (careful / "id001/prompt2.mp4").write_bytes(b"not a video")
    (careful / "id002/prompt3.mp4").unlink()
    (careful / "id002/prompt4.mp4").write_bytes((careful / "id002/prompt5.mp4").read_bytes())
    (careful / "Thumbs.db").write_bytes(b"junk")
    (careful / "more.zip").write_bytes(b"PK")
    s3_server.upload(s3, careful, "faulty")
    here = validate(careful, fixtures / "testset", deep=True)
    there = validate("s3://faulty", fixtures / "testset", deep=True)
    codes = {finding.code for finding in there.findings}
    assert {"video-empty", "video-missing", "video-identical", "junk-file", "nested-archive"} <= codes
    moved = [finding for finding in there.findings if finding.path != there.submission]
    assert moved == [finding for finding in here.findings if finding.path != here.submission]
    assert there.submission == "s3://faulty"


def test_names_in_a_bucket_obey_the_same_rules(s3):
    s3.create_bucket(Bucket="hostile")
    for key in (
        "team/../up.mp4",
        "team/a\\b.mp4",
        "team/con\ttrol.mp4",
        "team/ID001/1.mp4",
        "team/id001/1.mp4",
    ):
        s3.put_object(Bucket="hostile", Key=key, Body=b"x")
    s3.put_object(Bucket="hostile", Key="team/id002/", Body=b"")
    submission = load_submission("s3://hostile/team")
    assert submission.files == {}
    codes = {finding.code for finding in submission.findings}
    assert codes == {"path-traversal", "backslash-path", "unsafe-name", "duplicate-name"}


def test_limits_hold_for_a_bucket(bucket, s3):
    few = load_submission(f"s3://{bucket}/team", limits=Limits(max_members=3))
    assert few.findings[0].code == "too-many-files"
    limits = Limits(max_file_bytes=100)
    small = load_submission(f"s3://{bucket}/team", limits=limits)
    assert small.files == {}
    assert {finding.code for finding in small.findings} == {"file-too-large"}
    s3.create_bucket(Bucket="growing")
    s3.put_object(Bucket="growing", Key="team/1.mp4", Body=b"x" * 50)
    listed = load_submission("s3://growing/team", limits=limits)
    s3.put_object(Bucket="growing", Key="team/1.mp4", Body=b"x" * 500)
    with pytest.raises(MemberError, match="cannot be fetched"):
        listed.sha256("1.mp4")
    s3.delete_object(Bucket="growing", Key="team/1.mp4")
    with pytest.raises(MemberError, match="does not exist"):
        listed.sha256("1.mp4")
    with pytest.raises(MemberError, match="is not in the submission"):
        listed.sha256("2.mp4")
    assert list(listed.path.iterdir()) == []


def test_a_zip_in_a_bucket_is_fetched_once_and_read_like_a_local_one(s3, bucket, fixtures, tmp_path):
    archive = _pack(fixtures / "submissions/careful", tmp_path / "facial_results.zip")
    s3.upload_file(str(archive), bucket, "packed/facial_results.zip")
    there = load_submission(f"s3://{bucket}/packed/facial_results.zip")
    here = load_submission(archive)
    assert (there.kind, there.name, there.files) == (Kind.ZIP, "facial_results", here.files)
    assert there.sha256("id001/prompt1.mp4") == here.sha256("id001/prompt1.mp4")
    report = validate(f"s3://{bucket}/packed/facial_results.zip", fixtures / "testset")
    assert report.ok, report.findings
    assert report.submission == f"s3://{bucket}/packed/facial_results.zip"
    private = there.path.parent
    del there
    assert not private.exists()
    with pytest.raises(SubmissionError, match="larger than the 1,000 bytes") as caught:
        load_submission(f"s3://{bucket}/packed/facial_results.zip", limits=Limits(max_total_bytes=1000))
    assert "s3://" in str(caught.value)


def test_a_damaged_zip_in_a_bucket_is_a_finding(s3, bucket, fixtures):
    s3.put_object(Bucket=bucket, Key="packed/facial_results.zip", Body=b"PK no zip")
    report = validate(f"s3://{bucket}/packed/facial_results.zip", fixtures / "testset")
    assert [finding.code for finding in report.findings] == ["submission-unreadable"]
    assert report.findings[0].path == f"s3://{bucket}/packed/facial_results.zip"


@pytest.mark.parametrize(
    ("url", "error", "message"),
    [
        ("s3://uploads/nobody", UsageError, "does not exist"),
        ("s3://no-such-bucket/team", UsageError, "does not exist"),
        ("s3://uploads/team/id001/prompt1.mp4", SubmissionError, "neither a folder nor a zip"),
        ("s4://uploads/team", UsageError, "nothing is known about s4://"),
    ],
)
@pytest.mark.usefixtures("bucket")
def test_what_is_not_there_is_said_in_one_message(url, error, message):
    with pytest.raises(error, match=message) as caught:
        load_submission(url)
    assert str(caught.value).startswith(url)
    assert caught.value.hint


def test_a_refused_bucket_names_the_credentials_that_are_looked_for(s3, bucket):
    s3.put_bucket_policy(
        Bucket=bucket,
        Policy=json.dumps(
            {"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}]}
        ),
    )
    try:
        with pytest.raises(Unavailable, match="access is refused") as caught:
            load_submission(f"s3://{bucket}/team")
    finally:
        s3.delete_bucket_policy(Bucket=bucket)
    assert "AWS_PROFILE" in caught.value.hint
    assert caught.value.exit_code == 3


def test_a_storage_that_does_not_answer(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(Unavailable, match="cannot be read") as caught:
        load_submission("s3://uploads/team")
    assert SECRET not in str(caught.value)


def test_a_hub_that_cannot_be_reached(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    code = (
        "from ipvg_eval import load_submission\n"
        "from ipvg_eval.core.errors import Unavailable\n"
        "try: load_submission('hf://datasets/somebody/videos/team')\n"
        "except Unavailable as error: print(error); print(error.hint)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.startswith("hf://datasets/somebody/videos/team: cannot be read"), done.stderr
    assert "hf auth login" in done.stdout


@pytest.mark.parametrize(("scheme", "package"), [("s3", "s3fs"), ("gs", "gcsfs")])
def test_a_missing_package_is_named_with_the_way_to_install_it(monkeypatch, scheme, package):
    known = importlib.import_module("fsspec.registry")._registry
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(known, scheme, raising=False)
    with pytest.raises(Unavailable, match=f"needs the package {package}") as caught:
        load_submission(f"{scheme}://uploads/team")
    assert caught.value.hint == "pip install 'ipvg-eval[remote]'"
    assert caught.value.exit_code == 3


def test_a_zip_on_the_web_is_fetched_from_a_server_without_ranges(web, fixtures, tmp_path):
    url, folder = web
    _pack(fixtures / "submissions/careful", folder / "my team.zip")
    submission = load_submission(f"{url}/my%20team.zip?token=geheim")
    assert submission.name == "my team"
    assert submission.location == f"{url}/my%20team.zip"
    assert len(submission.files) == 10
    run = score(
        f"{url}/my%20team.zip?token=geheim",
        testset=fixtures / "testset",
        recipe=Recipe(protocol="lite", metrics=FAST),
        limit=1,
        out=tmp_path / "run",
    )
    assert run.summary.counts.scored == 1


def test_a_folder_on_the_web_is_its_pages_links(web, fixtures):
    url, folder = web
    shutil.copytree(fixtures / "submissions/careful", folder / "team")
    submission = load_submission(f"{url}/team")
    here = load_submission(folder / "team")
    assert submission.files == here.files
    assert submission.sha256("id002/prompt5.mp4") == here.sha256("id002/prompt5.mp4")


def test_a_web_server_that_refuses_or_has_nothing(web):
    url, _ = web
    with pytest.raises(Unavailable, match="access is refused"):
        load_submission(f"{url}/secret/team.zip")
    with pytest.raises(UsageError, match="does not exist"):
        load_submission(f"{url}/team.zip")


def test_a_file_url_is_a_path(fixtures, careful):
    shutil.move(careful, careful.with_name("my team"))
    submission = load_submission(careful.with_name("my team").as_uri())
    assert submission.path == careful.with_name("my team")
    assert submission.files == load_submission(fixtures / "submissions/careful").files
    with pytest.raises(UsageError, match="does not exist"):
        load_submission("file:///no/such/folder")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://user:pass@host/a.zip?sig=1#x", "https://host/a.zip"),
        ("s3://KEY:SECRET@bucket/team", "s3://bucket/team"),
        ("error at https://host/a.zip?X-Amz-Signature=abc, again", "error at https://host/a.zip again"),
        ("('https://u@host/x?y=z', 404)", "('https://host/x', 404)"),
        ("/plain/path?with=question#mark", "/plain/path?with=question#mark"),
        ("C:\\videos", "C:\\videos"),
    ],
)
def test_secrets_are_taken_off_urls(text, shown):
    assert without_secrets(text) == shown


def test_what_is_a_url():
    assert is_url("s3://bucket")
    assert is_url("HTTPS://host/x")
    assert not is_url("C:/videos")
    assert not is_url("videos")
    assert not is_url("zip::s3://bucket/a.zip")


def test_no_secret_reaches_the_screen_or_the_run(web, command, fixtures, tmp_path):
    url, folder = web
    _pack(fixtures / "submissions/careful", folder / "team.zip")
    secret = url.replace("http://", "http://somebody:geheim1@")
    words = ["--testset", fixtures / "testset", "--protocol", "lite", "--metrics", FAST[0], "--limit", "1"]
    good = command("score", f"{secret}/team.zip?sig=geheim2", *words, "--out", tmp_path / "run", "--debug")
    assert good.returncode == 0, good.stderr
    lost = command("score", f"{secret}/lost.zip?sig=geheim2", *words, "--debug")
    assert lost.returncode != 0
    invalid = command("validate", f"{secret}/lost.zip?sig=geheim2", "--json")
    assert invalid.returncode == 2
    written = "".join(
        path.read_text(errors="replace") for path in (tmp_path / "run").rglob("*") if path.is_file()
    )
    for text in (good.stdout, good.stderr, lost.stdout, lost.stderr, invalid.stdout, invalid.stderr, written):
        assert "geheim" not in text


def test_a_full_disk_is_said_in_plain_words(bucket):
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    from ipvg_eval.submission.storage import Storage

    with pytest.raises(SubmissionError, match="No space left") as caught:
        Storage(f"s3://{bucket}/team/id001/prompt1.mp4").fetch(full, limit=1 << 30)
    assert "TMPDIR" in caught.value.hint
