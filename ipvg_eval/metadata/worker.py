"""The process that reads metadata."""

from __future__ import annotations

from typing import BinaryIO

from ipvg_eval.metadata.messages import Read, Texts
from ipvg_eval.metadata.reading import read_texts
from ipvg_eval.sandbox.child import serve
from ipvg_eval.video import decoder_version


def _read(_: Read, file: BinaryIO | None) -> Texts:
    assert file is not None
    return Texts(texts=read_texts(file))


if __name__ == "__main__":
    serve(Read, _read, versions={"decoder": decoder_version()})
