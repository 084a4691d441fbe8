"""Reading one member of a zip, never more of it than its header promises."""

from __future__ import annotations

import io
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ipvg_eval.errors import VideoError

_CHUNK = 1 << 18


class MemberError(VideoError):
    """One file of a submission cannot be read.

    Attributes:
        code: the finding's code for it.
    """

    def __init__(self, message: str, *, code: str, path: Path | str | None, hint: str) -> None:
        super().__init__(message, path=path, hint=hint)
        self.code = code


@dataclass(frozen=True, kw_only=True)
class Member:
    """Where one member's bytes lie and what the directory says of them.

    Attributes:
        name: name as it stands in the zip.
        offset: first byte of its data in the zip file.
        packed_size: bytes it takes in the zip.
        size: bytes once unpacked, as declared.
        crc: CRC-32 of the unpacked bytes, as declared.
        deflated: packed by deflate; stored as it is otherwise.
    """

    name: str
    offset: int
    packed_size: int
    size: int
    crc: int
    deflated: bool

    def chunks(self, archive: Path) -> Iterator[bytes]:
        """The unpacked content in pieces of at most 256 KiB.

        Raises:
            MemberError: the real content is longer or shorter than declared, is damaged, or fails its
                checksum. Nothing beyond the declared size is ever yielded.
        """
        produced, crc = 0, 0
        with archive.open("rb") as source:
            packed = Slice(source, self.offset, self.packed_size)
            for piece in self._inflated(packed, archive) if self.deflated else packed.pieces():
                produced += len(piece)
                if produced > self.size:
                    raise self._wrong_size(archive, f"more than the {self.size}")
                crc = zlib.crc32(piece, crc)
                yield piece
        if produced < self.size:
            raise self._wrong_size(archive, f"{produced} of the {self.size}")
        if crc != self.crc:
            raise self._damaged(archive, "its checksum does not match")

    def _inflated(self, packed: Slice, archive: Path) -> Iterator[bytes]:
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        pending = b""
        while not inflate.eof:
            pending = pending or packed.read(_CHUNK)
            exhausted = not pending
            try:
                piece = inflate.decompress(pending, _CHUNK)
            except zlib.error as error:
                raise self._damaged(archive, str(error)) from error
            pending = inflate.unconsumed_tail
            if exhausted and not piece and not inflate.eof:
                raise self._damaged(archive, "its packed data end early")
            yield piece
        if inflate.unused_data or packed.read(1):
            raise self._damaged(archive, "other data follow its packed data")

    def _wrong_size(self, archive: Path, found: str) -> MemberError:
        return MemberError(
            f"unpacks to {found} bytes that the zip declares",
            code="size-mismatch",
            path=f"{archive}: {self.name}",
            hint="Pack the submission again.",
        )

    def _damaged(self, archive: Path, why: str) -> MemberError:
        return MemberError(
            f"is damaged in the zip: {why}",
            code="damaged-member",
            path=f"{archive}: {self.name}",
            hint="Pack the submission again.",
        )


class Slice(io.RawIOBase):
    """A seekable, read-only window on part of a file; the file is its own and is not closed with it."""

    def __init__(self, source: BinaryIO, offset: int, size: int) -> None:
        super().__init__()
        self._source = source
        self._offset = offset
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        """Always true."""
        return True

    def seekable(self) -> bool:
        """Always true."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move inside the window; positions beyond its end read as empty."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("negative position")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        """Position inside the window."""
        return self._position

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes, never beyond the window."""
        left = max(0, self._size - self._position)
        wanted = left if size is None or size < 0 else min(size, left)
        if wanted == 0:
            return b""
        self._source.seek(self._offset + self._position)
        data = self._source.read(wanted)
        self._position += len(data)
        return data

    def pieces(self) -> Iterator[bytes]:
        """The rest of the window in pieces."""
        while piece := self.read(_CHUNK):
            yield piece

    def readinto(self, buffer: object) -> int:
        """Fill the buffer as `read` does."""
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)
