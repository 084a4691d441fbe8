"""Every unsafe member has the finding of its kind, and is never opened."""

from __future__ import annotations

import io
import stat
import struct
import unicodedata
import zipfile
import zlib

import pytest

from ipvg_eval.core.errors import UsageError
from ipvg_eval.errors import SubmissionError
from ipvg_eval.findings import Severity
from ipvg_eval.submission import Limits, MemberError, load_submission

GOOD = ("id001/prompt1.mp4", b"good" * 10)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("/etc/passwd", "absolute-path"),
        ("C:/videos/prompt1.mp4", "absolute-path"),
        ("c:prompt1.mp4", "absolute-path"),
        ("\\\\server\\share\\prompt1.mp4", "absolute-path"),
        ("../id001/prompt2.mp4", "path-traversal"),
        ("id001/../../prompt2.mp4", "path-traversal"),
        ("id001\\..\\..\\prompt2.mp4", "path-traversal"),
        ("..", "path-traversal"),
        ("../", "path-traversal"),
        ("id001\\prompt2.mp4", "backslash-path"),
        ("id001/prompt2.mp4\x00.txt", "unsafe-name"),
        ("id001/\x1b[31mprompt2.mp4", "unsafe-name"),
        ("id001/\u202e4pm.mp4", "unsafe-name"),
        ("id001/" + "x" * 2000 + ".mp4", "unsafe-name"),
        ("./", "unsafe-name"),
        ("videos.zip", "nested-archive"),
        ("id001/more.tar.GZ", "nested-archive"),
        ("id001/Prompt1.mp4", "duplicate-name"),
        ("id001/prompt1.mp4", "duplicate-name"),
        ("./id001//prompt1.mp4", "duplicate-name"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")  # the test writes it on purpose
def test_hostile_names(pack, write_zip, name, code):
    submission = load_submission(write_zip(pack([GOOD, (name, b"bad")])))
    assert [f.code for f in submission.findings] == [code]
    assert submission.findings[0].severity is Severity.ERROR
    assert submission.findings[0].path.isprintable()
    assert name in submission.refused
    assert set(submission.files) == (set() if code == "duplicate-name" else {GOOD[0]})


def test_unicode_forms_of_one_name_clash(pack, write_zip):
    composed = unicodedata.normalize("NFC", "é/prompt1.mp4")
    decomposed = unicodedata.normalize("NFD", composed)
    submission = load_submission(write_zip(pack([(composed, b"a"), (decomposed, b"b")])))
    assert [f.code for f in submission.findings] == ["duplicate-name"]
    assert submission.files == {}


def test_decomposed_name_is_found_under_its_composed_form(pack, write_zip):
    submission = load_submission(write_zip(pack([(unicodedata.normalize("NFD", "é/prompt1.mp4"), b"a")])))
    assert submission.has(unicodedata.normalize("NFC", "é/prompt1.mp4"))


def test_utf8_name_without_its_flag(pack, patch, write_zip):
    data = patch(pack([("人/prompt1.mp4", b"a")]), "人/prompt1.mp4", flags=0)
    assert list(load_submission(write_zip(data)).files) == ["人/prompt1.mp4"]


@pytest.mark.parametrize(
    ("mode", "code"),
    [
        (stat.S_IFLNK | 0o777, "link"),
        (stat.S_IFCHR | 0o666, "special-file"),
        (stat.S_IFBLK | 0o666, "special-file"),
        (stat.S_IFIFO | 0o666, "special-file"),
        (stat.S_IFSOCK | 0o666, "special-file"),
    ],
)
def test_links_and_devices(pack, write_zip, mode, code):
    submission = load_submission(write_zip(pack([("id001/prompt1.mp4", b"/etc/passwd")], mode=mode)))
    assert [f.code for f in submission.findings] == [code]
    assert submission.files == {}


@pytest.mark.parametrize(
    ("change", "where", "code"),
    [
        ({"flags": 0x1}, "both", "encrypted-member"),
        ({"flags": 0x41}, "both", "encrypted-member"),
        ({"method": 12}, "both", "packing-method"),
        ({"method": 99}, "both", "packing-method"),
        ({"size": 4}, "both", "size-mismatch"),
        ({"size": 4000}, "central", "size-mismatch"),
        ({"size": 4}, "local", "header-mismatch"),
        ({"crc": 1}, "local", "header-mismatch"),
        ({"method": 8}, "local", "header-mismatch"),
        ({"offset": 1}, "central", "header-mismatch"),
        ({"offset": 10**8}, "central", "header-mismatch"),
    ],
)
def test_lying_headers_of_a_stored_member(pack, patch, write_zip, change, where, code):
    other = ("id001/prompt2.mp4", b"other" * 10)
    data = patch(pack([GOOD, other]), other[0], where=where, **change)
    submission = load_submission(write_zip(data))
    assert [f.code for f in submission.findings] == [code]
    assert list(submission.files) == [GOOD[0]]


def test_member_inside_another_members_data(pack, write_zip):
    inner = pack([("id001/prompt2.mp4", b"inner")])
    outer = pack([("id001/prompt1.mp4", inner), ("id001/prompt2.mp4", b"inner")])
    # The second directory entry is led to the local header that lies inside the first member's data.
    entry = outer.index(b"PK\x01\x02", outer.index(b"PK\x01\x02", len(inner) + 60) + 4)
    raw = bytearray(outer)
    struct.pack_into("<L", raw, entry + 42, outer.index(inner))
    submission = load_submission(write_zip(bytes(raw)))
    assert [(f.code, f.path) for f in submission.findings] == [("overlapping-members", "id001/prompt2.mp4")]
    assert list(submission.files) == ["id001/prompt1.mp4"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_entries_for_the_same_bytes(pack, write_zip):
    """One local header that two directory entries point to: both names agree, the bytes are shared."""
    data = pack([GOOD])
    start = data.index(b"PK\x01\x02")
    end = data.index(b"PK\x05\x06")
    entry = data[start:end]
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 2, 2, 2 * len(entry), start, 0)
    submission = load_submission(write_zip(data[:start] + entry * 2 + tail))
    assert {f.code for f in submission.findings} <= {"overlapping-members", "duplicate-name"}
    assert submission.files == {}


@pytest.mark.parametrize("declared", [1000, 99_999, 100_001, 200_000])
def test_real_size_of_a_packed_member(pack, patch, write_zip, declared):
    content = bytes(range(250)) * 400
    data = pack([("id001/prompt1.mp4", content)], method=zipfile.ZIP_DEFLATED)
    submission = load_submission(write_zip(patch(data, "id001/prompt1.mp4", size=declared)))
    assert submission.findings == ()
    for read in (submission.open_stream, submission.open_video):
        with pytest.raises(MemberError, match="declares") as caught, read("id001/prompt1.mp4"):
            pass
        assert caught.value.code == "size-mismatch"
    with pytest.raises(MemberError):
        submission.sha256("id001/prompt1.mp4")


def test_bytes_beyond_the_declared_size_with_a_matching_checksum(pack, patch, write_zip):
    """The checksum is that of the declared part, as a reader that stops there would find it."""
    content = bytes(range(250)) * 400
    data = pack([("id001/prompt1.mp4", content)], method=zipfile.ZIP_DEFLATED)
    lie = patch(data, "id001/prompt1.mp4", size=500, crc=zlib.crc32(content[:500]))
    with zipfile.ZipFile(io.BytesIO(lie)) as archive:
        assert archive.read("id001/prompt1.mp4") == content[:500]
    with pytest.raises(MemberError, match="more than the 500"):
        load_submission(write_zip(lie)).sha256("id001/prompt1.mp4")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_wrong_checksum(pack, patch, write_zip, method):
    data = patch(pack([GOOD], method=method), GOOD[0], crc=7)
    with pytest.raises(MemberError, match="checksum") as caught:
        load_submission(write_zip(data)).sha256(GOOD[0])
    assert caught.value.code == "damaged-member"


def test_bombs_by_ratio_size_total_and_count(pack, write_zip):
    zeros = pack([GOOD, ("id001/prompt2.mp4", b"\0" * (2 << 20))], method=zipfile.ZIP_DEFLATED)
    path = write_zip(zeros)
    assert [f.code for f in load_submission(path).findings] == ["zip-bomb"]
    assert list(load_submission(path).files) == [GOOD[0]]
    loose = Limits(max_ratio=5000)
    assert load_submission(path, limits=loose).findings == ()

    path = write_zip(pack([(f"id001/prompt{k}.mp4", bytes(100)) for k in range(1, 6)]))
    for limits, code in [
        (Limits(max_members=4), "too-many-files"),
        (Limits(max_total_bytes=499), "total-too-large"),
    ]:
        assert [f.code for f in load_submission(path, limits=limits).findings] == [code]
    refused = load_submission(path, limits=Limits(max_file_bytes=99))
    assert [f.code for f in refused.findings] == ["file-too-large"] * 5
    exact = Limits(max_members=5, max_total_bytes=500, max_file_bytes=100)
    assert load_submission(path, limits=exact).findings == ()


def test_directory_too_long_to_be_read(pack, write_zip):
    path = write_zip(pack([(f"{k:04}" * 50, b"") for k in range(1000)]))
    with pytest.raises(SubmissionError, match="far more than 10 entries"):
        load_submission(path, limits=Limits(max_members=10))


@pytest.mark.parametrize(
    ("start", "end", "instead"),
    [(0, 0, b""), (0, -30, None), (0, 100, None), (0, None, b"video" * 99)],
)
def test_broken_zips_are_one_readable_error(pack, write_zip, start, end, instead):
    data = pack([GOOD, ("id001/prompt2.mp4", b"x" * 300)])[start:end]
    path = write_zip(data if instead is None else instead)
    with pytest.raises(SubmissionError) as caught:
        load_submission(path)
    assert str(path) in str(caught.value)
    assert caught.value.hint


def test_zip_without_its_beginning_keeps_the_members_that_are_whole(pack, write_zip):
    data = pack([GOOD, ("id001/prompt2.mp4", b"x" * 300)])
    submission = load_submission(write_zip(data[20:]))
    assert [(f.code, f.path) for f in submission.findings] == [("header-mismatch", GOOD[0])]
    assert list(submission.files) == ["id001/prompt2.mp4"]


def test_neither_folder_nor_zip(tmp_path):
    with pytest.raises(UsageError, match="does not exist"):
        load_submission(tmp_path / "nowhere.zip")
    text = tmp_path / "notes.txt"
    text.write_text("hello")
    with pytest.raises(SubmissionError, match="neither a folder nor a zip"):
        load_submission(text)
