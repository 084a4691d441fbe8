"""The process that makes clips."""

from __future__ import annotations

import errno
from pathlib import Path

import av

from ipvg_eval.clips.messages import CLIP, LARGEST_CLIP, SOURCE, Folder, Made, Make
from ipvg_eval.errors import VideoError
from ipvg_eval.leaderboard.study.clips import anonymous_clip
from ipvg_eval.leaderboard.study.errors import StudyError
from ipvg_eval.sandbox.child import serve, setting
from ipvg_eval.video import decoder_version


def _make(request: Make, folder: Path) -> Made:
    try:
        seconds = anonymous_clip(folder / SOURCE, folder / CLIP, forbidden=request.forbidden)
    except (av.FFmpegError, OSError) as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return Made(seconds=None)
        raise VideoError(error.strerror or str(error)) from error
    except (StudyError, ValueError) as error:
        raise VideoError(str(error)) from error
    return Made(seconds=seconds)


def main() -> None:
    """Serve requests; temporary files go where the clip goes."""
    folder = setting(Folder).path
    serve(
        Make,
        lambda request, _: _make(request, folder),
        versions={"decoder": decoder_version()},
        writable=(folder,),
        file_size=LARGEST_CLIP,
    )


if __name__ == "__main__":
    main()
