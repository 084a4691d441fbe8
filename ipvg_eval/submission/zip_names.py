"""Names of members that do not say how they are written: UTF-8, or the code page of somebody's Windows."""

from __future__ import annotations

import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable

_UTF8 = 0x800
_UNICODE_PATH = 0x7075
# With the lead bytes of the characters in everyday use: level 1 of JIS X 0208, of GB 2312 and of Big5.
_TWO_BYTES = (("cp932", 0x88, 0x97), ("gbk", 0xB0, 0xD7), ("big5", 0xA4, 0xC6), ("cp949", 0xB0, 0xC8))
_ONE_BYTE = ("cp437", "cp850", "cp866", "cp1252", "cp1251")


def member_names(
    infos: Iterable[zipfile.ZipInfo], page: str | None = None
) -> tuple[list[str], tuple[str, ...]]:
    """The name of each member, and the code pages that all names can be of whose encoding had to be guessed.

    A name is decoded before anybody judges it: a backslash may be half of a letter. One that is marked as
    UTF-8 is that. Any other is UTF-8 where it can be, else of the given page, or of the one that makes the
    most sense of all such names of the archive together, which is the first of the pages. Short names often
    make sense in several.
    """
    infos = list(infos)
    plain = [
        None if info.flag_bits & _UTF8 else info.orig_filename.encode("cp437", "replace") for info in infos
    ]
    own = [None if raw is None else _unicode_path(info, raw) for info, raw in zip(infos, plain, strict=True)]
    guessed = [
        raw
        for raw, path in zip(plain, own, strict=True)
        if raw is not None and path is None and not _is_utf8(raw)
    ]
    pages = _code_pages(guessed) if guessed else ()
    names = [
        info.orig_filename if raw is None else path or _decoded(raw, page or next(iter(pages), "utf-8"))
        for info, raw, path in zip(infos, plain, own, strict=True)
    ]
    return names, pages


def _decoded(raw: bytes, page: str) -> str:
    return raw.decode("utf-8") if _is_utf8(raw) else raw.decode(page, "replace")


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _unicode_path(info: zipfile.ZipInfo, raw: bytes) -> str | None:
    """The name in Info-ZIP's extra field, where its checksum is of the plain name (APPNOTE 4.6.9)."""
    extra = info.extra
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<2H", extra)
        data, extra = extra[4 : 4 + size], extra[4 + size :]
        if kind == _UNICODE_PATH and len(data) > 5:
            version, crc = struct.unpack_from("<BL", data)
            if version == 1 and crc == zlib.crc32(raw) and _is_utf8(data[5:]):
                return data[5:].decode("utf-8")
    return None


def _code_pages(names: list[bytes]) -> tuple[str, ...]:
    """Those in which all names can be written, the one that makes the most sense first."""
    scores = {page: _sense_of_two_bytes(names, page, first, last) for page, first, last in _TWO_BYTES}
    scores |= {page: _sense_of_letters(names, page) for page in _ONE_BYTE}
    possible = [page for page, score in scores.items() if score > float("-inf")]
    return tuple(sorted(possible, key=lambda page: -scores[page]))


def _sense_of_two_bytes(names: list[bytes], page: str, first: int, last: int) -> float:
    score = 0.0
    for raw in names:
        try:
            text = raw.decode(page)
        except UnicodeDecodeError:
            return float("-inf")
        for letter in filter(lambda letter: not letter.isascii(), text):
            code = letter.encode(page)
            everyday = len(code) == 2 and first <= code[0] <= last
            kana = page == "cp932" and unicodedata.name(letter, "").startswith(("HIRAGANA", "KATAKANA"))
            score += 2 if everyday or kana else -1
    return score


def _sense_of_letters(names: list[bytes], page: str) -> float:
    letters = [letter for raw in names for letter in raw.decode(page, "replace") if not letter.isascii()]
    script = "CYRILLIC" if page in ("cp866", "cp1251") else "LATIN"
    return sum(1 if unicodedata.name(letter, "").startswith(script) else -1 for letter in letters)
