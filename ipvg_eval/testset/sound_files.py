"""Which kind of sound a file holds, told from its first bytes; nothing is decoded."""

from __future__ import annotations

from pathlib import Path

SOUND_SUFFIXES = (".wav", ".flac", ".mp3", ".m4a", ".ogg")

_HEAD = 1 << 16


def kind_of_sound(path: Path) -> str | None:
    """One of "wav", "flac", "mp3", "m4a" and "ogg"; None for anything else."""
    with path.open("rb") as file:
        head = file.read(16)
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return "wav"
    if head[:4] == b"fLaC":
        return "flac"
    if head[:4] == b"OggS":
        return "ogg"
    if head[4:8] == b"ftyp":
        return "m4a"
    # An ID3 tag, or eleven bits that begin a frame of layer 3.
    if head[:3] == b"ID3" or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2):
        return "mp3"
    return None


def sound_problem(path: Path) -> str | None:
    """Why a file holds no sound, as far as its first bytes tell; None if nothing speaks against it."""
    try:
        if path.stat().st_size == 0:
            return "it is empty (0 bytes)"
        kind = kind_of_sound(path)
        if kind is None:
            return "it is none of wav, flac, mp3, m4a and ogg"
        return _wav_problem(path) if kind == "wav" else None
    except OSError as error:
        return f"it cannot be opened: {error.strerror or error}"


def _wav_problem(path: Path) -> str | None:
    """A missing, empty or cut off data chunk."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_HEAD)
    place = 12
    while place + 8 <= len(head):
        length = int.from_bytes(head[place + 4 : place + 8], "little")
        if head[place : place + 4] == b"data":
            if length == 0:
                return "it holds no sample"
            # Recorders that do not know the length beforehand write the largest number.
            if place + 8 + length > size and length < 0xFFFFFF00:
                return f"it is cut off: {place + 8 + length - size:,} bytes are missing"
            return None
        place += 8 + length + length % 2
    return "it has no data chunk"
