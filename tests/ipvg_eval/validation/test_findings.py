"""One flaw at a time: each has exactly its findings, in a zip and in a folder."""

from __future__ import annotations

import io
import struct
import threading
import zipfile

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from video_files import cut, rotated, spoiled

from ipvg_eval.findings import Severity
from ipvg_eval.validation import validate

FIRST = "id001/prompt1.mp4"


def renamed(name: str):
    def make(files, _clip):
        return {name if key == FIRST else key: value for key, value in files.items()}

    return make


def replaced(**how):
    def make(files, clip):
        return files | {FIRST: clip(**({"seed": 9} | how))}

    return make


def changed(change):
    def make(files, _clip):
        return files | {FIRST: change(files[FIRST])}

    return make


def added(name: str, content: bytes | None = None):
    def make(files, clip):
        return files | {name: clip(seed=11) if content is None else content}

    return make


FLAWS = {
    "nothing": (lambda files, _: files, {}),
    "audio": (replaced(audio=True), {}),
    "missing": (lambda files, _: {k: v for k, v in files.items() if k != FIRST}, {"video-missing": FIRST}),
    "extra video": (added("id003/prompt1.mp4"), {"video-extra": "id003/prompt1.mp4"}),
    "second copy": (added("id001/prompt_1.mp4"), {"video-extra": "id001/prompt_1.mp4"}),
    "extra file": (added("readme.txt", b"hi"), {"file-extra": "readme.txt"}),
    "mac": (added("__MACOSX/id001/._prompt1.mp4", b"x"), {"junk-file": "__MACOSX/id001/._prompt1.mp4"}),
    "finder": (added("id001/.DS_Store", b"x"), {"junk-file": "id001/.DS_Store"}),
    "explorer": (added("id001/Thumbs.db", b"x"), {"junk-file": "id001/Thumbs.db"}),
    "nested zip": (added("more.zip", b"PK"), {"nested-archive": "more.zip"}),
    "empty": (changed(lambda _: b""), {"video-empty": FIRST}),
    "text": (changed(lambda _: b"no video at all, sorry"), {"video-unreadable": FIRST}),
    "header gone": (changed(lambda d: d[: d.index(b"moov") - 4]), {"video-unreadable": FIRST}),
    "cut": (changed(cut), {"video-truncated": FIRST}),
    "first frame": (changed(spoiled), {"video-undecodable": FIRST}),
    "hevc": (replaced(codec="libx265"), {"video-codec": FIRST}),
    "av1": (replaced(codec="libsvtav1"), {"video-codec": FIRST}),
    "mpeg4": (replaced(codec="mpeg4"), {"video-codec": FIRST}),
    "mov": (replaced(container="mov"), {"video-container": FIRST}),
    "matroska": (replaced(container="matroska"), {"video-container": FIRST}),
    "two streams": (replaced(streams=2), {"video-streams": FIRST}),
    "yuv444p": (replaced(pixel_format="yuv444p"), {"video-pixel-format": FIRST}),
    "ten bits": (replaced(pixel_format="yuv420p10le"), {"video-pixel-format": FIRST}),
    "odd": (
        replaced(pixel_format="yuv444p", width=161),
        {"video-pixel-format": FIRST, "video-odd-size": FIRST},
    ),
    "tiny": (replaced(width=64, height=64), {"video-tiny": FIRST}),
    "rotated": (changed(rotated), {"video-rotated": FIRST}),
    "uneven": (replaced(uneven=True), {"video-variable-frame-rate": FIRST}),
    "one frame": (replaced(frames=1), {"video-frame-count": FIRST}),
    "short": (replaced(frames=4), {"video-duration": FIRST}),
    "slow": (replaced(frames=2, rate=1), {"video-frame-rate": FIRST}),
    "identical": (
        lambda files, _: files | {FIRST: files["id002/prompt2.mp4"]},
        {"video-identical": FIRST},
    ),
} | {
    f"name {name}": (renamed(name), {"video-misnamed": name})
    for name in (
        "id001/Prompt1.mp4",
        "id001/prompt_1.mp4",
        "id001/prompt1.MP4",
        "id001/prompt 1.mp4",
        "id001/prompt01.mp4",
        "id001/prompt1.mp4.mp4",
        "id001/prompt1",
        "id001/1.mp4",
        "id001/001.mp4",
        "id1/prompt1.mp4",
        "ID001/prompt1.mp4",
        "001/prompt1.mp4",
        "1/1.mp4",
        "id001_prompt1.mp4",
        "id001-1.mp4",
        "id001/videos/prompt1.mp4",
        "results/id001/prompt1.mp4",
    )
}
WARNINGS = {
    "file-extra", "junk-file", "video-pixel-format", "video-odd-size", "video-tiny", "video-rotated",
    "video-variable-frame-rate", "video-duration", "video-frame-rate", "video-identical",
}  # fmt: skip


@pytest.mark.parametrize("form", ["stored", "deflated", "folder"])
@pytest.mark.parametrize("flaw", FLAWS)
def test_each_flaw_has_its_finding(flaw, form, good, clip, testset, write_zip, write_folder):
    make, expected = FLAWS[flaw]
    files = make(good, clip)
    method = zipfile.ZIP_DEFLATED if form == "deflated" else zipfile.ZIP_STORED
    path = write_folder(files) if form == "folder" else write_zip(files, method=method)
    report = validate(path, testset)
    assert {f.code: f.path for f in report.findings} == expected
    assert len(report.findings) == len(expected)
    for finding in report.findings:
        assert (finding.severity is Severity.WARNING) == (finding.code in WARNINGS)
        assert finding.action
    assert report.ok == (expected.keys() <= WARNINGS)
    assert report.expected == 4


@pytest.mark.parametrize(
    ("codec", "name"),
    [("libx265", "HEVC"), ("libsvtav1", "AV1"), ("mpeg4", "MPEG-4 Part 2"), ("libvpx-vp9", "VP9")],
)
def test_other_codecs_are_named(codec, name, good, clip, testset, write_zip):
    report = validate(write_zip(good | {FIRST: clip(seed=9, codec=codec)}), testset)
    assert [f.code for f in report.findings] == ["video-codec"]
    assert name in report.findings[0].message


def test_no_video_stream(good, sound, testset, write_zip):
    report = validate(write_zip(good | {FIRST: sound}), testset)
    assert [(f.code, f.path) for f in report.findings] == [("video-streams", FIRST)]


def test_misnamed_video_is_opened_too(good, clip, testset, write_zip):
    files = {k: v for k, v in good.items() if k != FIRST} | {"id1/Prompt_1.mp4": clip(seed=9, codec="mpeg4")}
    report = validate(write_zip(files), testset)
    assert [(f.code, f.path, f.sample) for f in report.findings] == [
        ("video-misnamed", "id1/Prompt_1.mp4", "id001/prompt1"),
        ("video-codec", "id1/Prompt_1.mp4", "id001/prompt1"),
    ]
    assert FIRST in report.findings[0].action
    assert (report.present, report.checked) == (3, 4)


def test_backslashes_are_reported_once_not_as_missing_too(good, testset, tmp_path):
    path = tmp_path / "facial_results.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in good.items():
            archive.writestr(name.replace("/", "\\"), content)
    report = validate(path, testset)
    assert [f.code for f in report.findings] == ["backslash-path"] * 4
    assert "id001/prompt1.mp4" in report.findings[0].action


def test_lying_packed_size_is_found(good, testset, write_zip):
    path = write_zip(good, method=zipfile.ZIP_DEFLATED)
    raw = bytearray(path.read_bytes())
    for header, size in ((30, 22), (46, 24)):
        at = (raw.index(FIRST.encode()) if header == 30 else raw.rindex(FIRST.encode())) - header + size
        raw[at : at + 4] = struct.pack("<L", len(good[FIRST]) - 1)
    path.write_bytes(bytes(raw))
    report = validate(path, testset)
    assert [(f.code, f.path) for f in report.findings] == [("size-mismatch", FIRST)]


def test_changed_bytes_are_findings_never_crashes(good, testset, tmp_path):
    original = good[FIRST]
    header = original.index(b"moov")
    position = st.integers(0, len(original) - 1) | st.integers(header, len(original) - 1)
    path = tmp_path / "facial_results.zip"

    @settings(deadline=None, max_examples=120)
    @given(changes=st.lists(st.tuples(position, st.integers(0, 255)), min_size=1, max_size=8))
    def check(changes):
        raw = bytearray(original)
        for where, value in changes:
            raw[where] = value
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in (good | {FIRST: bytes(raw)}).items():
                archive.writestr(name, content)
        report = validate(path, testset)
        assert {f.path for f in report.findings} <= {FIRST}
        assert report.checked == 4

    check()


def test_everything_wrong_is_told_at_once(good, clip, testset, write_zip):
    files = {
        "sub/id001/Prompt1.mp4": good[FIRST],
        "sub/id001/prompt2.mp4": b"",
        "sub/id002/prompt1.mp4": clip(seed=9, codec="mpeg4"),
        "sub/extra.mp4": good[FIRST],
        "sub/.DS_Store": b"",
    }
    report = validate(write_zip(files, name="results.zip"), testset)
    assert {code: len(group) for code, group in report.groups.items()} == {
        "zip-name": 1,
        "video-misnamed": 1,
        "video-extra": 1,
        "video-missing": 1,
        "video-empty": 1,
        "video-codec": 1,
        "junk-file": 1,
        "wrapping-folder": 1,
    }
    errors_first = [f.severity is Severity.WARNING for f in report.findings]
    assert errors_first == sorted(errors_first)


def test_wrapped_zip_is_valid_with_a_warning(good, testset, write_zip):
    report = validate(write_zip({f"submission/{k}": v for k, v in good.items()}), testset)
    assert [f.code for f in report.findings] == ["wrapping-folder"]
    assert report.ok
    assert report.present == 4


@pytest.mark.parametrize("form", ["stored", "deflated", "folder"])
def test_deep_names_the_first_bad_time(form, good, clip, testset, write_zip, write_folder):
    """Frames 6 to 11 of a clip with key frames only are overwritten: the first bad one is at 6 / 16 s."""
    whole = clip(seed=9, codec="libx264")
    with av.open(io.BytesIO(whole)) as file:
        packets = [(p.pos, p.size, float(p.pts * p.time_base)) for p in file.demux(video=0) if p.size]
    packets.sort(key=lambda p: p[2])
    position, size, bad_time = packets[6]
    raw = bytearray(whole)
    raw[position + 8 : position + size] = b"\xa5" * (size - 8)
    files = good | {FIRST: bytes(raw)}
    method = zipfile.ZIP_DEFLATED if form == "deflated" else zipfile.ZIP_STORED
    path = write_folder(files) if form == "folder" else write_zip(files, method=method)
    assert validate(path, testset).ok
    report = validate(path, testset, deep=True)
    assert [(f.code, f.path) for f in report.findings] == [("video-damaged", FIRST)]
    assert f"{bad_time:.3f} s" in report.findings[0].message
    assert bad_time == pytest.approx(6 / 16)


def test_deep_accepts_what_is_whole(good, testset, write_zip):
    assert validate(write_zip(good), testset, deep=True).findings == ()


def test_progress_counts_up_in_the_calling_thread(good, testset, write_zip):
    seen: list[tuple[int, int]] = []
    threads = set()

    def progress(done: int, total: int) -> None:
        seen.append((done, total))
        threads.add(threading.get_ident())

    validate(write_zip(good), testset, progress=progress)
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert threads == {threading.get_ident()}


def test_real_videos(shared_data, write_folder):
    videos = sorted((shared_data / "videos").glob("*.mp4"))
    names = [f"id00{i}/prompt{k}.mp4" for i in (1, 2, 3) for k in range(1, 6)]
    folder = write_folder({name: videos[n % 3].read_bytes() for n, name in enumerate(names)})
    report = validate(folder, shared_data / "testset_folder")
    assert report.ok
    assert (report.present, report.checked) == (15, 15)
    assert {f.code for f in report.warnings} >= {"video-identical"}
