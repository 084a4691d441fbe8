"""The process that reads pictures; it writes them into shared memory."""

from __future__ import annotations

import mmap
from typing import BinaryIO

import PIL
from PIL import Image, UnidentifiedImageError

from ipvg_eval.core.errors import UnreadablePicture
from ipvg_eval.core.pictures import FORMATS, no_picture, read_rgb
from ipvg_eval.decoding.messages import Memory
from ipvg_eval.decoding.pictures import Pixels, Read
from ipvg_eval.errors import VideoError
from ipvg_eval.sandbox.child import limits, serve, setting


def main() -> None:
    """Serve requests."""
    memory, most = setting(Memory), limits().max_pixels

    def read(request: Read, file: BinaryIO | None) -> Pixels:
        assert file is not None
        try:
            with Image.open(file, formats=FORMATS) as image:
                width, height = image.size
            if width * height > most:
                raise VideoError(f"the picture of {width}x{height} is larger than {most} pixels")
            file.seek(0)
            pixels = read_rgb(file)
        except UnidentifiedImageError as error:
            file.seek(0)
            raise VideoError(no_picture(file.read(32))) from error
        except UnreadablePicture as error:
            raise VideoError(error.message, hint=error.hint) from error
        with mmap.mmap(memory.descriptor, request.size, offset=request.offset) as mapped:
            mapped[: pixels.nbytes] = pixels.tobytes()
        return Pixels(height=pixels.shape[0], width=pixels.shape[1])

    serve(Read, read, versions={"Pillow": PIL.__version__})


if __name__ == "__main__":
    main()
