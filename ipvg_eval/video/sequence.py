"""One sequential pass over a video that hands out the frames that can be trusted."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Collection, Generator, Iterator
from contextlib import closing
from typing import Any

import av

from ipvg_eval.errors import VideoError
from ipvg_eval.video.container import Source, name_of, open_container, size_options
from ipvg_eval.video.damage import DamageLog
from ipvg_eval.video.header import video_stream
from ipvg_eval.video.index import FrameIndex

_MARKS_CONCEALED = ("h264", "mpeg4")  # their decoders flag every frame they patch up
_THREADS = min(4, os.cpu_count() or 1)
_MAX_HELD = 32  # no codec reorders over more frames


def sound_frames(
    source: Source, index: FrameIndex, wanted: Collection[int], log: DamageLog, *, time_limit: float
) -> Generator[tuple[int, Any], None, None]:
    """Decode from the start to the last wanted frame, and yield (index, PyAV frame) in ascending order.

    A frame's index is the rank of its presentation time stamp among the packets', so a frame that does not
    come out shifts no other. A frame is held back until every frame decoded before it has come out, and is
    left out if one of those that it may be predicted from was damaged. What is left out goes to the log.

    Args:
        source: the video.
        index: its frame index.
        wanted: indices to yield.
        log: where damage is written.
        time_limit: seconds of reading and decoding, the caller's own work not counted. Checked between
            packets: the decoding of a single packet is not interrupted.

    Raises:
        VideoError: the file cannot be opened, or the time is over before the last wanted frame.
    """
    last = max(wanted, default=-1)
    held: deque[tuple[int, Any]] = deque()
    with closing(_Decoder(source, index, log, _Stopwatch(time_limit)).frames()) as frames:
        for i, frame in frames:
            if i in wanted:
                held.append((i, frame))
            while held and (index.settled[held[0][0]] <= i or len(held) > _MAX_HELD):
                yield from _trusted(held.popleft(), log)
            if not held and i >= last:
                return
        while held:
            yield from _trusted(held.popleft(), log)


def _trusted(item: tuple[int, Any], log: DamageLog) -> Iterator[tuple[int, Any]]:
    if not log.spoils(item[0]):
        yield item


class _Stopwatch:
    """Time that passes while it runs; it starts out running."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self._spent = 0.0
        self._since = time.monotonic()

    def start(self) -> None:
        self._since = time.monotonic()

    def stop(self) -> None:
        self._spent += time.monotonic() - self._since

    @property
    def over(self) -> bool:
        return self._spent + time.monotonic() - self._since > self.limit


class _Decoder:
    """Gives every frame that comes out, concealed ones too, with its index, ascending."""

    def __init__(self, source: Source, index: FrameIndex, log: DamageLog, watch: _Stopwatch) -> None:
        self._source = source
        self._index = index
        self._log = log
        self._watch = watch
        self._ranks = {pts: rank for rank, pts in reversed(list(enumerate(index.pts or ())))}
        self._done = -1
        self._reason: str | None = None

    def frames(self) -> Generator[tuple[int, Any], None, None]:
        """Decode with several threads; if frames are lost, once more with one."""
        count = self._index.clip.frame_count
        concealing = self._index.header.codec in _MARKS_CONCEALED
        if concealing and self._index.pts is not None and _THREADS > 1:
            try:
                yield from self._run(threads=_THREADS, options={})
            except av.FFmpegError as error:
                self._reason = error.strerror
        # An error in several threads cannot be pinned to a packet, and takes good frames behind it along.
        # One thread loses none; it starts over and gives what comes after the frames already given.
        if self._done < count - 1:
            yield from self._run(threads=1, options={} if concealing else {"err_detect": "explode"})
        self._pass_over(count)

    def _run(self, *, threads: int, options: dict[str, str]) -> Iterator[tuple[int, Any]]:
        with open_container(self._source, max_pixels=self._index.max_pixels) as container:
            stream: Any = video_stream(container)
            context = stream.codec_context
            # Slice threads, the default, switch H.264's error concealment off and with it the flags.
            context.thread_type = "FRAME"
            context.thread_count = threads
            context.options = options | size_options(self._index.max_pixels)
            given = self._done
            for frame in self._raw(container, stream, strict=threads > 1):
                i = self._place(frame, given)
                if i is None:
                    continue
                self._watch.stop()
                yield i, frame
                self._watch.start()

    def _raw(self, container: Any, stream: Any, *, strict: bool) -> Iterator[Any]:
        packets = container.demux(stream)
        while not self._watch.over:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.FFmpegError as error:
                self._reason = error.strerror
                packet = None
            try:
                yield from stream.codec_context.decode(packet)
            except av.EOFError:
                return
            except av.FFmpegError as error:
                if strict:
                    raise
                self._reason = error.strerror
            if packet is None:
                return
        raise self._stopped()

    def _stopped(self) -> VideoError:
        """How far decoding comes in a given time is the machine's doing: it must not become a number."""
        return VideoError(
            f"decoding was stopped after {self._watch.limit:g} s, before the last frame that is needed",
            path=name_of(self._source),
            hint="Lower the resolution, or raise --decoder-seconds.",
        )

    def _place(self, frame: Any, given: int) -> int | None:
        """The frame's index; None for one given before or out of order. Frames passed over are broken."""
        if frame.pts is None or self._index.pts is None:
            i = self._done + 1
        else:
            i = self._ranks.get(frame.pts, -1)
            if 0 <= i == self._done and self._index.first_repeated_time is not None:
                i += 1  # two frames share a time stamp
        if 0 <= i <= given:
            return None
        if not self._done < i < self._index.clip.frame_count:
            self._log.remark("a frame comes out of order or at a time that no packet names")
            return None
        self._pass_over(i)
        if frame.is_corrupt:
            self._log.broken(i, "its data are damaged")
        self._done = i
        return i

    def _pass_over(self, end: int) -> None:
        for i in range(self._done + 1, end):
            self._log.broken(i, self._reason)
