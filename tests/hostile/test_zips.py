"""Every hostile zip has its finding, opens nothing it should not, and leaves nothing behind."""

from __future__ import annotations

import io
import stat
import struct
import tarfile
import time
import unicodedata
import zipfile
import zlib

import pytest
from zip_files import CENTRAL, LOCAL, pack, patch

from ipvg_eval.errors import SubmissionError
from ipvg_eval.submission import Limits, MemberError, load_submission
from ipvg_eval.validation import validate

GOOD, SECOND = "id001/prompt1.mp4", "id001/prompt2.mp4"
END = b"PK\x05\x06"

pytestmark = pytest.mark.filterwarnings("ignore:Duplicate name")


def named(name, content=b"bad", **how):
    return lambda clip: pack([(GOOD, clip), (name, content)], **how)


def linked(mode):
    """Two zips' worth of members cannot share one mode, so every member is of the kind."""
    return lambda _: pack([(SECOND, b"/etc/passwd")], mode=mode)


def lying(where="both", packing=zipfile.ZIP_STORED, **values):
    content = b"other" * 40
    return lambda clip: patch(
        pack([(GOOD, clip), (SECOND, content)], method=packing), SECOND, where=where, **values
    )


def bytes_of(change):
    return lambda clip: change(pack([(GOOD, clip), (SECOND, b"x" * 300)]))


def ending(data, **fields):
    """The end record (APPNOTE 4.3.16) with other values."""
    at = data.rindex(END)
    names = ("disk", "directory_disk", "here", "total", "size", "offset", "comment")
    values = list(struct.unpack_from("<4H2LH", data, at + 4))
    for name, value in fields.items():
        values[names.index(name)] = value
    return data[: at + 4] + struct.pack("<4H2LH", *values) + data[at + 22 :]


def same_bytes_many_times(clip):
    """One local header with many directory entries, as a quoted overlap bomb has."""
    data = pack([(SECOND, clip)])
    start, end = data.index(CENTRAL), data.rindex(END)
    entry = data[start:end]
    tail = struct.pack("<4s4H2LH", END, 0, 0, 50, 50, 50 * len(entry), start, 0)
    return data[:start] + entry * 50 + tail


def inside_another(clip):
    inner = pack([(SECOND, clip)])
    outer = pack([(GOOD, inner), (SECOND, clip)])
    entry = outer.index(CENTRAL, outer.index(CENTRAL, len(inner) + 60) + 4)
    raw = bytearray(outer)
    struct.pack_into("<L", raw, entry + 42, outer.index(inner))
    return bytes(raw)


def inside_the_directory(clip):
    """The second member claims to reach into the directory."""
    return lying(packed=10_000, size=10_000)(clip)


def local_name(clip):
    """The name in front of the data is another one."""
    data = pack([(GOOD, clip), (SECOND, b"x" * 300)])
    at = data.rindex(LOCAL) + 30
    return data[:at] + b"../../evil.mp4"[:14].ljust(len(SECOND), b"_") + data[at + len(SECOND) :]


def unicode_extra(clip):
    """A Unicode path field (APPNOTE 4.6.9) that gives the member a second, climbing name."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(GOOD, clip)
        info = zipfile.ZipInfo(SECOND)
        name = b"../../evil.mp4"
        field = struct.pack("<BL", 1, zlib.crc32(SECOND.encode())) + name
        info.extra = struct.pack("<HH", 0x7075, len(field)) + field
        archive.writestr(info, clip[:-1] + b"\x01")
    return buffer.getvalue()


def zip64_size(clip):
    """The true size hides in a ZIP64 field that says 2^63 - 1 bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(GOOD, clip)
        archive.writestr(SECOND, b"x" * 300)
    data = buffer.getvalue()
    at = data.rindex(CENTRAL)
    field = struct.pack("<HHQQ", 1, 16, (1 << 63) - 1, 300)
    raw = bytearray(data)
    struct.pack_into("<LL", raw, at + 20, 0xFFFFFFFF, 0xFFFFFFFF)
    struct.pack_into("<H", raw, at + 30, len(field))
    end = at + 46 + len(SECOND)
    whole = bytes(raw[:end]) + field + bytes(raw[end:])
    return ending(whole, size=whole.rindex(END) - whole.index(CENTRAL))


def deflated(change):
    """A member whose packed bytes are changed, sizes and checksum as for the original."""

    def make(clip):
        content = bytes(range(256)) * 40
        data = pack([(GOOD, clip), (SECOND, content)], method=zipfile.ZIP_DEFLATED)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            info = archive.getinfo(SECOND)
        start = info.header_offset + 30 + len(SECOND)
        packed = data[start : start + info.compress_size]
        return data[:start] + change(packed) + data[start + info.compress_size :]

    return make


def grows(clip):
    """200 MB of zeros behind a header that speaks of 300 bytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(200)) + packer.flush()
    data = pack([(GOOD, clip), (SECOND, packed)])
    return patch(data, SECOND, method=8, size=300)


def tar(clip):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo(GOOD)
        info.size = len(clip)
        archive.addfile(info, io.BytesIO(clip))
    return buffer.getvalue()


def accent(form):
    return unicodedata.normalize(form, "é/prompt2.mp4")


UNREADABLE = {"submission-unreadable"}
# name: (how to make it from a good clip, codes of its findings, a missing second video aside)
CASES = {
    "path absolute": (named("/etc/passwd"), {"absolute-path"}),
    "path drive": (named("C:/Windows/win.ini"), {"absolute-path"}),
    "path drive relative": (named("c:prompt2.mp4"), {"absolute-path"}),
    "path share": (named("\\\\server\\share\\prompt2.mp4"), {"absolute-path"}),
    "path root backslash": (named("\\prompt2.mp4"), {"absolute-path"}),
    "path climbs": (named("../id001/prompt2.mp4"), {"path-traversal"}),
    "path climbs inside": (named("id001/../../prompt2.mp4"), {"path-traversal"}),
    "path climbs backslash": (named("id001\\..\\..\\prompt2.mp4"), {"path-traversal"}),
    "path climbs mixed": (named("id001/..\\../prompt2.mp4"), {"path-traversal"}),
    "path folder climbs": (named("../", b""), {"path-traversal"}),
    "path backslash": (named("id001\\prompt2.mp4"), {"backslash-path"}),
    # Only the name proper counts, so the member is an ordinary video.
    "path climbs in unicode field": (unicode_extra, {"path-traversal"}),
    "name nul": (named("id001/prompt2.mp4\x00.txt"), {"unsafe-name"}),
    "name escape sequence": (named("id001/\x1b]0;owned\x07.mp4"), {"unsafe-name"}),
    "name newline": (named("id001/prompt2.mp4\nid001/prompt3.mp4"), {"unsafe-name"}),
    "name right to left": (named("id001/\u202e4pm.2tpmorp"), {"unsafe-name"}),
    "name zero width": (named("id001/prompt\u200b2.mp4"), {"unsafe-name"}),
    "name byte order mark": (named("\ufeffid001/prompt2.mp4"), {"unsafe-name"}),
    "name huge": (named("id001/" + "x" * 60_000 + ".mp4"), {"unsafe-name"}),
    "name deep": (named("d/" * 20_000 + "prompt2.mp4"), {"unsafe-name"}),
    "name dot": (named("./", b""), {"unsafe-name"}),
    "name full width digits": (named("id００１/prompt２.mp4"), {"video-misnamed", "video-unreadable"}),
    "name cyrillic twin": (named("id001/рrоmрt1.mp4"), {"video-extra"}),
    "name trailing dot": (named("id001/prompt2.mp4."), {"video-misnamed", "video-unreadable"}),
    "name stream": (named("id001/prompt2.mp4:hidden"), {"file-extra"}),
    "name twice": (named(GOOD), {"duplicate-name"}),
    "name twice but for case": (named("ID001/Prompt1.MP4"), {"duplicate-name"}),
    "name twice but for dots": (named("./id001//prompt1.mp4"), {"duplicate-name"}),
    "name twice but for form": (
        lambda clip: pack([(GOOD, clip), (accent("NFC"), b"a"), (accent("NFD"), b"b")]),
        {"duplicate-name"},
    ),
    "nested zip": (named("more.zip", pack([(SECOND, b"x")])), {"nested-archive"}),
    "nested tar": (named("id001/more.tar.GZ"), {"nested-archive"}),
    "link": (linked(stat.S_IFLNK | 0o777), {"link"}),
    "device": (linked(stat.S_IFCHR | 0o666), {"special-file"}),
    "disk": (linked(stat.S_IFBLK | 0o666), {"special-file"}),
    "pipe": (linked(stat.S_IFIFO | 0o666), {"special-file"}),
    "socket": (linked(stat.S_IFSOCK | 0o666), {"special-file"}),
    "encrypted": (lying(flags=0x1), {"encrypted-member"}),
    "encrypted strongly": (lying(flags=0x41), {"encrypted-member"}),
    "directory encrypted": (lying(flags=0x2000), {"encrypted-member"}),
    "packed by bzip2": (lying(method=12), {"packing-method"}),
    "packed by lzma": (lying(method=14), {"packing-method"}),
    "packed by aes": (lying(method=99), {"packing-method"}),
    "bomb by ratio": (
        named(SECOND, bytes(8 << 20), method=zipfile.ZIP_DEFLATED),
        {"zip-bomb", "total-too-large"},
    ),
    "bomb behind a small size": (grows, {"size-mismatch"}),
    "bomb by count": (
        lambda clip: pack([(GOOD, clip), *((f"id001/prompt{k}.mp4", b"") for k in range(2, 6))]),
        {"too-many-files", "video-empty", "video-extra"},
    ),
    "bomb by directory": (
        lambda clip: pack([(GOOD, clip), *((f"{k:04}" * 50, b"") for k in range(1000))]),
        UNREADABLE,
    ),
    "bomb by total": (
        lambda clip: pack([(GOOD, clip), *((f"{k}.txt", bytes(1 << 19)) for k in (1, 2))]),
        {"total-too-large", "file-extra"},
    ),
    "bomb by size": (named(SECOND, bytes(600_000)), {"file-too-large"}),
    "overlap in another member": (inside_another, {"overlapping-members", "video-unreadable"}),
    "overlap of one member": (same_bytes_many_times, {"overlapping-members", "too-many-files"}),
    "overlap with the directory": (inside_the_directory, {"overlapping-members"}),
    "lies size stored": (lying(size=4), {"size-mismatch"}),
    "lies size in front": (lying(where="local", size=4), {"header-mismatch"}),
    "lies name in front": (local_name, {"header-mismatch"}),
    "lies checksum in front": (lying(where="local", crc=1), {"header-mismatch"}),
    "lies method in front": (lying(where="local", method=8), {"header-mismatch"}),
    "lies offset": (lying(where="central", offset=1), {"header-mismatch"}),
    "lies offset beyond the end": (lying(where="central", offset=10**8), {"header-mismatch"}),
    "lies size packed": (lying(packing=zipfile.ZIP_DEFLATED, size=4), {"size-mismatch"}),
    "lies checksum packed": (
        lambda clip: patch(
            pack([(GOOD, clip), (SECOND, b"x" * 300)], method=zipfile.ZIP_DEFLATED), SECOND, crc=1
        ),
        {"damaged-member"},
    ),
    "lies size 64 bit": (zip64_size, {"size-mismatch", "total-too-large"}),
    "packed data ends early": (deflated(lambda p: p[:10] + bytes(len(p) - 10)), {"damaged-member"}),
    "packed data is noise": (deflated(lambda p: b"\xff" * len(p)), {"damaged-member"}),
    "packed data never ends": (
        deflated(lambda p: b"\x00\x01\x00\xfe\xff\x00" * (len(p) // 6) + bytes(len(p) % 6)),
        {"damaged-member"},
    ),
    # The entries themselves are read, not their number; the second one is no video.
    "end record counts too many": (
        bytes_of(lambda d: ending(d, here=60_000, total=60_000)),
        {"video-unreadable"},
    ),
    "end record on another disk": (
        bytes_of(lambda d: ending(d, disk=3, directory_disk=3)),
        {"video-unreadable"},
    ),
    # Newer versions of Python refuse the whole zip.
    "end record directory beyond the end": (
        bytes_of(lambda d: ending(d, offset=2**31)),
        UNREADABLE | {"header-mismatch"},
    ),
    "end record directory too long": (bytes_of(lambda d: ending(d, size=2**31)), UNREADABLE),
    "end record gone": (bytes_of(lambda d: d[: d.rindex(END)]), UNREADABLE),
    # The last one counts, and lists nothing.
    "end record twice": (bytes_of(lambda d: d + END + bytes(18)), {"no-videos", "zip-prefix"}),
    "cut in half": (bytes_of(lambda d: d[: len(d) // 2]), UNREADABLE),
    "first bytes gone": (bytes_of(lambda d: d[20:]), {"header-mismatch", "video-unreadable"}),
    # The last directory counts; what lies before it is never looked at.
    "two zips in one": (lambda clip: pack([(SECOND, clip)]) + pack([(GOOD, clip)]), {"zip-prefix"}),
    "empty file": (lambda _: b"", UNREADABLE),
    "empty zip": (lambda _: pack([]), {"no-videos"}),
    "text": (lambda _: b"Our videos are at https://example.org\n" * 20, UNREADABLE),
    "a tar": (tar, UNREADABLE),
    "a video": (lambda clip: clip, UNREADABLE),
    "noise behind a zip's signature": (lambda _: b"PK\x03\x04" + b"\xa5" * 5000, UNREADABLE),
}

FEW = Limits(max_members=3, max_total_bytes=1 << 20, max_file_bytes=1 << 19)
LIMITS = {
    case: FEW
    for case in CASES
    if case.startswith("bomb") or case in ("overlap of one member", "lies size 64 bit")
}
EITHER = {"end record directory beyond the end"}
NONE_LEFT = {"overlap in another member", "end record twice", "first bytes gone", "empty zip"}
# Findings about the videos in a zip, which validation alone looks at.
CONTENT = {"video-unreadable", "video-misnamed", "video-extra", "video-empty", "file-extra", "no-videos"}


@pytest.mark.parametrize("case", CASES)
def test_a_hostile_zip_has_its_finding_and_leaves_nothing_behind(case, good_clip, owed, untouched, tmp_path):
    make, expected = CASES[case]
    path = tmp_path / "facial_results.zip"
    path.write_bytes(make(good_clip))
    started = time.monotonic()
    with untouched():
        codes = codes_of(path, LIMITS.get(case))
        assert codes == expected - CONTENT or (case in EITHER and codes and codes < expected)
        if not codes or expected & CONTENT:
            report = validate(path, owed, limits=LIMITS.get(case))
            assert {finding.code for finding in report.findings} - {"video-missing"} == expected
            # A flaw never takes the good video along, unless they are of one name or none is left.
            assert report.present >= 1 or case in NONE_LEFT
    assert time.monotonic() - started < 60


def codes_of(path, limits):
    """Codes of what is wrong with the zip itself, its members read to their ends."""
    try:
        submission = load_submission(path, limits=limits)
    except SubmissionError:
        return {"submission-unreadable"}
    codes = {finding.code for finding in submission.findings}
    assert all(f.path.isprintable() and f.message.isprintable() for f in submission.findings)
    for name in submission.files:
        try:
            submission.sha256(name)
            with submission.open_stream(name) as stream:
                stream.read()
        except MemberError as error:
            codes.add(error.code)
    return codes


def test_the_corpus_is_large():
    assert len(CASES) >= 60
