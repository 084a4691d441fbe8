"""Zips from other systems are read; what is no zip is called what it is."""

from __future__ import annotations

import io
import random
import shutil
import struct
import subprocess
import tarfile
import zipfile
import zlib

import pytest
from foreign_zips import STYLES, Style, finder_above_4_gib, foreign_zip
from zip_files import pack

from ipvg_eval.errors import SubmissionError
from ipvg_eval.submission import load_submission

VIDEO = bytes(range(256)) * 40
GIB = 2**30


def load(tmp_path, data, name="facial_results.zip"):
    path = tmp_path / name
    path.write_bytes(data)
    return load_submission(path)


@pytest.mark.parametrize("name", STYLES)
def test_every_program_s_zip_is_read(tmp_path, name):
    files = [(f"id00{k}/prompt{p}.mp4", VIDEO[k * p :]) for k in (1, 2) for p in (1, 2)]
    read = load(tmp_path, foreign_zip(files, STYLES[name], folders=("id001/", "id002/")))
    assert not read.findings
    assert dict(read.files) == {path: len(content) for path, content in files}
    for path, content in files:
        with read.open_stream(path) as stream:
            assert stream.read() == content


# Names whose second byte is 0x5C, the backslash of ASCII.
@pytest.mark.parametrize(
    ("encoding", "folder"),
    [
        ("cp932", "ソフト表示能力"),
        ("cp932", "予定の十本の動画"),
        ("gbk", "刓俓测试提交"),
        ("gbk", "提交结果"),
        ("big5", "功能測試許蓋"),
        ("cp850", "Müller résumé"),
        ("utf-8", "提出物"),
    ],
)
@pytest.mark.parametrize("deflate", [True, False])
def test_names_in_the_code_page_of_somebody_s_windows(tmp_path, encoding, folder, deflate):
    files = [(f"{folder}/id001/prompt{k}.mp4", VIDEO) for k in range(1, 6)]
    read = load(tmp_path, foreign_zip(files, Style(encoding=encoding, deflate=deflate)))
    assert sorted(read.files) == [f"id001/prompt{k}.mp4" for k in range(1, 6)]
    assert read.wrapper == folder
    assert {finding.code for finding in read.findings} <= {"wrapping-folder"}


# Short names that are everyday words in more than one code page.
SHORT = [
    ("cp949", "제출"), ("cp949", "김민수"), ("gbk", "提交"), ("gbk", "王小明"), ("big5", "提交"),
    ("cp932", "山田"), ("cp932", "カメラ"), ("cp850", "Zoë"), ("cp866", "Иван"), ("utf-8", "제출"),
    ("cp1252", "Jürgen"), ("cp1252", "José"), ("cp1251", "Иван"), ("cp1251", "Юлия"),
]  # fmt: skip


@pytest.mark.parametrize(("encoding", "identity"), SHORT)
def test_the_test_set_says_how_a_short_name_is_read(tmp_path, encoding, identity):
    files = [(f"{identity}/prompt{k}.mp4", VIDEO[k:]) for k in (1, 2)]
    files += [(f"id001/prompt{k}.mp4", VIDEO[3:]) for k in (1, 2)]
    read = load(tmp_path, foreign_zip(files, Style(encoding=encoding)))
    read.expect([f"{identity}/prompt1.mp4", "id001/prompt1.mp4", "another/prompt1.mp4"])
    assert dict(read.files) == {path: len(content) for path, content in files}
    assert not read.findings
    with read.open_stream(f"{identity}/prompt2.mp4") as stream:
        assert stream.read() == VIDEO[2:]


def test_what_nobody_can_tell_is_told(tmp_path):
    """Both readings stand there, also where a test set asks for neither."""
    files = [("제출/prompt1.mp4", VIDEO), ("id001/prompt1.mp4", VIDEO)]
    read = load(tmp_path, foreign_zip(files, Style(encoding="cp949")))
    read.expect(["id001/prompt1.mp4", "다른/prompt1.mp4"])
    (finding,) = [finding for finding in read.findings if finding.code == "names-guessed"]
    other = "제출".encode("cp949").decode("gbk")
    assert f"{other}/prompt1.mp4 (gbk)" in finding.message
    assert "제출/prompt1.mp4 (cp949)" in finding.message
    assert "UTF-8" in finding.action


def test_real_backslashes_still_have_their_advice(tmp_path):
    read = load(tmp_path, foreign_zip([("表示\\id001\\prompt1.mp4", VIDEO)], Style(encoding="cp932")))
    (finding,) = [f for f in read.findings if f.code == "backslash-path"]
    assert finding.action == "Pack it as 表示/id001/prompt1.mp4."


def test_the_unicode_path_of_info_zip_is_believed_where_it_is_of_this_name(tmp_path):
    raw = b"id001/prompt1.mp4"
    field = struct.pack("<BL", 1, zlib.crc32(raw)) + b"id007/prompt1.mp4"
    extra = struct.pack("<2H", 0x7075, len(field)) + field
    good = load(tmp_path, foreign_zip([("id001/prompt1.mp4", VIDEO)], Style(extra=extra)))
    assert list(good.files) == ["id007/prompt1.mp4"]
    other = load(tmp_path, foreign_zip([("id002/prompt1.mp4", VIDEO)], Style(extra=extra)))
    assert list(other.files) == ["id002/prompt1.mp4"]


@pytest.mark.parametrize("hole", [int(2.1 * GIB), GIB - 1000, int(3.9 * GIB)])
def test_finder_s_zip_above_4_gib_is_read(tmp_path, hole):
    files = [(f"id001/prompt{k}.mp4", VIDEO[k:]) for k in range(1, 7)]
    path = finder_above_4_gib(tmp_path / "facial_results.zip", files, hole=hole)
    assert path.stat().st_size > 4 * GIB
    assert path.stat().st_blocks * 512 < GIB
    read = load_submission(path)
    for name, content in files:
        with read.open_stream(name) as stream:
            assert stream.read() == content
    assert "header-mismatch" not in {finding.code for finding in read.findings}


def test_a_wrapped_zip_whose_headers_disagree_has_advice_that_works(tmp_path):
    files = [(f"id001/prompt{k}.mp4", VIDEO) for k in (1, 2, 3)]
    path = finder_above_4_gib(tmp_path / "facial_results.zip", files, hole=int(2.1 * GIB), honest=False)
    read = load_submission(path)
    mismatched = [finding for finding in read.findings if finding.code == "header-mismatch"]
    assert len(mismatched) == 3
    assert all("zip -r" in finding.action for finding in mismatched)


def end_of(data: bytes) -> int:
    return data.rindex(b"PK\x05\x06")


def with_zip64(data: bytes, *, offset: int = 0, entries: int = 0) -> bytes:
    """The zip with a ZIP64 end record whose values differ from the plain one's by so much."""
    at = end_of(data)
    _, _, count, _, size, start, _ = struct.unpack_from("<4H2LH", data, at + 4)
    record = b"PK\x06\x06" + struct.pack(
        "<Q2H2L4Q", 44, 45, 45, 0, 0, count + entries, count + entries, size, start + offset
    )
    locator = b"PK\x06\x07" + struct.pack("<LQL", 0, at, 1)
    return data[:at] + record + locator + data[at:]


ODD = {
    "prefix": (lambda data: b"MZ" * 40 + data, "zip-prefix"),
    "trailing": (lambda data: data + b"\x00" * 7, "zip-trailing-data"),
    "two zips, one after the other": (lambda data: data + data, "zip-prefix"),
    "zip64 with other counts": (lambda data: with_zip64(data, entries=1), "second-directory"),
    "zip64 with another offset": (lambda data: b"x" * 9 + with_zip64(data, offset=9), "second-directory"),
    "honest zip64": (with_zip64, None),
    "nothing odd": (lambda data: data, None),
    "comment": (lambda data: data[:-2] + struct.pack("<H", 5) + b"hello", None),
}


@pytest.mark.parametrize("case", ODD)
def test_what_lies_around_a_directory_is_named(tmp_path, case):
    change, code = ODD[case]
    read = load(tmp_path, change(pack([("id001/prompt1.mp4", VIDEO)])))
    assert [finding.code for finding in read.findings][:1] == ([code] if code else [])
    if code != "second-directory":
        with read.open_stream("id001/prompt1.mp4") as stream:
            assert stream.read() == VIDEO


@pytest.mark.skipif(shutil.which("zip") is None, reason="needs Info-ZIP's zip")
def test_each_part_of_a_split_zip_is_called_that(tmp_path):
    folder = tmp_path / "id001"
    folder.mkdir()
    (folder / "prompt1.mp4").write_bytes(random.Random(0).randbytes(200_000))
    words = ["zip", "-q", "-0", "-r", "-s", "64k", "facial_results.zip", "id001"]
    subprocess.run(words, cwd=tmp_path, check=True)
    for name, part in (("facial_results.zip", "last"), ("facial_results.z01", "first")):
        with pytest.raises(SubmissionError, match=f"the {part} part of a split zip") as caught:
            load_submission(tmp_path / name)
        assert caught.value.hint


LEFT_BEHIND = [
    "__MACOSX/id001/._prompt1.mp4", ".Spotlight-V100/Store-V2/x", ".fseventsd/0", ".AppleDouble/prompt1.mp4",
    ".TemporaryItems/x", ".Trashes/501/x", "$RECYCLE.BIN/S-1-5/x.mp4", "System Volume Information/x",
    "THUMBS.DB", "@eaDir/prompt1.mp4/x", "lost+found/x", "id001/~$notes.docx", "id001/.~lock.notes.odt#",
]  # fmt: skip


@pytest.mark.parametrize("name", LEFT_BEHIND)
def test_what_systems_leave_behind_is_ignored_and_wraps_nothing(tmp_path, name):
    files = [("results/id001/prompt1.mp4", VIDEO), ("results/id002/prompt1.mp4", VIDEO)]
    read = load(tmp_path, pack([*files, (f"results/{name}", b"x"), (name, b"x")]))
    assert list(read.files) == ["id001/prompt1.mp4", "id002/prompt1.mp4"]
    assert {finding.code for finding in read.findings} == {"junk-file", "wrapping-folder"}


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        ("\u00a0", "U+00A0 (no-break space)"), ("\u200b", "U+200B (zero width space)"),
        ("\u202e", "U+202E (right-to-left override)"), ("\t", "U+0009 (control character)"),
        ("\u3000", "U+3000 (ideographic space)"),
    ],
)  # fmt: skip
def test_a_character_that_cannot_be_seen_is_named(tmp_path, odd, said):
    read = load(tmp_path, pack([(f"id001/prompt1{odd}.mp4", VIDEO)]))
    [finding] = [finding for finding in read.findings if finding.code == "unsafe-name"]
    assert said in finding.message


def test_a_name_that_is_too_long_has_its_length_said(tmp_path):
    read = load(tmp_path, pack([(f"{'é' * 600}/prompt1.mp4", VIDEO)]))
    assert "1,212 bytes; at most 1,024" in read.findings[0].message


def tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("id001/prompt1.mp4"))
    return buffer.getvalue()


NO_ZIPS = {
    "cut": (pack([("id001/prompt1.mp4", VIDEO)])[:-200], "cut off"),
    "cut in half": (pack([("id001/prompt1.mp4", VIDEO)])[: len(VIDEO) // 2], "cut off"),
    "rar": (b"Rar!\x1a\x07\x01\x00" + b"x" * 99, "a RAR archive"),
    "rar4": (b"Rar!\x1a\x07\x00" + b"x" * 99, "a RAR archive"),
    "7z": (b"7z\xbc\xaf\x27\x1c\x00\x04" + b"x" * 99, "a 7z archive"),
    "gzip": (b"\x1f\x8b\x08" + b"x" * 99, "a gzip file"),
    "tar": (tar(), "a tar archive"),
    "empty": (b"", "empty"),
    "zeros": (bytes(9999), "zeros"),
    "web page": (b"\n<!DOCTYPE html><html>Sign in", "a web page"),
    "video": (b"\x00\x00\x00\x18ftypisom" + b"x" * 99, "a single video"),
    "text": ("no archive at all: ä".encode() * 99, "a text file"),
    "git lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a Git LFS pointer"),
    "noise": (b"{" + bytes(range(128, 256)) * 9, "no zip directory"),
}


@pytest.mark.parametrize("name", ["facial_results.zip", "facial_results.rar", "facial_results"])
@pytest.mark.parametrize("case", NO_ZIPS)
def test_what_is_no_zip_is_called_what_it_is(tmp_path, case, name):
    data, says = NO_ZIPS[case]
    with pytest.raises(SubmissionError, match=says) as caught:
        load(tmp_path, data, name)
    assert str(tmp_path) in str(caught.value)
    assert "File is not a zip file" not in str(caught.value)
    assert caught.value.hint


def test_python_reads_the_makers_archives_too(tmp_path):
    for style in STYLES.values():
        path = tmp_path / "one.zip"
        path.write_bytes(foreign_zip([("id001/prompt1.mp4", VIDEO)], style))
        with zipfile.ZipFile(path) as archive:
            assert archive.read(archive.namelist()[0]) == VIDEO
