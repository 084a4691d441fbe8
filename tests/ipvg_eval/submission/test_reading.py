from __future__ import annotations

import hashlib
import io
import os
import stat
import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvg_eval.submission import Kind, Limits, MemberError, load_submission

CONTENT = os.urandom(1000) * 700  # more than two chunks, and compressible


@pytest.fixture(params=["folder", "stored", "deflated"])
def submission(request, tmp_path, pack):
    files = {"id001/prompt1.mp4": CONTENT, "id002/prompt10.mp4": b"b", "id002/prompt2.mp4": b""}
    if request.param == "folder":
        for name, content in files.items():
            (tmp_path / "team" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "team" / name).write_bytes(content)
        return load_submission(tmp_path / "team")
    method = zipfile.ZIP_STORED if request.param == "stored" else zipfile.ZIP_DEFLATED
    path = tmp_path / "team.zip"
    path.write_bytes(pack(list(files.items()), method=method))
    return load_submission(str(path), limits=Limits(spool_bytes=1000))


def test_listing(submission):
    assert submission.name == "team"
    assert submission.kind is (Kind.ZIP if submission.path.suffix else Kind.FOLDER)
    assert list(submission.files.items()) == [
        ("id001/prompt1.mp4", len(CONTENT)),
        ("id002/prompt2.mp4", 0),
        ("id002/prompt10.mp4", 1),
    ]
    assert (submission.findings, submission.refused, submission.wrapper) == ((), (), None)
    assert submission.has("id001/prompt1.mp4")
    assert not submission.has("id001/prompt9.mp4")


def test_stream_file_and_digest_give_the_same_bytes(submission):
    with submission.open_stream("id001/prompt1.mp4") as stream:
        assert stream.read() == CONTENT
    with submission.open_video("id001/prompt1.mp4") as path:
        assert path.read_bytes() == CONTENT
    assert submission.sha256("id001/prompt1.mp4") == hashlib.sha256(CONTENT).hexdigest()


def test_copies_are_private_and_removed(submission, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = set(tmp_path.rglob("*"))

    def use() -> None:
        with submission.open_video("id001/prompt1.mp4") as path:
            if submission.kind is Kind.ZIP:
                assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
                assert path.name == "video.mp4"
            raise RuntimeError("the caller fails")

    with pytest.raises(RuntimeError, match="the caller fails"):
        use()
    assert set(tmp_path.rglob("*")) == before


def test_threads_read_at_once(submission):
    def digest(_: int) -> str:
        with submission.open_stream("id001/prompt1.mp4") as stream:
            return hashlib.sha256(stream.read()).hexdigest()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(digest, range(40))) == {hashlib.sha256(CONTENT).hexdigest()}


def test_unknown_file_is_an_error(submission):
    for read in (submission.open_stream, submission.open_video):
        with pytest.raises(MemberError, match="not in the submission"), read("id009/prompt1.mp4"):
            pass


MOVES = st.lists(
    st.tuples(st.sampled_from([0, 1, 2]), st.integers(-50, 700_500), st.integers(-1, 5000)), max_size=8
)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_stream_seeks_like_a_file(method, pack, tmp_path):
    path = tmp_path / "team.zip"
    path.write_bytes(pack([("a.mp4", b"before"), ("1.mp4", CONTENT), ("b.mp4", b"after")], method=method))
    opened = load_submission(path)

    @settings(deadline=None, max_examples=40)
    @given(moves=MOVES)
    def check(moves):
        expected = io.BytesIO(CONTENT)
        with opened.open_stream("1.mp4") as stream:
            for whence, offset, size in moves:
                offset = abs(offset) if whence == 0 else min(offset, 0) if whence == 2 else offset
                if expected.tell() + offset < 0:
                    continue
                assert stream.seek(offset, whence) == expected.seek(offset, whence)
                assert stream.read(size) == expected.read(size)
                assert stream.tell() == expected.tell()

    check()


@pytest.mark.parametrize(
    ("names", "wrapper", "first"),
    [
        (["sub/id001/prompt1.mp4", "sub/id002/prompt1.mp4"], "sub", "id001/prompt1.mp4"),
        (["sub/id001/prompt1.mp4", "sub/notes.txt"], "sub", "id001/prompt1.mp4"),
        (["sub/id001/prompt1.mp4", "__MACOSX/sub/id001/._prompt1.mp4"], "sub", "id001/prompt1.mp4"),
        (["sub/1.mp4", "sub/2.mp4"], "sub", "1.mp4"),
        (["id001/prompt1.mp4", "id001/prompt2.mp4"], None, "id001/prompt1.mp4"),
        (["id001/videos/prompt1.mp4"], None, "id001/videos/prompt1.mp4"),
        (["alice/prompt1.mp4"], None, "alice/prompt1.mp4"),
        (["sub/id001/prompt1.mp4", "notes.txt"], None, "notes.txt"),
        (["a/id001/prompt1.mp4", "b/id001/prompt1.mp4"], None, "a/id001/prompt1.mp4"),
        (["1.mp4"], None, "1.mp4"),
    ],
)
def test_wrapping_folder(names, wrapper, first, pack, tmp_path):
    path = tmp_path / "team.zip"
    path.write_bytes(pack([(name, b"x") for name in names]))
    folder = tmp_path / "team"
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    for opened in (load_submission(path), load_submission(folder)):
        assert opened.wrapper == wrapper
        assert next(iter(opened.files)) == first
        found = [f.code for f in opened.findings]
        assert found.count("wrapping-folder") == (wrapper is not None)
        assert set(found) <= {"wrapping-folder", "junk-file"}
        with opened.open_stream(first) as stream:
            assert stream.read() == b"x"


def test_folder_refuses_what_is_no_file_of_its_own(tmp_path):
    outside = tmp_path / "secret.mp4"
    outside.write_bytes(b"secret")
    (tmp_path / "elsewhere").mkdir()
    team = tmp_path / "team"
    (team / "id001").mkdir(parents=True)
    (team / "id001/prompt1.mp4").write_bytes(b"good")
    (team / "id001/prompt2.mp4").symlink_to(outside)
    (team / "id001/prompt3.mp4").symlink_to(team / "nowhere")
    (team / "id001/prompt4.mp4").symlink_to("prompt1.mp4")
    (team / "id002").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(team / "id001/prompt5.mp4")
    opened = load_submission(team)
    assert sorted(opened.files) == ["id001/prompt1.mp4", "id001/prompt4.mp4"]
    assert sorted((f.path, f.code) for f in opened.findings) == [
        ("id001/prompt2.mp4", "link"),
        ("id001/prompt3.mp4", "special-file"),
        ("id001/prompt5.mp4", "special-file"),
        ("id002", "link"),
    ]


def test_folder_names_and_limits(tmp_path):
    team = tmp_path / "team"
    team.mkdir()
    for name in ("a\\b.mp4", "PROMPT.mp4", "prompt.mp4", "more.zip", "Thumbs.db"):
        (team / name).write_bytes(b"xx")
    if len(list(team.iterdir())) < 5:
        pytest.skip("this file system does not tell case apart")
    opened = load_submission(team)
    assert sorted(f.code for f in opened.findings) == [
        "backslash-path",
        "duplicate-name",
        "junk-file",
        "nested-archive",
    ]
    assert load_submission(team, limits=Limits(max_members=4)).findings[0].code == "too-many-files"


def test_folders_count_among_the_entries(tmp_path):
    for number in range(3):
        (tmp_path / f"id00{number}").mkdir()
        (tmp_path / f"id00{number}/prompt1.mp4").write_bytes(b"x")
    assert load_submission(tmp_path, limits=Limits(max_members=6)).findings == ()
    few = load_submission(tmp_path, limits=Limits(max_members=5))
    assert [finding.code for finding in few.findings] == ["too-many-files"]


HOSTILE = st.text(st.sampled_from("../\\:aC~\0\n\x1bé٣ mp4é\u202e"), min_size=1, max_size=24)


def test_no_name_writes_outside_the_temporary_folder(pack, tmp_path, monkeypatch):
    """Whatever the members are called, reading them leaves nothing behind and nothing elsewhere."""
    work = tmp_path / "a" / "b" / "temporary"
    work.mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(work))
    path = tmp_path / "team.zip"

    @settings(deadline=None, max_examples=80)
    @given(names=st.lists(HOSTILE, min_size=1, max_size=4, unique=True))
    def check(names):
        path.write_bytes(pack([(name, name.encode()) for name in names]))
        opened = load_submission(path)
        assert len(opened.files) + len(opened.findings) >= 1 or all(n.endswith("/") for n in names)
        for name in opened.files:
            assert not name.startswith("/")
            assert ".." not in name.split("/")
            with opened.open_video(name) as copy:
                assert copy.resolve().is_relative_to(work)
        assert set(tmp_path.rglob("*")) == {path, work, work.parent, work.parent.parent}

    check()
