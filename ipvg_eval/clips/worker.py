"""The process that makes clips."""

from __future__ import annotations

import errno
from dataclasses import asdict
from pathlib import Path

import av
from pydantic import TypeAdapter

from ipvg_eval.clips.messages import (
    CLIP,
    LARGEST_CLIP,
    SOURCE,
    Encode,
    Folder,
    Look,
    Made,
    Pad,
    Request,
    Seen,
)
from ipvg_eval.errors import VideoError
from ipvg_eval.leaderboard.study import clips
from ipvg_eval.leaderboard.study.errors import StudyError
from ipvg_eval.sandbox.child import serve, setting
from ipvg_eval.video import decoder_version


def _answer(request: Look | Encode | Pad, folder: Path) -> Seen | Made:
    try:
        return _done(request, folder / SOURCE, folder / CLIP)
    except (av.FFmpegError, OSError) as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return Made(sizes=None)
        raise VideoError(error.strerror or str(error)) from error
    except (StudyError, ValueError) as error:
        raise VideoError(str(error)) from error


def _done(request: Look | Encode | Pad, source: Path, target: Path) -> Seen | Made:
    if isinstance(request, Look):
        return Seen(**asdict(clips.look(source)))
    if isinstance(request, Encode):
        shape = clips.Shape(**request.model_dump(exclude={"kind", "spoil"}))
        return Made(sizes=tuple(clips.encode(source, target, shape, request.spoil)))
    clips.pad(source, target, request.sizes)
    return Made(sizes=())


def main() -> None:
    """Serve requests; temporary files go where the clip goes."""
    folder = setting(Folder).path
    requests: TypeAdapter[Look | Encode | Pad] = TypeAdapter(Request)
    serve(
        requests,
        lambda request, _: _answer(request, folder),
        versions={"decoder": decoder_version()},
        writable=(folder,),
        file_size=LARGEST_CLIP,
    )


if __name__ == "__main__":
    main()
