"""Reads what wandb keeps of an offline run: protocol buffers in blocks, as LevelDB's log has them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_BLOCK = 32768
_HEAD = struct.Struct("<IHB")  # checksum, length, and whether it is whole, or a first, middle or last part
_LAST = (1, 4)


def records(path: Path) -> Iterator[Any]:
    """Every record of a .wandb file."""
    from wandb.proto import wandb_internal_pb2

    content = path.read_bytes()
    place, parts = 7, b""  # after the file's own header
    while place < len(content):
        left = _BLOCK - place % _BLOCK
        if left < _HEAD.size:
            place += left
            continue
        _, length, kind = _HEAD.unpack_from(content, place)
        place += _HEAD.size
        parts += content[place : place + length]
        place += length
        if kind in _LAST:
            record = wandb_internal_pb2.Record()
            record.ParseFromString(parts)
            parts = b""
            yield record
