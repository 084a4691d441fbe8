"""What a file is that should be a zip and is not."""

from __future__ import annotations

from codecs import getincrementaldecoder
from pathlib import Path

_STARTS = (
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\x1f\x8b", "a gzip file (.gz, .tgz)"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ\x00", "an xz file"),
    (b"\x28\xb5\x2f\xfd", "a zstd file"),
    (b"MSCF", "a cabinet (.cab)"),
    (b"xar!", "a xar archive"),
    (b"PK\x07\x08", "the first part of a split zip"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"PAR1", "a Parquet table"),
    (b"\x1aE\xdf\xa3", "a Matroska or WebM video"),
)
_HEAD = 512


def why_no_zip(path: Path) -> tuple[str, str]:
    """What this file is instead of a whole zip, and what to do about it."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_HEAD)
    pack = "Pack the videos as a .zip."
    if size == 0:
        return "the file is empty", "Pack or copy it again."
    if head.startswith(b"PK\x03\x04"):
        return (
            f"this zip is cut off: its directory is missing at the end of its {size:,} bytes",
            "Copy or upload it again, and compare the sizes.",
        )
    if not any(head):
        return "the file begins with zeros: a copy or download of it did not finish", "Copy it again."
    if head[257:262] == b"ustar":
        return "this is a tar archive, not a zip", pack
    if head[4:8] == b"ftyp":
        return "this is a single video, not a zip", "Give a folder of videos or a zip of them."
    if head.lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        return "this is a web page, not a zip: perhaps a download that needed a login", "Download it again."
    if head.startswith(b"version https://git-lfs"):
        return "this is a Git LFS pointer, not the zip it stands for", "Fetch it with: git lfs pull"
    if _is_text(head):
        return "this is a text file, not a zip", pack
    for start, name in _STARTS:
        if head.startswith(start):
            return f"this is {name}, not a zip", pack
    return "not a readable zip: there is no zip directory in it", pack


def _is_text(head: bytes) -> bool:
    """Whether a file's beginning is UTF-8 without control characters; its last character may be cut."""
    text = getincrementaldecoder("utf-8")("replace").decode(head)
    return all(char.isprintable() or char in "\t\n\r\f" for char in text) and "\ufffd" not in text
